#include <torch/nn/modules/container/modulelist.h>

#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/attention.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  bool output_projection = false;

  void visit(Fields& field) {
    field("output_projection", output_projection, "a linear layer over the heads' joined outputs")
        .words({"proj", "projection", "out_proj"});
  }
};

// The tutorial's: a head sees only its own slice of the columns, through a Linear(d_head, d_head)
// each for q, k and v. The heads' parameters are apart, but one batched product serves them all.
class PerHeadAttention : public Attention {
 public:
  PerHeadAttention(const Options& options, const PartContext& context)
      : n_heads_(context.n_heads), d_head_(context.hidden_d / context.n_heads) {
    q_ = add("q");
    k_ = add("k");
    v_ = add("v");
    if (options.output_projection) {
      projection_ =
          register_module("projection", torch::nn::Linear(context.hidden_d, context.hidden_d));
    }
  }

  Tensor forward(const Tensor& x, int64_t n_queries) override {
    const Tensor out = n_queries == x.size(1) ? attention(map(x, {&q_, &k_, &v_}))
                                              : attention(map(x.narrow(1, 0, n_queries), {&q_})[0],
                                                          map(x, {&k_, &v_}));
    return projection_ ? projection_->forward(out) : out;
  }

  Tensor probabilities(const Tensor& x) override {
    const Tensor qk = map(x, {&q_, &k_});
    const double scale = std::sqrt(static_cast<double>(d_head_));
    return at::softmax(at::matmul(qk[0], qk[1].transpose(-1, -2)) / scale, -1);
  }

 private:
  struct Mappings {
    std::vector<Tensor> weights, biases;  // of each head: [d, d], [d]
  };

  Mappings add(const char* name) {
    Mappings out;
    torch::nn::ModuleList heads;
    for (int64_t head = 0; head < n_heads_; ++head) {
      torch::nn::Linear linear(d_head_, d_head_);
      heads->push_back(linear);
      out.weights.push_back(linear->weight);
      out.biases.push_back(linear->bias);
    }
    register_module(name, heads);
    return out;
  }

  // [B, n, D] -> [mappings, B, H, n, d], in one product of a matrix a head.
  Tensor map(const Tensor& x, std::initializer_list<const Mappings*> mappings) const {
    const auto count = static_cast<int64_t>(mappings.size());
    std::vector<Tensor> weights, biases;
    for (const Mappings* each : mappings) {
      weights.insert(weights.end(), each->weights.begin(), each->weights.end());
      biases.insert(biases.end(), each->biases.begin(), each->biases.end());
    }
    const auto by_head = [&](const std::vector<Tensor>& parts) {  // [H, count * d, ...]
      return at::stack(parts).unflatten(0, {count, n_heads_}).transpose(0, 1).flatten(1, 2);
    };
    const Tensor slices = x.reshape({-1, n_heads_, d_head_}).transpose(0, 1);  // [H, B * n, d]
    const Tensor mapped =
        at::baddbmm(by_head(biases).unsqueeze(1), slices, by_head(weights).transpose(1, 2));
    return mapped.reshape({n_heads_, x.size(0), x.size(1), count, d_head_})
        .permute({3, 1, 0, 2, 4});
  }

  int64_t n_heads_, d_head_;
  Mappings q_, k_, v_;
  torch::nn::Linear projection_{nullptr};
};

VITRINE_REGISTER(Attention, PerHeadAttention, Options,
                 "each head maps its own slice to q, k and v, as the tutorial has it")

}  // namespace
}  // namespace vitrine
