#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  bool qkv_bias = true;
  bool qk_norm = false;
  double dropout = 0;

  void visit(Fields& field) {
    field("qkv_bias", qkv_bias, "whether q, k and v have a bias").words({"bias"});
    field("qk_norm", qk_norm,
          "whether q and k of each head are normalised before they are compared")
        .words({"query_key_norm"});
    field("dropout", dropout, "probability that a token's share of attention is zeroed",
          from_below(0, 1))
        .words({"drop"});
  }
};

// Vaswani et al. 2017, "Attention is all you need"; qk_norm: Dehghani et al. 2023, "Scaling vision
// transformers to 22 billion parameters".
class MultiHeadAttention : public Attention {
 public:
  MultiHeadAttention(const Options& options, const PartContext& context)
      : options_(options), context_(context) {
    const int64_t d = context.hidden_d;
    qkv_ = add("qkv", std::make_shared<Linear>(d, 3 * d, options.qkv_bias));
    if (options.qk_norm) {
      for (const char* name : {"q_norm", "k_norm"}) {
        norms_.push_back(register_parameter(std::string(name) + "_weight", at::ones(head_width())));
        norms_.push_back(register_parameter(std::string(name) + "_bias", at::zeros(head_width())));
      }
    }
    projection_ = add("projection", std::make_shared<Linear>(d, d));
  }

 protected:
  Value forward(const Value& x) override {
    const int64_t d = context_.hidden_d, heads = context_.n_heads;
    const Value qkv = (*qkv_)(x);
    Value q = columns(qkv, 0, d), k = columns(qkv, d, d);
    const Value v = columns(qkv, 2 * d, d);
    if (options_.qk_norm) {
      q = layer_norm(q, norms_[0], norms_[1], kEps, heads);
      k = layer_norm(k, norms_[2], norms_[3], kEps, heads);
    }
    if (context_.position) {
      q = context_.position->turned(q, heads);
      k = context_.position->turned(k, heads);
    }
    named("probabilities", [&] { return attention_probabilities(q, k, heads); });
    return (*projection_)(attention(q, k, v, heads, is_training() ? options_.dropout : 0));
  }

 private:
  static constexpr double kEps = 1e-6;
  int64_t head_width() const { return context_.hidden_d / context_.n_heads; }

  Options options_;
  PartContext context_;
  std::vector<Tensor> norms_;  // weight and bias, of q and of k
  std::shared_ptr<Linear> qkv_, projection_;
};

VITRINE_REGISTER(Attention, MultiHeadAttention, Options,
                 "one linear layer to q, k and v of all heads, and one after them")

}  // namespace
}  // namespace vitrine
