#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double p = 0.1;

  void visit(Fields& field) { field("p", p, "probability", between(0, 1)); }
  void check(const TransformContext& images, Check& check) const {
    if (images.channels == 1) return check.error({"type"}, "grayscale: the images are grey");
    check_has_colours(images, check);
  }
};

class Grayscale : public ImageTransform {
 public:
  Grayscale(const Options& options, const TransformContext& context)
      : ImageTransform(context), p_(options.p) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    return draws.uniform() < p_ ? to_grey(std::move(image)) : image;
  }

 private:
  double p_;
};

VITRINE_REGISTER(Transform, Grayscale, Options, "makes images grey, in three equal channels")

}  // namespace
}  // namespace vitrine
