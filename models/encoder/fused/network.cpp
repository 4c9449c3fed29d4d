#include "models/encoder/fused/network.h"

#include <algorithm>

namespace vitrine::fused {
namespace {

// Hands out one range after the other.
class Allocator {
 public:
  size_t operator()(size_t count) {
    const size_t start = size_;
    size_ += count;
    return start;
  }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
};

}  // namespace

GroupState group_state(const Network& net) {
  GroupState out;
  Allocator take;
  const size_t tokens = net.tokens(), all = tokens * net.d;
  for (size_t i = 0; i < net.blocks.size(); ++i) {
    const size_t n = net.outputs_of(i), some = n * net.d;
    BlockState s;
    s.x = take(all);
    s.mean1 = take(tokens);
    s.scale1 = take(tokens);
    s.q = take(some);
    s.k = take(all);
    s.v = take(all);
    s.maximum = take(net.heads * tokens);
    s.inverse = take(net.heads * tokens);
    s.o = take(some);
    s.y = take(some);
    s.mean2 = take(n);
    s.scale2 = take(n);
    s.g = take(n * net.hidden);
    s.slope = take(n * net.hidden);
    out.blocks.push_back(s);
  }
  const size_t n = net.outputs_of(net.blocks.size() - 1);
  out.out = take(n * net.d);
  out.mean = take(n);
  out.scale = take(n);
  out.shares = take(n * net.tasks);
  out.size = take.size();
  return out;
}

Scratch scratch_of(const Network& net) {
  constexpr size_t kRows = 4;  // queries whose scores and their gradients are held at once
  Scratch out;
  Allocator take;
  const size_t tokens = net.tokens(), all = tokens * net.d;
  out.patches = take(net.pixels());
  out.h = take(all);
  out.z = take(all);
  out.scores = take(2 * kRows * tokens);
  out.dx = take(all);
  out.dz = take(all);
  out.dq = take(all);
  out.dk = take(all);
  out.dv = take(all);
  out.dh = take(tokens * std::max(net.hidden, net.tasks));
  out.pooled = take(net.tasks * net.d);
  out.size = take.size();
  return out;
}

}  // namespace vitrine::fused
