#include "datasets/image_operations.h"
#include "framework/data/image_transform.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double p = 0.5;
  std::string direction = "horizontal";
  bool force = false;

  void visit(Fields& field) {
    field("p", p, "probability", between(0, 1));
    field("direction", direction,
          "horizontal: left and right change places; vertical: top and "
          "bottom",
          one_of({"horizontal", "vertical"}));
    field("force", force, "flip also where classes do not survive it, as digits and letters");
  }
  void check(const TransformContext& images, Check& check) const {
    if (force && !images.flips_change_classes)
      check.no_effect("force", "flipped images of this data set keep their classes");
    if (force || !images.flips_change_classes) return;
    check.error({"type"},
                "flip: flipped images of this data set are not of their classes, as a flipped 2 is "
                "no 2; {type: flip, force: true} flips them all the same");
  }
};

class Flip : public ImageTransform {
 public:
  Flip(const Options& options, const TransformContext& context)
      : ImageTransform(context), options_(options) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    if (draws.uniform() >= options_.p) return image;
    return options_.direction == "vertical" ? flip_vertically(std::move(image))
                                            : flip_horizontally(std::move(image));
  }

 private:
  Options options_;
};

VITRINE_REGISTER(Transform, Flip, Options, "flips images left to right, or upside down")

}  // namespace
}  // namespace vitrine
