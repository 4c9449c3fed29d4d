#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/attention.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  bool qkv_bias = true;
  double dropout = 0;

  void visit(Fields& field) {
    field("qkv_bias", qkv_bias, "whether q, k and v have a bias").words({"bias"});
    field("dropout", dropout, "probability that a token's share of attention is zeroed",
          from_below(0, 1))
        .words({"drop"});
  }
};

// Vaswani et al. 2017, "Attention is all you need".
class MultiHeadAttention : public Attention {
 public:
  MultiHeadAttention(const Options& options, const PartContext& context)
      : n_heads_(context.n_heads), dropout_(options.dropout) {
    const int64_t d = context.hidden_d;
    qkv_ = register_module(
        "qkv", torch::nn::Linear(torch::nn::LinearOptions(d, 3 * d).bias(options.qkv_bias)));
    projection_ = register_module("projection", torch::nn::Linear(d, d));
  }

  Tensor forward(const Tensor& x, int64_t n_queries) override {
    const double dropout = is_training() ? dropout_ : 0;
    if (n_queries == x.size(1))
      return projection_->forward(attention(split(qkv_->forward(x), 3), dropout));
    const int64_t d = x.size(2);
    const Tensor q = split(part(x.narrow(1, 0, n_queries), 0, d), 1)[0];
    return projection_->forward(attention(q, split(part(x, d, 2 * d), 2), dropout));
  }

  Tensor probabilities(const Tensor& x) override {
    const Tensor qkv = split(qkv_->forward(x), 3);
    const double scale = std::sqrt(static_cast<double>(qkv.size(-1)));
    return at::softmax(at::matmul(qkv[0], qkv[1].transpose(-1, -2)) / scale, -1);
  }

 private:
  // `length` outputs of qkv from `start` on.
  Tensor part(const Tensor& x, int64_t start, int64_t length) const {
    const Tensor bias = qkv_->bias.defined() ? qkv_->bias.narrow(0, start, length) : Tensor();
    return at::linear(x, qkv_->weight.narrow(0, start, length), bias);
  }

  Tensor split(const Tensor& x, int64_t count) const {  // [B, n, count * D] -> [count, B, H, n, d]
    return x.unflatten(2, {count, n_heads_, x.size(2) / count / n_heads_}).permute({2, 0, 3, 1, 4});
  }

  int64_t n_heads_;
  double dropout_;
  torch::nn::Linear qkv_{nullptr}, projection_{nullptr};
};

VITRINE_REGISTER(Attention, MultiHeadAttention, Options,
                 "one linear layer to q, k and v of all heads, and one after them")

}  // namespace
}  // namespace vitrine
