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
    q_ = add_maps("q");
    k_ = add_maps("k");
    v_ = add_maps("v");
    if (options.output_projection)
      projection_ = add("projection", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
  }

 protected:
  Value forward(const Value& x) override {
    const int64_t heads = context_.n_heads;
    Value q = grouped_linear(x, q_.weights, q_.biases);
    Value k = grouped_linear(x, k_.weights, k_.biases);
    const Value v = grouped_linear(x, v_.weights, v_.biases);
    if (context_.position) {
      q = context_.position->turned(q, heads);
      k = context_.position->turned(k, heads);
    }
    named("probabilities", [&] { return attention_probabilities(q, k, heads); });
    const Value out = attention(q, k, v, heads);
    return projection_ ? (*projection_)(out) : out;
  }

 private:
  struct Maps {
    std::vector<Tensor> weights, biases;  // of each head: [d, d], [d]
  };

  Maps add_maps(const char* name) {
    Maps out;
    torch::nn::ModuleList heads;
    const int64_t width = context_.hidden_d / context_.n_heads;
    for (int64_t head = 0; head < context_.n_heads; ++head) {
      torch::nn::Linear linear(width, width);
      heads->push_back(linear);
      out.weights.push_back(linear->weight);
      out.biases.push_back(linear->bias);
    }
    register_module(name, heads);
    return out;
  }

  PartContext context_;
  Maps q_, k_, v_;
  std::shared_ptr<Linear> projection_;
};

VITRINE_REGISTER(Attention, PerHeadAttention, Options,
                 "each head maps its own slice to q, k and v, as the tutorial has it")

}  // namespace
}  // namespace vitrine
