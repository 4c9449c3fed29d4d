#include "framework/kernel/allocation.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kAligned = 16;  // elements, so that also rows of numbers begin with a cache line

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
      for (const Action::Operand& operand : action.inputs)
        note(operand.value), note(operand.gradient);
      note(action.output.value), note(action.output.gradient);
      note(action.addend), note(action.saved), note(action.scratch);
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
    if (crosses && !buffer.is_kept && uses.front() < all.boundary) {
      const auto split = std::upper_bound(uses.begin(), uses.end(), all.boundary);
      spans = {{uses.front(), *(split - 1)}, {*split, uses.back()}};
    }
    buffer.is_kept = buffer.is_kept && crosses && pass == Pass::kSeparate;
    std::vector<Placed>& others = buffer.is_kept ? kept : scratch;
    size_t& size = buffer.is_kept ? plan.kept : plan.scratch;
    buffer.offset = free_place(others, buffer.size, spans);
    const size_t end = (buffer.offset + buffer.size + kAligned - 1) / kAligned * kAligned;
    others.push_back({spans, buffer.offset, end});
    size = std::max(size, end);
  }
}

}  // namespace vitrine
