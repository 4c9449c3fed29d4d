#include "framework/model/model.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"
#include "models/heads.h"

// Has more tasks than outputs, or outputs of another width.
namespace vitrine {
namespace {

struct Options : HeadsOptions {
  int64_t outputs = 1, width = 10;

  void visit(Fields& field) {
    ModelOptions::visit(field);
    field("outputs", outputs, "that it makes", at_least(0));
    field("width", width, "of each", at_least(1));
    visit_heads(field);
  }
};

class FewOutputs : public Model {
 public:
  FewOutputs(const Options& options, const ModelContext& images)
      : outputs_(options.outputs), heads_(options, 4, images) {
    const int64_t pixels = images.channels * images.height * images.width;
    linear_ = std::make_shared<Linear>(pixels, options.width);
    adopt(*this, "linear", *linear_, linear_);
  }
  std::vector<Value> forward(const Value& images) override {
    const Value x = (*linear_)(patches(images, 1, 1));
    return std::vector<Value>(static_cast<size_t>(outputs_), x);
  }
  const std::vector<Task>& tasks() const override { return heads_.tasks(); }

 private:
  int64_t outputs_;
  Heads heads_;
  std::shared_ptr<Linear> linear_;
};

VITRINE_REGISTER(Model, FewOutputs, Options, "has not one output a task")

}  // namespace
}  // namespace vitrine
