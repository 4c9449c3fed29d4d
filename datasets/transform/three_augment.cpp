#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double threshold = 128;
  std::vector<double> radius = {0.1, 2};

  void visit(Fields& field) {
    field("threshold", threshold, "value from which on solarizing inverts", between(0, 255));
    field("radius", radius, "least and largest deviation of the blur, in pixels", between(0, 100));
  }
  void check(const TransformContext& images, Check& check) const {
    check_has_colours(images, check);
    check_range("radius", radius, check);
  }
};

// Touvron et al. 2022, "DeiT III: Revenge of the ViT". Their colour jitter is a transform of its
// own.
class ThreeAugment : public ImageTransform {
 public:
  ThreeAugment(const Options& options, const TransformContext& context)
      : ImageTransform(context), options_(options) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    const int64_t which = draws.integer(0, 2);
    if (which == 0) return to_grey(std::move(image));
    if (which == 1) return solarize(std::move(image), options_.threshold);
    return gaussian_blur(std::move(image), draws.between(options_.radius[0], options_.radius[1]));
  }

 private:
  Options options_;
};

VITRINE_REGISTER(Transform, ThreeAugment, Options,
                 "makes images grey, solarizes or blurs them, each as likely")

}  // namespace
}  // namespace vitrine
