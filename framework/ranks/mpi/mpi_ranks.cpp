#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "framework/error.h"
#include "framework/ranks/ranks.h"

// Ranks by MPI. It waits by asking again and again instead of by blocking calls, so that a rank
// that others wait for in vain is found, and so that a core with more ranks than it can serve is
// left to them.
namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBeat = 1s;      // between two signs of life
constexpr auto kSilence = 15s;  // after which a rank counts as lost
constexpr auto kGrace = 10s;    // for this process to end in order, once another one is lost
constexpr auto kFarewell = 5s;  // for the others to end as well
constexpr int kSpins = 2000;    // questions before a core is offered to others
constexpr int kOffers = 20000;  // before it sleeps between questions
constexpr size_t kMostBytes = size_t{1} << 30;  // of one message: MPI counts by int
constexpr size_t kNoteSize = 2048;

enum Tag : int { kNumbers = 1, kSign, kNote };

// What a rank that ends by an error tells of itself, or what the first one has found out.
struct Note {
  int32_t rank = -1;  // that failed or is lost
  bool is_silent = false;
  ExitCode code = ExitCode::kFailed;
  std::array<char, kNoteSize> text{};
};

class MpiRanks final : public Ranks {
 public:
  MpiRanks() {
    int level = 0;
    // A rank that waits is not to keep others from computing, where there are more than cores.
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    if (level < MPI_THREAD_SERIALIZED)
      throw Error(ExitCode::kUsage, "this MPI serves one thread alone (MPI_THREAD_SERIALIZED)");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_dup(MPI_COMM_WORLD, &life_);
    MPI_Comm_set_errhandler(life_, MPI_ERRORS_RETURN);
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    std::vector<char> all(name.size() * static_cast<size_t>(size_));
    MPI_Allgather(name.data(), static_cast<int>(name.size()), MPI_CHAR, all.data(),
                  static_cast<int>(name.size()), MPI_CHAR, MPI_COMM_WORLD);
    for (int i = 0; i < size_; ++i)
      hosts_.emplace_back(all.data() + static_cast<size_t>(i) * name.size());
    heard_.assign(count(), Clock::now());
    life_thread_ = std::thread([this] { live(); });
  }

  size_t index() const override { return static_cast<size_t>(rank_); }
  size_t count() const override { return static_cast<size_t>(size_); }
  const std::vector<std::string>& hosts() const override { return hosts_; }

