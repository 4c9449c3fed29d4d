#include <fmt/format.h>

#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// What is added on each side.
struct Margins {
  int64_t left, top, right, bottom;
};

struct Options {
  std::vector<int64_t> padding = {4}, fill = {0};
  std::string padding_mode = "constant";

  void visit(Fields& field) {
    field("padding", padding,
          "pixels that are added on each side: one number, [sides, top and bottom], or [left, top, "
          "right, bottom]",
          at_least(0))
        .words({"pad"});
    field("fill", fill, "what constant padding is: a value, or one a channel", between(0, 255));
    field("padding_mode", padding_mode,
          "constant; edge repeats the last pixel; reflect mirrors behind it, symmetric with it",
          one_of({"constant", "edge", "reflect", "symmetric"}));
  }
  void check(const TransformContext& images, Check& check) const {
    check_fill("fill", fill, images, check);
    const bool is_default = fill == Options().fill;
    if (padding_mode != "constant" && !is_default)
      check.no_effect("fill", "padding_mode is " + padding_mode);
    if (padding.size() != 1 && padding.size() != 2 && padding.size() != 4)
      return check.error({"padding"},
                         fmt::format("padding takes 1, 2 or 4 numbers, got {}", padding.size()));
    const Margins all = margins();
    if (all.left + all.right + all.top + all.bottom == 0)
      return check.error({"padding"}, "padding: without any, each crop is the whole image");
    if (std::max(all.left, all.right) < images.width &&
        std::max(all.top, all.bottom) < images.height)
      return;
    check.error({"padding"}, fmt::format("padding: on images of {} x {} it must be smaller than "
                                         "they are",
                                         images.height, images.width));
  }
  Margins margins() const {
    const auto at = [&](size_t i) { return padding[i % padding.size()]; };
    return {at(0), at(1), at(2), at(3)};
  }
  PadMode mode() const {
    return padding_mode == "edge"        ? PadMode::kEdge
           : padding_mode == "reflect"   ? PadMode::kReflect
           : padding_mode == "symmetric" ? PadMode::kSymmetric
                                         : PadMode::kConstant;
  }
};

class RandomCrop : public ImageTransform {
 public:
  RandomCrop(const Options& options, const TransformContext& context)
      : ImageTransform(context),
        margins_(options.margins()),
        mode_(options.mode()),
        fill_(fill_of(options.fill, context.channels)) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    const int64_t y = draws.integer(0, margins_.top + margins_.bottom) - margins_.top;
    const int64_t x = draws.integer(0, margins_.left + margins_.right) - margins_.left;
    return crop(image, x, y, image.width, image.height, mode_, fill_);
  }

 private:
  Margins margins_;
  PadMode mode_;
  Fill fill_;
};

VITRINE_REGISTER(Transform, RandomCrop, Options,
                 "pads images and takes a part of their size, anywhere")

}  // namespace
}  // namespace vitrine
