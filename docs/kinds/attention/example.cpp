#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double temperature = 1;

  void visit(Fields& field) {
    field("temperature", temperature, "the larger, the more evenly a token looks at others",
          above(0));
  }
};

// Tokens look at each other in heads, more sharply or more evenly than usual.
class ExampleAttention : public Attention {
 public:
  // Parameters are drawn here, in this order.
  ExampleAttention(const Options& options, const PartContext& context)
      : temperature_(options.temperature), context_(context) {
    const int64_t d = context.hidden_d;
    qkv_ = add("qkv", std::make_shared<Linear>(d, 3 * d));
    projection_ = add("projection", std::make_shared<Linear>(d, d));
  }

 protected:
  Value forward(const Value& x) override {  // [N, D] -> the same
    const int64_t d = context_.hidden_d, heads = context_.n_heads;
    const Value qkv = (*qkv_)(x);
    Value q = columns(qkv, 0, d), k = columns(qkv, d, d);
    const Value v = columns(qkv, 2 * d, d);
    // Some positions turn queries and keys.
    if (context_.position) {
      q = context_.position->turned(q, heads);
      k = context_.position->turned(k, heads);
    }
    q = q * (1 / temperature_);
    // `plot attention` asks for the value of this name.
    named("probabilities", [&] { return attention_probabilities(q, k, heads); });
    return (*projection_)(attention(q, k, v, heads));
  }

 private:
  double temperature_;
  PartContext context_;
  std::shared_ptr<Linear> qkv_, projection_;
};

VITRINE_REGISTER(Attention, ExampleAttention, Options, "attention in heads with a temperature")

}  // namespace
}  // namespace vitrine
