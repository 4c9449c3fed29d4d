#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "framework/data/transform.h"
#include "framework/data/upload.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  int64_t pixels = 2;

  void visit(Fields& field) {
    field("pixels", pixels, "largest shift in each direction; what is uncovered becomes 0",
          at_least(1))
        .words({"shift", "padding"});
  }
  void check(const TransformContext& images, Check& check) const {
    const int64_t smaller = std::min(images.height, images.width);
    if (pixels < smaller) return;
    check.error({"pixels"},
                fmt::format("a shift by {} pixels can leave nothing of images of {} x {}", pixels,
                            images.height, images.width));
  }
};

class RandomShift : public Transform {
 public:
  RandomShift(const Options& options, const TransformContext& context)
      : pixels_(options.pixels), salt_(context.salt) {}

  bool is_random() const override { return true; }

  Tensor forward(const Tensor& images, const BatchPosition& position) override {
    const int64_t height = images.size(2), width = images.size(3);
    const Tensor corners =
        upload(draw(position), images.device());  // of the part of the padded image that is kept
    const auto options = corners.options();
    const Tensor rows =
        (corners.select(1, 0).unsqueeze(1) + at::arange(height, options)).view({-1, 1, height, 1});
    const Tensor columns =
        (corners.select(1, 1).unsqueeze(1) + at::arange(width, options)).view({-1, 1, 1, width});
    const Tensor image = at::arange(images.size(0), options).view({-1, 1, 1, 1});
    const Tensor channel = at::arange(images.size(1), options).view({1, -1, 1, 1});
    return at::constant_pad_nd(images, {pixels_, pixels_, pixels_, pixels_})
        .index({image, channel, rows, columns});
  }

 private:
  // int64 [B, 2]: row and column, each 0 to 2 * pixels
  Tensor draw(const BatchPosition& position) const {
    const auto index = position.indices.accessor<int64_t, 1>();
    Tensor out = at::empty({index.size(0), 2}, at::kLong);
    auto corner = out.accessor<int64_t, 2>();
    for (int64_t i = 0; i < index.size(0); ++i) {
      Draws draws(position.seed, position.epoch, index[i], salt_);
      corner[i][0] = draws.integer(0, 2 * pixels_);
      corner[i][1] = draws.integer(0, 2 * pixels_);
    }
    return out;
  }

  int64_t pixels_;
  uint64_t salt_;
};

VITRINE_REGISTER(Transform, RandomShift, Options, "shifts each image by whole pixels")

}  // namespace
}  // namespace vitrine
