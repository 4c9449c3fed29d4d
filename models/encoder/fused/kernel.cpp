// Compiled once for each instruction set; the best one is picked as the program runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/encoder/fused/kernel.cpp"
#include "framework/simd/targets.h"
// After it:
#include <cstring>

#include "models/encoder/fused/images-inl.h"
#include "models/encoder/fused/layers-inl.h"
#include "models/encoder/fused/network.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::fused::HWY_NAMESPACE {
namespace {

constexpr float kLog2E = 1.44269504f, kLn2 = 0.69314718f;

// One group's way through the network.
class Pass {
 public:
  Pass(const Network& net, const Input& input, const Group& group)
      : net_(net),
        input_(input),
        group_(group),
        state_(group_state(net)),
        scratch_(scratch_of(net)) {}

  void forward(float* pooled) {
    load_input();
    for (size_t i = 0; i < net_.blocks.size(); ++i) block_forward(i);
    pool(pooled);
  }

  void backward(const float* pooled_gradients, float* gradients, float* token_gradients) {
    gradients_ = gradients;
    load_gradients(pooled_gradients);
    pool_backward();
    for (size_t i = net_.blocks.size(); i-- > 0;) block_backward(i);
    input_backward(token_gradients);
  }

 private:
  float* state(size_t at) const { return group_.state + at * N; }
  float* scratch(size_t at) const { return group_.scratch + at * N; }
  float* input_of(size_t block) const {
    return state(block < state_.blocks.size() ? state_.blocks[block].x : state_.out);
  }

  void load_input() const {
    const size_t special = net_.special_tokens.size(), d = net_.d;
    float* x = input_of(0);
    for (size_t t = 0; t < special; ++t) {
      for (size_t i = 0; i < d; ++i)
        store(all(net_.special_tokens[t].values[i]), x + (t * d + i) * N);
    }
    float* patches = x + special * d * N;
    if (input_.tokens) {
      load_rows(input_.tokens, net_.patches() * d, group_, net_.patches() * d, patches);
    } else {
      load_patches(net_, input_, group_, scratch(scratch_.patches));
      linear(net_.embedding, scratch(scratch_.patches), net_.patch_pixels(), patches, d,
             net_.patches());
    }
    if (!net_.positions.values) return;
    for (size_t i = 0; i < net_.tokens() * d; ++i)
      store(hn::Add(load(x + i * N), all(net_.positions.values[i])), x + i * N);
  }

  void input_backward(float* token_gradients) const {
    const size_t special = net_.special_tokens.size(), d = net_.d;
    const float* dx = scratch(scratch_.dx);
    for (size_t t = 0; t < special; ++t) {
      if (net_.special_tokens[t].gradient != kNoGradient)
        summed_columns(gradients_ + net_.special_tokens[t].gradient, dx + t * d * N, d, d, 1);
    }
    if (net_.positions.gradient != kNoGradient) {
      const size_t n = net_.tokens() * d;
      summed_columns(gradients_ + net_.positions.gradient, dx, n, n, 1);
    }
    const float* patches = dx + special * d * N;
    if (token_gradients)
      store_rows(patches, net_.patches() * d, group_, token_gradients, net_.patches() * d);
    if (input_.tokens) return;
    load_patches(net_, input_, group_, scratch(scratch_.patches));
    linear_gradients(net_.embedding, scratch(scratch_.patches), net_.patch_pixels(), patches, d,
                     net_.patches(), gradients_);
  }

  Head head_of(const BlockState& s, size_t head) const {
    const size_t width = net_.d / net_.heads, at = head * width;
    return {state(s.q + at),
            state(s.k + at),
            state(s.v + at),
            state(s.o + at),
            state(s.maximum + head * net_.tokens()),
            state(s.inverse + head * net_.tokens()),
            net_.d,
            width,
            net_.tokens()};
  }
  float attention_scale() const { return 1 / std::sqrt(static_cast<float>(net_.d / net_.heads)); }

