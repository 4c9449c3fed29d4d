#include "framework/kernel/allocation.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kLine = 16;  // floats of a cache line
// Elements, so that also rows of numbers begin with a line.
constexpr size_t kAligned = kLine;
// Rows of a multiple of so many elements, and lines, collide: gradients of weights read 8 elements
// at a time of all rows.
constexpr size_t kCollide = 16, kCollidingLines = 8;

template <class Action, class Work>
void for_spots(Action& action, const Work& work) {
  for (auto& operand : action.inputs) work(operand.value), work(operand.gradient);
  work(action.output.value), work(action.output.gradient);
  work(action.addend), work(action.saved), work(action.scratch);
}

// Times at which a buffer is in use, from the first to the last; what is computed again is not in
// use between forward and backward.
struct Span {
  size_t first, last;
  bool meets(const Span& other) const { return first <= other.last && other.first <= last; }
};

struct Placed {
  std::vector<Span> spans;
  size_t begin, end;

  bool is_in_the_way(size_t from, size_t to, const std::vector<Span>& wanted) const {
    if (begin >= to || end <= from) return false;
    return std::any_of(wanted.begin(), wanted.end(), [&](const Span& span) {
      return std::any_of(spans.begin(), spans.end(),
                         [&](const Span& taken) { return span.meets(taken); });
    });
  }
};

// The times of all actions that name each buffer, and the time between forward and backward.
struct Uses {
  std::vector<std::vector<size_t>> of_buffers;
  size_t boundary = 0;

  explicit Uses(const ExecutionPlan& plan) : of_buffers(plan.buffers.size()) {
    note(plan.forward);
    boundary = ++now_;  // outputs are read, and their gradients set
    for (const Spot& spot : plan.outputs) note(spot);
    for (const Spot& spot : plan.output_gradients) note(spot);
    note(plan.backward);
  }

 private:
  void note(const Spot& spot) {
    if (spot.exists()) of_buffers[spot.buffer].push_back(now_);
  }
  void note(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      ++now_;
      for_spots(action, [&](const Spot& spot) { note(spot); });
    }
  }

  size_t now_ = 0;
};

// The lowest place that is free at all these times.
size_t free_place(const std::vector<Placed>& others, size_t size, const std::vector<Span>& spans) {
  size_t begin = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (const Placed& other : others) {
      if (other.is_in_the_way(begin, begin + size, spans)) begin = other.end, moved = true;
    }
  }
  return begin;
}

}  // namespace

void allocate(ExecutionPlan& plan, Pass pass) {
  plan.kept = plan.scratch = 0;
  const Uses all(plan);
  std::vector<size_t> order;
  for (size_t b = 0; b < plan.buffers.size(); ++b) {
    if (!all.of_buffers[b].empty()) order.push_back(b);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return all.of_buffers[a].front() < all.of_buffers[b].front();
  });
  std::vector<Placed> kept, scratch;
  for (const size_t b : order) {
    ExecutionPlan::Buffer& buffer = plan.buffers[b];
    const std::vector<size_t>& uses = all.of_buffers[b];
    std::vector<Span> spans = {{uses.front(), uses.back()}};
    const bool crosses = uses.front() <= all.boundary && uses.back() > all.boundary;
    if (crosses && !buffer.is_needed && uses.front() < all.boundary) {
      const auto split = std::upper_bound(uses.begin(), uses.end(), all.boundary);
      spans = {{uses.front(), *(split - 1)}, {*split, uses.back()}};
    }
    buffer.is_kept = buffer.is_needed && crosses && pass == Pass::kSeparate;
    std::vector<Placed>& others = buffer.is_kept ? kept : scratch;
    size_t& size = buffer.is_kept ? plan.kept : plan.scratch;
    buffer.offset = free_place(others, buffer.size, spans);
    const size_t end = (buffer.offset + buffer.size + kAligned - 1) / kAligned * kAligned;
    others.push_back({spans, buffer.offset, end});
    size = std::max(size, end);
  }
}

void space_rows(ExecutionPlan& plan, Pass pass, size_t unit) {
  const auto for_all_spots = [&](const auto& work) {
    for (std::vector<Action>* actions : {&plan.forward, &plan.backward}) {
      for (Action& action : *actions) {
        if (action.kind != Action::Kind::kZero) for_spots(action, work);  // a buffer, no matrix
      }
    }
    for (Spot& spot : plan.outputs) work(spot);
    for (Spot& spot : plan.output_gradients) work(spot);
  };
  std::vector<size_t> rows(plan.buffers.size());  // elements of the row of each buffer's matrix
  for_all_spots([&](const Spot& spot) {
    if (spot.exists()) rows[spot.buffer] = spot.row;
  });
  const auto spaced = [&](size_t row) {
    const bool collide =
        row > 0 && row % kCollide == 0 && row * unit % (kCollidingLines * kLine) == 0;
    return collide ? row + (kLine + unit - 1) / unit : row;
  };
  for_all_spots([&](Spot& spot) {
    if (spot.row == 0) return;
    spot.offset = spot.offset / spot.row * spaced(spot.row) + spot.offset % spot.row;
    spot.row = spaced(spot.row);
  });
  for (size_t b = 0; b < rows.size(); ++b) {
    size_t& size = plan.buffers[b].size;
    if (rows[b] > 0) size = size / rows[b] * spaced(rows[b]);
  }
  for (Action& action : plan.backward) {
    if (action.kind != Action::Kind::kZero) continue;
    Spot& spot = action.output.gradient;
    spot.row = action.output.shape.columns = plan.buffers[spot.buffer].size;
  }
  allocate(plan, pass);
}

}  // namespace vitrine
