#include "framework/kernel/chunk_sums.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "framework/simd/vectors.h"

namespace vitrine {
namespace {

constexpr size_t kSmallSums = size_t{4} << 20;   // floats
constexpr size_t kSlice = 4096;                  // floats that a thread adds at once
constexpr size_t kSentAtOnce = size_t{1} << 14;  // floats, so that processes add at the same time

void add(const float* from, size_t size, float* to, int threads, Team& team) {
  team.run((size + kSlice - 1) / kSlice, threads, [&](size_t slice, size_t) {
    const size_t begin = slice * kSlice;
    simd::add(from + begin, std::min(kSlice, size - begin), to + begin);
  });
}

// Sums over neighbouring chunks, as a binary tree joins them: a node of width w begins at a
// multiple of w. What is at the end alone counts for its parent.
class SumTree {
 public:
  SumTree(const Chunks& chunks, size_t size) : chunks_(chunks), size_(size), nodes_(chunks.count) {}

  float* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      memory_.push_back(std::make_unique<VectorMemory>());
      memory_.back()->reserve(size_);
      return memory_.back()->at(0);
    }
    float* out = idle_.back();
    idle_.pop_back();
    return out;
  }
  void give_back(float* sums) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(sums);
  }

  // Joins a chunk's sums with all that is complete beside it in this process.
  void complete(size_t chunk, float* sums) {
    std::unique_lock lock(mutex_);
    nodes_[chunk] = {sums, 1};
    for (size_t at = chunk;;) {
      raise(at);
      const size_t width = nodes_[at].width;
      if (width >= chunks_.count) return;
      const size_t left = at - at % (2 * width), right = left + width;
      const bool is_here =
          chunks_.first <= left && std::min(left + 2 * width, chunks_.count) <= chunks_.end;
      if (!is_here || nodes_[left].width != width || nodes_[right].width != width) return;
      const Node other = nodes_[right];
      nodes_[right] = {};
      const Node joined = nodes_[left];
      nodes_[left] = {};  // nobody else takes it meanwhile
      lock.unlock();
      simd::add(other.sums, size_, joined.sums);
      lock.lock();
      idle_.push_back(other.sums);
      nodes_[left] = {joined.sums, 2 * width};
      at = left;
    }
  }

  // Joins what several processes have; the first chunk's process has the root then.
  void join_processes(Sharing& sharing, int threads, Team& team) {
    const size_t own = sharing.index();
    float* received = nullptr;
    for (size_t width = 1; width < chunks_.count; width *= 2) {
      for (size_t left = 0; left + width < chunks_.count; left += 2 * width) {
        const size_t right = left + width;
        const size_t left_owner = chunks_.process_of(left), right_owner = chunks_.process_of(right);
        if (right_owner == own && left_owner != own) {
          sharing.send(left_owner, nodes_[right].sums, size_);
        } else if (left_owner == own && right_owner != own) {
          if (!received) received = take();
          sharing.receive(right_owner, received, size_);
          add(received, size_, nodes_[left].sums, threads, team);
          nodes_[left].width = 2 * width;
          raise(left);
        } else if (left_owner == own && nodes_[left].width == width) {
          add(nodes_[right].sums, size_, nodes_[left].sums, threads, team);
          nodes_[left].width = 2 * width;
          raise(left);
        }
      }
    }
    sharing.finish();
  }

  const float* root() const { return nodes_[0].sums; }

 private:
  struct Node {
    float* sums = nullptr;
    size_t width = 0;  // 0: not there
  };

  // A node that would have its brother behind the end is its parent.
  void raise(size_t at) {
    Node& node = nodes_[at];
    while (node.width < chunks_.count && at % (2 * node.width) == 0 &&
           at + node.width >= chunks_.count)
      node.width *= 2;
  }

  const Chunks& chunks_;
  size_t size_;
  std::vector<Node> nodes_;  // by their first chunk
  std::vector<std::unique_ptr<VectorMemory>> memory_;
  std::vector<float*> idle_;
  std::mutex mutex_;
};

}  // namespace

void ChunkSums::add_up(const Chunks& chunks, size_t size, int threads, Sharing* sharing,
                       float* gradients, const Work& work) {
  if (chunks.count == 0) return static_cast<void>(std::memset(gradients, 0, size * sizeof(float)));
  if (chunks.is_tree) return by_tree(chunks, size, threads, sharing, gradients, work);
  if (sharing) return along_processes(chunks, size, threads, *sharing, gradients, work);
  if (chunks.count * size <= kSmallSums) return one_by_one(chunks, size, threads, gradients, work);
  in_turns(chunks, size, threads, gradients, work);
}

