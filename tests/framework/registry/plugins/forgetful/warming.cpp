#include <cmath>

#include "framework/model/loss.h"
#include "framework/registry/register.h"

// A loss whose temperature follows the losses before, or that looks at the whole batch.
namespace vitrine {
namespace {

struct Options : LossOptions {
  bool of_batch = false;

  void visit(Fields& field) {
    LossOptions::visit(field);
    field("of_batch", of_batch, "whether it subtracts the mean of the batch");
  }
};

class Warming : public Loss {
 public:
  Warming(const Options& options, const LossContext&) : of_batch_(options.of_batch) {}

  Value forward(const Value& output, const Value& target, const Task&) override {
    Tensor x = output.tensor();
    if (of_batch_) x = x - x.mean(0, true);
    const Tensor loss = pick(log_softmax(x * (1 / temperature_)), target).tensor() * -1;
    if (loss.requires_grad()) temperature_ += 0.1;
    return loss;
  }

 private:
  bool of_batch_;
  double temperature_ = 1;
};

VITRINE_REGISTER(Loss, Warming, Options, "grows warmer")

}  // namespace
}  // namespace vitrine