  void block_forward(size_t index) const {
    const Block& block = net_.blocks[index];
    const BlockState& s = state_.blocks[index];
    const size_t d = net_.d, tokens = net_.tokens(), n = net_.outputs_of(index);
    const float* x = state(s.x);
    float *z = scratch(scratch_.z), *y = state(s.y), *out = input_of(index + 1), *g = state(s.g);
    norm(block.norm1, x, d, tokens, state(s.mean1), state(s.scale1), z);
    for (const Linear& l : block.q) linear(l, z, d, state(s.q), d, n);
    for (const Linear& l : block.k) linear(l, z, d, state(s.k), d, tokens);
    for (const Linear& l : block.v) linear(l, z, d, state(s.v), d, tokens);
    scale_all(state(s.q), attention_scale() * kLog2E, n * d);
    for (size_t head = 0; head < net_.heads; ++head)
      attend(head_of(s, head), n, scratch(scratch_.scores));

    if (block.projection.out > 0) {
      std::memcpy(y, x, n * d * N * sizeof(float));
      add_linear(block.projection, state(s.o), d, y, d, n);
    } else {
      const float* o = state(s.o);
      for (size_t i = 0; i < n * d * N; i += N) store(hn::Add(load(x + i), load(o + i)), y + i);
    }
    norm(block.norm2, y, d, n, state(s.mean2), state(s.scale2), z);
    linear(block.fc1, z, d, g, net_.hidden, n);
    gelu_all(g, state(s.slope), n * net_.hidden);
    std::memcpy(out, y, n * d * N * sizeof(float));
    add_linear(block.fc2, g, net_.hidden, out, d, n);
  }

  // scratch dx: the gradient of the block's output, and then of its input.
  void block_backward(size_t index) const {
    const Block& block = net_.blocks[index];
    const BlockState& s = state_.blocks[index];
    const size_t d = net_.d, hidden = net_.hidden, tokens = net_.tokens();
    const size_t n = net_.outputs_of(index);
    float *dx = scratch(scratch_.dx), *dz = scratch(scratch_.dz), *dh = scratch(scratch_.dh);
    float *h = scratch(scratch_.h), *z = scratch(scratch_.z);
    linear_gradients(block.fc2, state(s.g), hidden, dx, d, n, gradients_);
    linear_input<false>(block.fc2, dx, d, dh, hidden, n);
    multiply_all(dh, state(s.slope), n * hidden);
    norm_again(block.norm2, state(s.y), d, n, state(s.mean2), state(s.scale2), h, z);
    linear_gradients(block.fc1, z, d, dh, hidden, n, gradients_);
    linear_input<false>(block.fc1, dh, hidden, dz, d, n);
    norm_backward(block.norm2, h, state(s.scale2), dz, d, n, dx, gradients_);

    const float* dout = dx;  // of the heads' outputs
    if (block.projection.out > 0) {
      linear_gradients(block.projection, state(s.o), d, dx, d, n, gradients_);
      linear_input<false>(block.projection, dx, d, dz, d, n);
      dout = dz;
    }
    attention_backward(s, dout, n);
    norm_again(block.norm1, state(s.x), d, tokens, state(s.mean1), state(s.scale1), h, z);
    std::memset(dx + n * d * N, 0, (tokens - n) * d * N * sizeof(float));
    std::memset(dz, 0, tokens * d * N * sizeof(float));
    maps_backward(block.q, scratch(scratch_.dq), n);
    maps_backward(block.k, scratch(scratch_.dk), tokens);
    maps_backward(block.v, scratch(scratch_.dv), tokens);
    norm_backward(block.norm1, h, state(s.scale1), dz, d, tokens, dx, gradients_);
  }

