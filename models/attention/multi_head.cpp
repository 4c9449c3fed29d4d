#include <cmath>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  bool qkv_bias = true;
  double dropout = 0;

  void visit(Fields& field) {
    field("qkv_bias", qkv_bias, "whether q, k and v have a bias");
    field("dropout", dropout, "probability that a token's share of attention is zeroed",
          from_below(0, 1));
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
    const auto [q, k, v] = mapped(x, n_queries);
    const Tensor heads =
        at::scaled_dot_product_attention(q, k, v, {}, is_training() ? dropout_ : 0.0);
    return projection_->forward(heads.transpose(1, 2).reshape({x.size(0), n_queries, x.size(2)}));
  }

  Tensor probabilities(const Tensor& x) override {
    const auto [q, k, v] = mapped(x, x.size(1));
    const double scale = std::sqrt(static_cast<double>(q.size(-1)));
    return at::softmax(at::matmul(q, k.transpose(-1, -2)) / scale, -1);
  }

 private:
  struct Mapped {
    Tensor q, k, v;  // [B, H, n_queries, d], [B, H, N, d], [B, H, N, d]
  };

  Mapped mapped(const Tensor& x, int64_t n_queries) {
    if (n_queries == x.size(1)) {
      const auto all = split(qkv_->forward(x), 3);
      return {all[0], all[1], all[2]};
    }
    const int64_t d = x.size(2);
    const auto kv = split(at::linear(x, qkv_->weight.narrow(0, d, 2 * d), bias(d, 2 * d)), 2);
    const Tensor leading = x.narrow(1, 0, n_queries);
    return {split(at::linear(leading, qkv_->weight.narrow(0, 0, d), bias(0, d)), 1)[0], kv[0],
            kv[1]};
  }

  Tensor bias(int64_t start, int64_t length) const {
    return qkv_->bias.defined() ? qkv_->bias.narrow(0, start, length) : Tensor();
  }

  std::vector<Tensor> split(const Tensor& x,
                            int64_t count) const {  // [B, n, count * D] -> count x [B, H, n, d]
    return x.unflatten(2, {count, n_heads_, x.size(2) / count / n_heads_})
        .permute({2, 0, 3, 1, 4})
        .unbind(0);
  }

  int64_t n_heads_;
  double dropout_;
  torch::nn::Linear qkv_{nullptr}, projection_{nullptr};
};

VITRINE_REGISTER(Attention, MultiHeadAttention, Options,
                 "one linear layer to q, k and v of all heads, and one after them")

}  // namespace
}  // namespace vitrine