  void gather(void* all, const std::vector<size_t>& starts) override {
    if (starts.back() > kMostBytes) {
      for (size_t i = 0; i < count(); ++i)
        broadcast(i, static_cast<char*>(all) + starts[i], starts[i + 1] - starts[i]);
      return;
    }
    std::vector<int> sizes, places;
    for (size_t i = 0; i < count(); ++i) {
      sizes.push_back(static_cast<int>(starts[i + 1] - starts[i]));
      places.push_back(static_cast<int>(starts[i]));
    }
    char* bytes = staged(starts.back());
    const size_t own = starts[index()], own_end = starts[index() + 1];
    std::memcpy(bytes + own, static_cast<char*>(all) + own, own_end - own);
    wait([&](MPI_Request& request) {
      return MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, bytes, sizes.data(), places.data(),
                             MPI_BYTE, MPI_COMM_WORLD, &request);
    });
    std::memcpy(all, bytes, own);
    std::memcpy(static_cast<char*>(all) + own_end, bytes + own_end, starts.back() - own_end);
  }

  void send(size_t to, const float* numbers, size_t count) override {
    for (size_t at = 0; at < count; at += kMostBytes / sizeof(float)) {
      const size_t length = std::min(kMostBytes / sizeof(float), count - at);
      check();
      const std::lock_guard lock(mutex_);
      check(MPI_Isend(numbers + at, static_cast<int>(length), MPI_FLOAT, static_cast<int>(to),
                      kNumbers, MPI_COMM_WORLD, &sent_.emplace_back()));
    }
  }

  void receive(size_t from, float* numbers, size_t count) override {
    for (size_t at = 0; at < count; at += kMostBytes / sizeof(float)) {
      const size_t length = std::min(kMostBytes / sizeof(float), count - at);
      char* bytes = staged(length * sizeof(float));
      wait([&](MPI_Request& request) {
        return MPI_Irecv(bytes, static_cast<int>(length), MPI_FLOAT, static_cast<int>(from),
                         kNumbers, MPI_COMM_WORLD, &request);
      });
      std::memcpy(numbers + at, bytes, length * sizeof(float));
    }
  }

  void finish() override {
    for (MPI_Request& request : sent_) wait(request);
    sent_.clear();
  }

  void broadcast(size_t from, void* bytes, size_t size) override {
    for (size_t at = 0; at < size; at += kMostBytes) {
      const size_t length = std::min(kMostBytes, size - at);
      char* piece = staged(length);
      if (from == index()) std::memcpy(piece, static_cast<char*>(bytes) + at, length);
      wait([&](MPI_Request& request) {
        return MPI_Ibcast(piece, static_cast<int>(length), MPI_BYTE, static_cast<int>(from),
                          MPI_COMM_WORLD, &request);
      });
      if (from != index()) std::memcpy(static_cast<char*>(bytes) + at, piece, length);
    }
  }

  void sum(float* numbers, size_t count) override {
    for (size_t at = 0; at < count; at += kMostBytes / sizeof(float)) {
      const size_t length = std::min(kMostBytes / sizeof(float), count - at);
      add_up(numbers + at, length, sizeof(float), MPI_FLOAT, MPI_SUM);
    }
  }

  using Ranks::largest;
  void largest(int64_t* numbers, size_t count) override {
    add_up(numbers, count, sizeof(int64_t), MPI_INT64_T, MPI_MAX);
  }

  void fail(ExitCode code, const std::string& message) override {
    const std::lock_guard lock(mutex_);
    if (lost_) return;  // they know already
    Note note;
    note.rank = rank_;
    note.code = code;
    message.copy(note.text.data(), note.text.size() - 1);
    lost_ = true;  // nothing waits for others any more
    failure_ = note;
    failed_at_ = Clock::now();
  }

  void leave(int code) override {
    // The first, which speaks for all, cannot.
    if (lost_ && failure_.rank == 0 && failure_.is_silent && rank_ == 1) tell_failure();
    // All end together where they can: MPI takes a process that only goes for a crash.
    bool all_left = false;
    if (!lost_ || is_told_everywhere()) {
      MPI_Request request{};
      {
        const std::lock_guard lock(mutex_);
        MPI_Ibarrier(life_, &request);
      }
      const auto end = Clock::now() + kFarewell;
      while (!all_left && Clock::now() < end) {
        int done = 0;
        {
          const std::lock_guard lock(mutex_);
          MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        }
        all_left = done != 0;
        if (!all_left) std::this_thread::sleep_for(1ms);
      }
    }
    is_leaving_ = true;
    life_thread_.join();
    if (!all_left) MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
  }

 private:
  // Whether the others know why this one fails.
  bool is_told_everywhere() {
    const auto end = Clock::now() + 2 * kBeat;
    while (Clock::now() < end && !told_) std::this_thread::sleep_for(5ms);
    return told_;
  }

  static void check(int error) {
    if (error == MPI_SUCCESS) return;
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    MPI_Error_string(error, text.data(), &length);
    throw Error(ExitCode::kFailed, fmt::format("MPI: {}", text.data()));
  }

  // Throws where another rank has failed or is lost.
  void check() {
    if (!lost_) return;
    const std::lock_guard lock(mutex_);
    throw Error(failure_.code, words(failure_));
  }

  std::string words(const Note& note) const {
    const std::string who = rank_name(*this, static_cast<size_t>(note.rank));
    if (!note.is_silent) return fmt::format("{}: {}", who, note.text.data());
    return fmt::format("{} has not answered for {} s: it hangs, or it or its machine is gone", who,
                       std::chrono::duration_cast<std::chrono::seconds>(kSilence).count());
  }

  // What MPI writes to. It may still do so once the caller has gone by an error, and its own memory
  // with it.
  char* staged(size_t size) {
    if (staged_.size() < size) staged_.resize(size);
    return staged_.data();
  }

  void add_up(void* numbers, size_t count, size_t size, MPI_Datatype type, MPI_Op operation) {
    char* bytes = staged(count * size);
    std::memcpy(bytes, numbers, count * size);
    wait([&](MPI_Request& request) {
      return MPI_Iallreduce(MPI_IN_PLACE, bytes, static_cast<int>(count), type, operation,
                            MPI_COMM_WORLD, &request);
    });
    std::memcpy(numbers, bytes, count * size);
  }

  template <class Begin>
  void wait(const Begin& begin) {
    MPI_Request request{};
    check();
    {
      const std::lock_guard lock(mutex_);
      check(begin(request));
    }
    wait(request);
  }  // NOLINT(clang-analyzer-optin.mpi.MPI-Checker): wait asks until it is done

  void wait(MPI_Request& request) {
    for (int times = 0;; ++times) {
      int done = 0;
      {
        const std::lock_guard lock(mutex_);
        check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
      }
      if (done) return;
      check();
      if (times < kSpins) continue;
      if (times < kOffers) {
        sched_yield();
      } else {
        const timespec pause{0, 50000};
        nanosleep(&pause, nullptr);
      }
    }
  }

  // Gives signs of life and looks for those of others: all to the first, the first to all.
  void live() {
    std::vector<int> others;
    for (int i = rank_ == 0 ? 1 : 0; i < (rank_ == 0 ? size_ : 1); ++i) others.push_back(i);
    std::vector<std::pair<MPI_Request, std::unique_ptr<Note>>> under_way;
    Clock::time_point next = Clock::now();
    const auto post = [&](int to, const Note& note, int tag) {
      auto& [request, kept] = under_way.emplace_back();
      kept = std::make_unique<Note>(note);
      MPI_Isend(kept.get(), tag == kSign ? 0 : static_cast<int>(sizeof(Note)), MPI_BYTE, to, tag,
                life_, &request);
    };
    bool told = false;
    Clock::time_point last = Clock::now();
    while (!is_leaving_) {
      {
        const std::lock_guard lock(mutex_);
        take_notes();
        const auto now = Clock::now();
        // This process was stopped, and the others perhaps with it.
        if (now - last > kSilence / 2) heard_.assign(count(), now);
        last = now;
        if (!lost_) {
          for (const int other : others) {
            if (now - heard_[static_cast<size_t>(other)] < kSilence) continue;
            failure_ = Note{};
            failure_.rank = other;
            failure_.is_silent = true;
            failed_at_ = now;
            lost_ = true;
            break;
          }
        }
        if (lost_ && !told) {
          told = true;
          for (const int other : others) {
            if (other != failure_.rank) post(other, failure_, kNote);
          }
        }
        if (now >= next) {
          next = now + kBeat;
          // One that is not taken is not followed by more.
          if (under_way.size() < 8 * count())
            for (const int other : others) post(other, Note{}, kSign);
        }
        for (auto it = under_way.begin(); it != under_way.end();) {
          int done = 0;
          MPI_Test(&it->first, &done, MPI_STATUS_IGNORE);
          it = done ? under_way.erase(it) : it + 1;
        }
        told_ = told && under_way.empty();
        if (lost_ && failure_.rank != rank_ && now - failed_at_ > kGrace) end_at_once();
      }
      std::this_thread::sleep_for(20ms);
    }
  }

  void take_notes() {
    for (;;) {
      int there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, life_, &there, &status);
      if (!there) return;
      Note note;
      MPI_Recv(&note, sizeof note, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, life_, &status);
      heard_[static_cast<size_t>(status.MPI_SOURCE)] = Clock::now();
      if (status.MPI_TAG != kNote || lost_) continue;
      failure_ = note;
      failed_at_ = Clock::now();
      lost_ = true;
    }
  }

  void tell_failure() const {
    const std::string text = "error: " + words(failure_) + "\n";
    [[maybe_unused]] const auto ignored = write(STDERR_FILENO, text.data(), text.size());
  }

  // The main thread computes, or waits for something else than another rank.
  [[noreturn]] void end_at_once() {
    if (rank_ == 0 || failure_.rank == 0) tell_failure();
    std::_Exit(static_cast<int>(failure_.code));
  }

  int rank_ = 0, size_ = 1;
  std::vector<std::string> hosts_;
  MPI_Comm life_{};   // for signs of life and notes
  std::mutex mutex_;  // of all calls of MPI, and of what follows
  std::deque<MPI_Request> sent_;
  std::vector<char> staged_;
  std::vector<Clock::time_point> heard_;
  Note failure_;
  Clock::time_point failed_at_;
  std::atomic<bool> lost_ = false, told_ = false, is_leaving_ = false;
  std::thread life_thread_;
};

}  // namespace
}  // namespace vitrine

extern "C" vitrine::Ranks* vitrine_make_ranks() { return new vitrine::MpiRanks(); }
