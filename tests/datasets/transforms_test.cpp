#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <numbers>
#include <set>

#include "framework/data/transform.h"
#include "tests/component.h"

namespace vitrine {
namespace {

Tensor apply(const std::string& yaml, const Tensor& images, const BatchPosition& position,
             uint64_t salt = 0) {
  const TransformContext context{images.size(1), images.size(2), images.size(3), salt};
  return make<Transform>(yaml, context)->forward(images, position);
}

BatchPosition at_position(int64_t first, int64_t count, int64_t epoch = 0) {
  return {3, epoch, at::arange(first, first + count)};
}

TEST_CASE("every transform depends on an image and its number, not on its batch") {
  const Tensor images = at::rand({6, 3, 8, 10});
  const Tensor numbers = at::tensor({40, 7, 0, 59'999, 3, 12}, at::kLong),
               order = at::tensor({4, 2, 5, 0}, at::kLong);
  const Tensor state = at::detail::getDefaultCPUGenerator().get_state();
  for (const std::string& name : Registry::instance().names("transform")) {
    INFO(name);
    const Tensor all = apply(name, images, {3, 2, numbers});
    CHECK(all.sizes() == images.sizes());
    CHECK(at::isfinite(all).all().item<bool>());
    CHECK(at::equal(apply(name, images, {3, 2, numbers}), all));
    const Tensor some =
        apply(name, images.index_select(0, order), {3, 2, numbers.index_select(0, order)});
    CHECK(at::equal(some, all.index_select(0, order)));
    for (int64_t i = 0; i < 6; ++i) {
      CHECK(at::equal(apply(name, images.narrow(0, i, 1), {3, 2, numbers.narrow(0, i, 1)}),
                      all.narrow(0, i, 1)));
    }
  }
  CHECK(at::equal(at::detail::getDefaultCPUGenerator().get_state(), state));
}

TEST_CASE(
    "a transform that is random changes with seed, epoch, number and place in the list; others do "
    "not") {
  const Tensor images = at::rand({1, 3, 9, 9}).expand({20, 3, 9, 9}).contiguous();
  for (const std::string& name : Registry::instance().names("transform")) {
    INFO(name);
    const bool random = make<Transform>(name, {3, 9, 9})->is_random();
    const Tensor base = apply(name, images, {3, 0, at::arange(20)});
    CHECK(at::equal(apply(name, images, {4, 0, at::arange(20)}), base) != random);
    CHECK(at::equal(apply(name, images, {3, 1, at::arange(20)}), base) != random);
    CHECK(at::equal(apply(name, images, {3, 0, at::arange(20, 40)}), base) != random);
    CHECK(at::equal(apply(name, images, {3, 0, at::arange(20)}, 1), base) != random);
  }
}

TEST_CASE("normalize takes one number or one a channel") {
  const Tensor images = at::full({2, 2, 1, 1}, 0.75);
  CHECK(apply("normalize", images, {})[0][0].item<float>() == 0.5f);
  const Tensor each = apply("{type: normalize, mean: [0.5, 0.25], std: [0.25, 2]}", images, {});
  CHECK(each[1][0].item<float>() == 1);
  CHECK(each[1][1].item<float>() == 0.25f);
  CHECK(images[0][0].item<float>() == 0.75f);
  const auto said =
      make<Transform>("{type: normalize, mean: [0.5, 0.25], std: 2}", {2, 1, 1})->normalization();
  REQUIRE(said);
  CHECK(said->mean == std::vector<double>{0.5, 0.25});
  CHECK(said->std == std::vector<double>{2});
  CHECK(problems_of<Transform>("{type: normalize, mean: [1, 2]}", {3, 4, 4}) ==
        "test.yaml:1:29: transform: mean takes one number or 3 (one a channel), got 2\n"
        "    1 | it: {type: normalize, mean: [1, 2]}\n"
        "      |                             ^");
}

// The image moved down and right.
Tensor moved(const Tensor& images, int64_t down, int64_t right) {
  return at::constant_pad_nd(images, {right, -right, down, -down});
}

TEST_CASE("random_shift moves by whole pixels, in every direction, and fills with 0") {
  const Tensor image = at::rand({1, 2, 6, 5}) + 0.1;
  const Tensor out =
      apply("{type: random_shift, pixels: 1}", image.expand({200, 2, 6, 5}), at_position(0, 200));
  std::set<std::pair<int, int>> seen;
  for (int64_t i = 0; i < 200; ++i) {
    bool found = false;
    for (int down = -1; down <= 1; ++down) {
      for (int right = -1; right <= 1; ++right) {
        if (!at::equal(out[i], moved(image, down, right)[0])) continue;
        seen.insert({down, right});
        found = true;
      }
    }
    CHECK(found);
  }
  CHECK(seen.size() == 9);
}

constexpr const char* kStill = "degrees: 0, translate: 0";

TEST_CASE("random_affine without motion gives the image") {
  const Tensor images = at::rand({3, 2, 7, 10});
  const Tensor out = apply(std::string("{type: random_affine, scale: [1, 1], ") + kStill + "}",
                           images, at_position(0, 3));
  CHECK(at::allclose(out, images, 0, 1e-5));
}

TEST_CASE("random_affine enlarges about the middle, in between by straight lines, with 0 outside") {
  const Tensor ramp = at::arange(4, at::kFloat).expand({1, 1, 4, 4}).contiguous();
  const auto row = [&](const char* scale, int64_t y) {
    return apply(std::string("{type: random_affine, scale: ") + scale + ", " + kStill + "}", ramp,
                 at_position(0, 1))[0][0][y];
  };
  CHECK(at::allclose(row("[2, 2]", 1), at::tensor({0.75f, 1.25f, 1.75f, 2.25f}), 0, 1e-5));
  CHECK(at::allclose(row("[0.5, 0.5]", 1), at::tensor({0.0f, 0.5f, 2.5f, 0.0f}), 0, 1e-5));
  CHECK(at::allclose(row("[0.5, 0.5]", 0), at::zeros({4}), 0, 1e-5));
}

// Row and column of the middle of the image's mass.
std::pair<double, double> middle(const Tensor& image) {
  const Tensor mass = image / image.sum();
  return {(mass.sum(1) * at::arange(image.size(0))).sum().item<double>(),
          (mass.sum(0) * at::arange(image.size(1))).sum().item<double>()};
}

TEST_CASE("random_affine turns, slants and shifts within its limits") {
  Tensor images = at::zeros({300, 1, 31, 41});
  images.narrow(2, 14, 3).narrow(3, 29, 3).fill_(1);  // 10 to the right of the middle (15, 20)
  double widest = 0, farthest = 0;
  const Tensor turned = apply("{type: random_affine, degrees: 30, scale: [1, 1], translate: 0}",
                              images, at_position(0, 300));
  const Tensor shifted = apply("{type: random_affine, degrees: 0, scale: [1, 1], translate: 0.1}",
                               images, at_position(0, 300));
  for (int64_t i = 0; i < 300; ++i) {
    const auto [y, x] = middle(turned[i][0]);
    CHECK(std::hypot(y - 15, x - 20) == Approx(10).margin(0.05));
    widest = std::max(widest, std::abs(std::atan2(y - 15, x - 20)) * 180 / std::numbers::pi);
    const auto [down, right] = middle(shifted[i][0]);
    CHECK((std::abs(down - 15) <= 3.11 && std::abs(right - 30) <= 4.11));
    farthest = std::max(farthest, std::abs(right - 30));
  }
  CHECK((widest > 28 && widest < 30.3));
  CHECK(farthest > 3.8);
}

TEST_CASE("random_affine's shear moves rows along x, in proportion to their height") {
  Tensor image = at::zeros({100, 1, 41, 41});
  image.narrow(2, 9, 3).narrow(3, 19, 3).fill_(1);  // 10 above the middle (20, 20)
  const Tensor out =
      apply("{type: random_affine, degrees: 0, scale: [1, 1], translate: 0, shear: 45}", image,
            at_position(0, 100));
  double farthest = 0;
  for (int64_t i = 0; i < 100; ++i) {
    const auto [y, x] = middle(out[i][0]);
    CHECK(y == Approx(10).margin(0.05));
    farthest = std::max(farthest, std::abs(x - 20));
  }
  CHECK((farthest > 8 && farthest < 10.3));
}

TEST_CASE("rules between the options of random_affine") {
  CHECK(problems_of<Transform>("{type: random_affine, scale: [1.1, 0.9]}", {1, 4, 4}) ==
        "test.yaml:1:34: transform: scale takes the least enlargement first, then the largest\n"
        "    1 | it: {type: random_affine, scale: [1.1, 0.9]}\n"
        "      |                                  ^");
  CHECK_FALSE(problems_of<Transform>("{type: random_affine, scale: 1.1}", {1, 4, 4}).empty());
}

// What is wrong with a transform of such images, without the place: "hue has no effect: ...".
std::string said(const std::string& yaml, const TransformContext& images) {
  const std::string text = problems_of<Transform>(yaml, images), begin = " transform";
  const size_t first = text.find(begin);
  if (first == text.npos) return text;
  const size_t words = text.find_first_not_of(":. ", first + begin.size());
  return text.substr(words, text.find('\n') - words);
}

TEST_CASE("flip is refused where flipped images are not of their classes, unless asked for") {
  TransformContext digits{1, 28, 28};
  digits.flips_change_classes = true;
  CHECK(problems_of<Transform>("flip", digits) ==
        "test.yaml:1:5: transform: flip: flipped images of this data set are not of their classes, "
        "as a flipped 2 is no 2; {type: flip, force: true} flips them all the same\n"
        "    1 | it: flip\n"
        "      |     ^");
  CHECK_FALSE(problems_of<Transform>("{type: flip, direction: vertical}", digits).empty());
  CHECK(problems_of<Transform>("{type: flip, force: true}", digits).empty());
  CHECK(problems_of<Transform>("flip", {3, 28, 28}).empty());
  CHECK(said("{type: flip, force: true}", {3, 28, 28}) ==
        "force has no effect: flipped images of this data set keep their classes");
}

TEST_CASE("transforms say in words which images they do not take") {
  for (const char* name : {"color_jitter", "rand_augment", "trivial_augment", "three_augment",
                           "random_resized_crop", "grayscale"}) {
    CAPTURE(name);
    CHECK(said(name, {5, 8, 8}) ==
          "it takes grey and RGB images, of 1 or 3 channels, and these have 5");
  }
  CHECK(said("grayscale", {1, 8, 8}) == "grayscale: the images are grey");
  CHECK(said("{type: color_jitter, hue: 0.1}", {1, 8, 8}) ==
        "hue has no effect: the images are grey");
  CHECK(said("{type: color_jitter, saturation: 0.1}", {1, 8, 8}) ==
        "saturation has no effect: the images are grey");
  CHECK(said("color_jitter", {1, 8, 8}).empty());
  CHECK(said("random_crop", {3, 4, 9}) ==
        "padding: on images of 4 x 9 it must be smaller than they are");
}

TEST_CASE("rules between the options of transforms of single images") {
  const TransformContext rgb{3, 8, 8};
  CHECK(said("{type: color_jitter, brightness: 0, contrast: 0, saturation: 0}", rgb) ==
        "color_jitter: all of it is 0, so that nothing changes");
  CHECK(said("{type: color_jitter, brightness: [1, 1], contrast: 0, saturation: 0}", rgb) ==
        "color_jitter: all of it is 0, so that nothing changes");
  CHECK(said("{type: color_jitter, contrast: [1.2, 0.8]}", rgb) ==
        "contrast takes one number, or two, the least and the largest");
  CHECK(said("{type: color_jitter, hue: [0.1, 0.2, 0.3]}", rgb) ==
        "hue takes one number, or two, the least and the largest, got 3");
  CHECK(said("{type: color_jitter, hue: -0.1}", rgb) ==
        "hue: one number is the largest turn either way, from 0 to 0.5");
  CHECK(said("{type: random_crop, padding: [1, 2, 3]}", rgb) ==
        "padding takes 1, 2 or 4 numbers, got 3");
  CHECK(said("{type: random_crop, padding: 0}", rgb) ==
        "padding: without any, each crop is the whole image");
  CHECK(said("{type: random_crop, padding_mode: edge, fill: 1}", rgb) ==
        "fill has no effect: padding_mode is edge");
  CHECK(said("{type: random_crop, fill: [1, 2]}", rgb) ==
        "fill takes one value or 3 (one a channel), got 2");
  CHECK(said("{type: random_erasing, noise: true, value: 3}", rgb) ==
        "value has no effect: noise is put there");
  CHECK(said("{type: random_erasing, scale: [0.3, 0.1]}", rgb) ==
        "scale takes two numbers, the least and the largest");
  CHECK(said("{type: random_resized_crop, ratio: 1}", rgb) ==
        "ratio takes two numbers, the least and the largest, got 1");
  CHECK(said("{type: rand_augment, magnitude: 31}", rgb) ==
        "magnitude (31) must be below num_magnitude_bins (31)");
}

TEST_CASE("random_erasing puts noise where it is asked to, and nothing else is changed") {
  const Tensor images = at::full({400, 3, 16, 16}, 100 / 255.0);
  const Tensor out =
      apply("{type: random_erasing, p: 1, noise: true}", images, at_position(0, 400));
  const Tensor changed = out.ne(images).any(1).flatten(1).sum(1);  // pixels of each image
  CHECK(changed.min().item<int64_t>() > 0.01 * 256);
  CHECK(changed.max().item<int64_t>() < 0.36 * 256);
  const Tensor noise = out.masked_select(out.ne(images));
  CHECK(noise.mean().item<double>() == Approx(0.5).margin(0.01));
  CHECK(noise.max().item<double>() == 1);
}

}  // namespace
}  // namespace vitrine
