#include <ATen/ops/zeros.h>

#include <random>

#include "framework/registry/register.h"
#include "models/parts.h"

// An MLP that keeps, or draws, what nobody knows of.
namespace vitrine {
namespace {

struct Options {
  std::string how = "mean";

  void visit(Fields& field) {
    field("how", how, "what it hides",
          one_of({"mean", "engine", "device", "table", "batch", "unused"}));
  }
};

class Moody : public Mlp {
 public:
  Moody(const Options& options, const PartContext& context)
      : how_(options.how), mean_(at::zeros({context.hidden_d})) {
    linear_ = add("linear", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
    if (how_ == "unused") register_parameter("unused", at::zeros({3}));
  }

 protected:
  Value forward(const Value& x) override {
    if (how_ == "unused") return (*linear_)(x);
    const Tensor y = (*linear_)(x.tensor()).tensor();
    if (how_ == "batch") return y - y.mean(0, true);
    if (is_training()) learn(y);
    return how_ == "engine" || how_ == "device" ? y * factor_ : y - mean_;
  }

 private:
  void learn(const Tensor& y) {
    // A table that is never the same as the one of a fresh module.
    mean_ = mean_ * 0.9 + y.detach().flatten(0, -2).mean(0) * 0.1;
    std::uniform_real_distribution<> around(0.9, 1.1);
    if (how_ == "engine") factor_ = around(engine_);
    if (how_ == "device") factor_ = around(device_);
  }

  std::string how_;
  Tensor mean_;
  double factor_ = 1;
  std::mt19937 engine_{0};
  std::random_device device_;
  std::shared_ptr<Linear> linear_;
};

VITRINE_REGISTER(Mlp, Moody, Options, "has a mood")

}  // namespace
}  // namespace vitrine
