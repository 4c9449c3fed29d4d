#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  std::optional<int64_t> hidden;

  void visit(Fields& field) {
    field("hidden", hidden, "hidden width; null is hidden_d", between(1, 1'000'000));
  }
};

class MlpHead : public Head {
 public:
  MlpHead(const Options& options, const HeadContext& context) {
    const int64_t hidden = options.hidden.value_or(context.hidden_d);
    fc1_ = register_module("fc1", torch::nn::Linear(context.hidden_d, hidden));
    fc2_ = register_module("fc2", torch::nn::Linear(hidden, context.classes));
  }

  Tensor forward(const Tensor& x) override { return fc2_->forward(at::gelu(fc1_->forward(x))); }

 private:
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
};

VITRINE_REGISTER(Head, MlpHead, Options, "two linear layers with a GELU between them; gives logits")

}  // namespace
}  // namespace vitrine