// Each chunk of this process in a buffer of its own.
void ChunkSums::compute(const Chunks& chunks, size_t size, int threads, const Work& work) {
  const size_t count = chunks.end - chunks.first;
  partial_.reserve(std::max<size_t>(size * count, 1));
  team_.run(count, threads, [&](size_t i, size_t thread) {
    float* sums = partial_.at(i * size);
    std::memset(sums, 0, size * sizeof(float));
    work(chunks.first + i, thread, sums);
  });
}

void ChunkSums::one_by_one(const Chunks& chunks, size_t size, int threads, float* gradients,
                           const Work& work) {
  compute(chunks, size, threads, work);
  team_.run((size + kSlice - 1) / kSlice, threads, [&](size_t slice, size_t) {
    const size_t begin = slice * kSlice, end = std::min(size, begin + kSlice);
    std::memcpy(gradients + begin, partial_.at(begin), (end - begin) * sizeof(float));
    for (size_t chunk = 1; chunk < chunks.count; ++chunk)
      simd::add(partial_.at(chunk * size) + begin, end - begin, gradients + begin);
  });
}

// Of a large model there is a buffer a thread: each chunk waits for its turn. They are handed out
// in order, so none waits long.
void ChunkSums::in_turns(const Chunks& chunks, size_t size, int threads, float* gradients,
                         const Work& work) {
  const auto workers = static_cast<size_t>(std::max(threads, 1));
  partial_.reserve(size * workers);
  std::mutex mutex;
  std::condition_variable turn;
  size_t next = 0, added = 0;
  team_.run(workers, threads, [&](size_t, size_t thread) {
    float* sums = partial_.at(thread * size);
    for (;;) {
      std::unique_lock lock(mutex);
      const size_t chunk = next++;
      lock.unlock();
      if (chunk >= chunks.count) return;
      std::memset(sums, 0, size * sizeof(float));
      work(chunk, thread, sums);
      lock.lock();
      turn.wait(lock, [&] { return added == chunk; });
      lock.unlock();
      if (chunk == 0) {
        std::memcpy(gradients, sums, size * sizeof(float));
      } else {
        simd::add(sums, size, gradients);
      }
      lock.lock();
      ++added;
      turn.notify_all();
    }
  });
}

// The running sum goes from process to process, slice by slice, and from the last to all.
void ChunkSums::along_processes(const Chunks& chunks, size_t size, int threads, Sharing& sharing,
                                float* gradients, const Work& work) {
  compute(chunks, size, threads, work);
  const size_t last = chunks.process_of(chunks.count - 1);
  const size_t count = chunks.end - chunks.first;
  for (size_t begin = 0; count > 0 && begin < size; begin += kSentAtOnce) {
    const size_t length = std::min(kSentAtOnce, size - begin);
    float* sums = gradients + begin;
    size_t chunk = 0;
    if (chunks.first == 0) {
      std::memcpy(sums, partial_.at(begin), length * sizeof(float));
      chunk = 1;
    } else {
      sharing.receive(chunks.process_of(chunks.first - 1), sums, length);
    }
    for (; chunk < count; ++chunk) simd::add(partial_.at(chunk * size) + begin, length, sums);
    if (chunks.end < chunks.count) sharing.send(chunks.process_of(chunks.end), sums, length);
  }
  sharing.finish();
  sharing.broadcast(last, gradients, size * sizeof(float));
}

void ChunkSums::by_tree(const Chunks& chunks, size_t size, int threads, Sharing* sharing,
                        float* gradients, const Work& work) {
  SumTree tree(chunks, size);
  std::mutex mutex;
  size_t next = chunks.first;
  // In order, so that what is complete lies side by side, and few buffers are needed.
  team_.run(static_cast<size_t>(std::max(threads, 1)), threads, [&](size_t, size_t thread) {
    for (;;) {
      std::unique_lock lock(mutex);
      const size_t chunk = next++;
      lock.unlock();
      if (chunk >= chunks.end) return;
      float* sums = tree.take();
      std::memset(sums, 0, size * sizeof(float));
      work(chunk, thread, sums);
      tree.complete(chunk, sums);
    }
  });
  if (sharing) tree.join_processes(*sharing, threads, team_);
  const size_t owner = sharing ? chunks.process_of(0) : 0;
  if (!sharing || owner == sharing->index())
    std::memcpy(gradients, tree.root(), size * sizeof(float));
  if (sharing) sharing->broadcast(owner, gradients, size * sizeof(float));
}

}  // namespace vitrine
