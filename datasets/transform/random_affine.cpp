#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <numbers>

#include "framework/config/counted.h"
#include "framework/data/transform.h"
#include "framework/data/upload.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double degrees = 10;
  std::vector<double> scale = {0.9, 1.1};
  double shear = 0;
  double translate = 0.1;

  void visit(Fields& field) {
    field("degrees", degrees, "largest rotation, either way", between(0, 180))
        .words({"angle", "rotation", "rotate"});
    counted(field("scale", scale, "least and largest enlargement", above(0)), 2).words({"zoom"});
    field("shear", shear, "largest slant in degrees, either way", from_below(0, 90));
    field("translate", translate, "largest shift, as a fraction of height and width",
          from_below(0, 1))
        .words({"translation"});
  }
  void check(Check& check) const {
    if (scale.size() != 2) {
      check.error({"scale"}, "scale takes two numbers, got " + std::to_string(scale.size()));
    } else if (scale[0] > scale[1]) {
      check.error({"scale"}, "scale takes the least enlargement first, then the largest");
    }
  }
};

// Where a pixel of the new image, counted from its middle, comes from in the old one: x' = xx x +
// xy y + x0.
struct Inverse {
  double xx, xy, x0, yx, yy, y0;
};

// The inverse of: shear along x, enlarge and rotate about the middle, then shift by (shift_x,
// shift_y).
Inverse invert(double angle, double scale, double shear, double shift_x, double shift_y) {
  const double a = scale * std::cos(angle), b = scale * std::sin(angle);  // rotation [a -b; b a]
  const double slant = std::tan(shear), area = scale * scale;
  const double yx = -b / area, yy = a / area;
  const double xx = a / area - slant * yx, xy = b / area - slant * yy;
  return {xx, xy, -xx * shift_x - xy * shift_y, yx, yy, -yx * shift_x - yy * shift_y};
}

class RandomAffine : public Transform {
 public:
  RandomAffine(const Options& options, const TransformContext& context)
      : options_(options), salt_(context.salt) {}

  bool is_random() const override { return true; }

  Tensor forward(const Tensor& images, const BatchPosition& position) override {
    const int64_t height = images.size(2), width = images.size(3);
    const Tensor inverse = upload(draw(position, height, width), images.device());
    const auto options = images.options();
    const Tensor x = (at::arange(width, options) - (width - 1) / 2.0).view({1, 1, width});
    const Tensor y = (at::arange(height, options) - (height - 1) / 2.0).view({1, height, 1});
    const auto source = [&](int64_t first, int64_t size) {  // -1 and 1 are the image's edges
      const auto term = [&](int64_t i) { return inverse.select(1, first + i).view({-1, 1, 1}); };
      return (x * term(0) + y * term(1) + term(2)) * (2.0 / static_cast<double>(size));
    };
    const Tensor grid = at::stack({source(0, width), source(3, height)}, -1);  // [B, H, W, 2]
    constexpr int64_t kBilinear = 0, kZeros = 0;
    return at::grid_sampler(images, grid, kBilinear, kZeros, /*align_corners=*/false);
  }

 private:
  // float [B, 6]
  Tensor draw(const BatchPosition& position, int64_t height, int64_t width) const {
    constexpr double kRadians = std::numbers::pi / 180;
    const auto index = position.indices.accessor<int64_t, 1>();
    Tensor out = at::empty({index.size(0), 6}, at::kFloat);
    auto row = out.accessor<float, 2>();
    for (int64_t i = 0; i < index.size(0); ++i) {
      Draws draws(position.seed, position.epoch, index[i], salt_);
      const auto within = [&](double largest) { return draws.between(-largest, largest); };
      const double angle = within(options_.degrees * kRadians);
      const double scale = draws.between(options_.scale[0], options_.scale[1]);
      const double shear = within(options_.shear * kRadians);
      const double shift_x = within(options_.translate * static_cast<double>(width));
      const double shift_y = within(options_.translate * static_cast<double>(height));
      const Inverse inverse = invert(angle, scale, shear, shift_x, shift_y);
      const double terms[] = {inverse.xx, inverse.xy, inverse.x0,
                              inverse.yx, inverse.yy, inverse.y0};
      for (int64_t k = 0; k < 6; ++k) row[i][k] = static_cast<float>(terms[k]);
    }
    return out;
  }

  Options options_;
  uint64_t salt_;
};

VITRINE_REGISTER(Transform, RandomAffine, Options,
                 "rotates, enlarges, slants and shifts each image")

}  // namespace
}  // namespace vitrine