  void attention_backward(const BlockState& s, const float* dout, size_t n) const {
    const size_t d = net_.d, size = net_.tokens() * d, width = d / net_.heads;
    float *dq = scratch(scratch_.dq), *dk = scratch(scratch_.dk), *dv = scratch(scratch_.dv);
    std::memset(dk, 0, size * N * sizeof(float));
    std::memset(dv, 0, size * N * sizeof(float));
    for (size_t head = 0; head < net_.heads; ++head) {
      const size_t at = head * width * N;
      attend_backward(head_of(s, head), {dout + at, dq + at, dk + at, dv + at}, n,
                      scratch(scratch_.scores));
    }
    scale_all(dq, attention_scale(), n * d);
    scale_all(dk, kLn2, size);
  }

  void maps_backward(const std::vector<Linear>& maps, const float* dout, size_t n) const {
    for (const Linear& l : maps) {
      linear_gradients(l, scratch(scratch_.z), net_.d, dout, net_.d, n, gradients_);
      linear_input<true>(l, dout, net_.d, scratch(scratch_.dz), net_.d, n);
    }
  }

  // --- after the last block

  size_t n_out() const { return net_.outputs_of(net_.blocks.size() - 1); }

  // The tokens that pooling reads; `h` of their norm where there is one is left in the scratch.
  const float* normed_output(bool again) const {
    const float* x = state(state_.out);
    if (!net_.has_final_norm) return x;
    float *mean = state(state_.mean), *scale = state(state_.scale), *z = scratch(scratch_.z);
    if (again) {
      norm_again(net_.final_norm, x, net_.d, n_out(), mean, scale, scratch(scratch_.h), z);
    } else {
      norm(net_.final_norm, x, net_.d, n_out(), mean, scale, z);
    }
    return z;
  }

  void pool(float* pooled) const {
    const size_t d = net_.d, tasks = net_.tasks, n = n_out();
    const float* x = normed_output(false);
    float *out = scratch(scratch_.pooled), *shares = state(state_.shares);
    switch (net_.pooling) {
      case Pooling::kSpecialTokens:
        std::memcpy(out, x, tasks * d * N * sizeof(float));
        break;
      case Pooling::kMean:
        for (size_t i = 0; i < d; ++i) {
          V sum = zero();
          for (size_t t = 0; t < n; ++t) sum = hn::Add(sum, load(x + (t * d + i) * N));
          sum = hn::Mul(sum, all(1.0f / static_cast<float>(n)));
          for (size_t task = 0; task < tasks; ++task) store(sum, out + (task * d + i) * N);
        }
        break;
      case Pooling::kAttention:
        linear(net_.scores, x, d, shares, tasks, n);
        softmax_over_tokens(shares, tasks, n);
        product<false, false>(target(out, d), vectors(shares, 1, tasks), vectors(x, 1, d), tasks, d,
                              n);
        break;
    }
    store_rows(out, tasks * d, group_, pooled, tasks * d);
  }

  static void softmax_over_tokens(float* x, size_t tasks, size_t n) {
    for (size_t task = 0; task < tasks; ++task) {
      float* p = x + task * N;
      V maximum = all(-1e30f), sum = zero();
      for (size_t t = 0; t < n; ++t) maximum = hn::Max(maximum, load(p + t * tasks * N));
      for (size_t t = 0; t < n; ++t) {
        float* at = p + t * tasks * N;
        const V e = exp2(hn::Mul(hn::Sub(load(at), maximum), all(kLog2E)));
        sum = hn::Add(sum, e);
        store(e, at);
      }
      for (size_t t = 0; t < n; ++t) {
        float* at = p + t * tasks * N;
        store(hn::Div(load(at), sum), at);
      }
    }
  }

  // Lanes without an image have no gradient, so nothing of theirs is added anywhere.
  void load_gradients(const float* pooled_gradients) const {
    const size_t n = net_.tasks * net_.d;
    float* to = scratch(scratch_.pooled);
    std::memset(to, 0, n * N * sizeof(float));
    const float* from = pooled_gradients + group_.first * n;
    for (size_t lane = 0; lane < group_.count; ++lane) {
      for (size_t i = 0; i < n; ++i) to[i * N + lane] = from[lane * n + i];
    }
  }

