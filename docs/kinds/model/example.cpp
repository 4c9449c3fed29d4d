#include "framework/registry/register.h"
#include "models/heads.h"

namespace vitrine {
namespace {

// The options of every model with heads (weights, head, tasks), and one more.
struct Options : HeadsOptions {
  int64_t hidden = 64;

  void visit(Fields& field) {
    ModelOptions::visit(field);
    field("hidden", hidden, "width of the two hidden layers", between(1, 100'000));
    visit_heads(field);
  }
  void check(const ModelContext& images, Check& check) const {
    check_tasks(images, check);
    check_heads(images, hidden, check.problems());
  }
};

// Two hidden layers on all pixels.
class ExampleModel : public ModelWithHeads {
 public:
  ExampleModel(const Options& options, const ModelContext& images) {
    const int64_t pixels = images.channels * images.height * images.width;
    fc1_ = add("fc1", std::make_shared<Linear>(pixels, options.hidden));
    fc2_ = add("fc2", std::make_shared<Linear>(options.hidden, options.hidden));
    add_heads(options, options.hidden, images);  // last
  }

  // What the heads are given: [1, hidden] of images [C, H, W].
  Value features(const Value& images) override {
    return relu((*fc2_)(relu((*fc1_)(patches(images, 1, 1)))));
  }
  // From the images on, for optimizers that take smaller steps in early layers.
  std::vector<std::vector<std::string>> layers() const override { return {{"fc1"}, {"fc2"}}; }

 private:
  std::shared_ptr<Linear> fc1_, fc2_;
};

VITRINE_REGISTER(Model, ExampleModel, Options, "two hidden layers on all pixels")

}  // namespace
}  // namespace vitrine
