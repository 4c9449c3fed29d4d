#include <torch/nn/modules/container/modulelist.h>

#include "framework/registry/register.h"
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
// each for q, k and v.
class PerHeadAttention : public Attention {
 public:
  PerHeadAttention(const Options& options, const PartContext& context) : context_(context) {
    for (const char* name : {"q", "k", "v"}) add_maps(name);
    if (options.output_projection)
      projection_ = add("projection", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override {
    const int64_t d = context_.hidden_d, heads = context_.n_heads;
    const Value qkv = grouped_linear(x, heads, weights_, biases_);
    Value q = columns(qkv, 0, d), k = columns(qkv, d, d);
    const Value v = columns(qkv, 2 * d, d);
    if (context_.position) {
      q = context_.position->turned(q, heads);
      k = context_.position->turned(k, heads);
    }
    named("probabilities", [&] { return attention_probabilities(q, k, heads); });
    const Value out = attention(q, k, v, heads);
    return projection_ ? (*projection_)(out) : out;
  }

 private:
  void add_maps(const char* name) {
    torch::nn::ModuleList heads;
    const int64_t width = context_.hidden_d / context_.n_heads;
    for (int64_t head = 0; head < context_.n_heads; ++head) {
      torch::nn::Linear linear(width, width);
      heads->push_back(linear);
      weights_.push_back(linear->weight);
      biases_.push_back(linear->bias);
    }
    register_module(name, heads);
  }

  PartContext context_;
  std::vector<Tensor> weights_, biases_;  // of q's heads, then k's, then v's: [d, d], [d]
  std::shared_ptr<Linear> projection_;
};

VITRINE_REGISTER(Attention, PerHeadAttention, Options,
                 "each head maps its own slice to q, k and v, as the tutorial has it")

}  // namespace
}  // namespace vitrine