  void pool_backward() const {
    const size_t d = net_.d, tasks = net_.tasks, n = n_out();
    const float *x = normed_output(true), *dout = scratch(scratch_.pooled);
    float* dx = scratch(scratch_.dx);
    float* to = net_.has_final_norm ? scratch(scratch_.dz) : dx;
    switch (net_.pooling) {
      case Pooling::kSpecialTokens:
        std::memcpy(to, dout, tasks * d * N * sizeof(float));
        break;
      case Pooling::kMean:
        for (size_t i = 0; i < d; ++i) {
          V sum = zero();
          for (size_t task = 0; task < tasks; ++task)
            sum = hn::Add(sum, load(dout + (task * d + i) * N));
          sum = hn::Mul(sum, all(1.0f / static_cast<float>(n)));
          for (size_t t = 0; t < n; ++t) store(sum, to + (t * d + i) * N);
        }
        break;
      case Pooling::kAttention:
        attention_pool_backward(x, dout, to);
        break;
    }
    if (!net_.has_final_norm) return;
    std::memset(dx, 0, n * d * N * sizeof(float));
    norm_backward(net_.final_norm, scratch(scratch_.h), state(state_.scale), to, d, n, dx,
                  gradients_);
  }

  void attention_pool_backward(const float* x, const float* dout, float* to) const {
    const size_t d = net_.d, tasks = net_.tasks, n = n_out();
    const float* shares = state(state_.shares);
    float* ds = scratch(scratch_.dh);  // [n][tasks]
    product<false, false>(target(ds, tasks), vectors(x, d, 1), vectors(dout, d, 1), n, tasks, d);
    for (size_t task = 0; task < tasks; ++task) {
      V mean = zero();
      for (size_t t = 0; t < n; ++t) {
        const size_t at = (t * tasks + task) * N;
        mean = hn::MulAdd(load(shares + at), load(ds + at), mean);
      }
      for (size_t t = 0; t < n; ++t) {
        const size_t at = (t * tasks + task) * N;
        store(hn::Mul(load(shares + at), hn::Sub(load(ds + at), mean)), ds + at);
      }
    }
    product<false, false>(target(to, d), vectors(shares, tasks, 1), vectors(dout, 1, d), n, d,
                          tasks);
    linear_gradients(net_.scores, x, d, ds, tasks, n, gradients_);
    linear_input<true>(net_.scores, ds, tasks, to, d, n);
  }

  const Network& net_;
  const Input& input_;
  const Group& group_;
  GroupState state_;
  Scratch scratch_;
  float* gradients_ = nullptr;
};

}  // namespace

size_t Size() { return N; }
const char* Name() { return hwy::TargetName(HWY_TARGET); }
void Forward(const Network& network, const Input& input, const Group& group, float* pooled) {
  Pass(network, input, group).forward(pooled);
}
void Backward(const Network& network, const Input& input, const Group& group,
              const float* pooled_gradients, float* gradients, float* token_gradients) {
  Pass(network, input, group).backward(pooled_gradients, gradients, token_gradients);
}

}  // namespace vitrine::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::fused {

HWY_EXPORT(Size);
HWY_EXPORT(Name);
HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

size_t group_size() { return HWY_DYNAMIC_DISPATCH(Size)(); }
const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(Name)(); }
void forward(const Network& network, const Input& input, const Group& group, float* pooled) {
  HWY_DYNAMIC_DISPATCH(Forward)(network, input, group, pooled);
}
void backward(const Network& network, const Input& input, const Group& group,
              const float* pooled_gradients, float* gradients, float* token_gradients) {
  HWY_DYNAMIC_DISPATCH(Backward)
  (network, input, group, pooled_gradients, gradients, token_gradients);
}

}  // namespace vitrine::fused
#endif
