#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t hidden = 32;

  void visit(Fields& field) {
    field("hidden", hidden, "width between the two linear layers", between(1, 100'000));
  }
  // Called before anything is built. The context tells the images and how they are cut.
  void check(const Geometry& context, Check& check) const {
    const int64_t pixels = context.channels * context.patch_height() * context.patch_width();
    if (pixels > 1) return;
    check.error({}, "patches of one number leave nothing for two layers to combine");
  }
};

// A small network of two layers on each patch.
class ExampleEmbedding : public Embedding {
 public:
  ExampleEmbedding(const Options& options, const PartContext& context) : context_(context) {
    const int64_t pixels = context.channels * context.patch_height() * context.patch_width();
    fc1_ = add("fc1", std::make_shared<Linear>(pixels, options.hidden));
    fc2_ = add("fc2", std::make_shared<Linear>(options.hidden, context.hidden_d));
  }

 protected:
  Value forward(const Value& images) override {  // [C, H, W] -> [rows * columns, D]
    const Value x = patches(images, context_.rows, context_.columns);
    return (*fc2_)(gelu((*fc1_)(x)));
  }

 private:
  PartContext context_;
  std::shared_ptr<Linear> fc1_, fc2_;
};

VITRINE_REGISTER(Embedding, ExampleEmbedding, Options, "two linear layers on each patch")

}  // namespace
}  // namespace vitrine
