// Operations on images and what transforms make of them, against torchvision's: the numbers are of
// golden/make_augmentation_golden.py.
#include "datasets/image_operations.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/data/image_transform.h"
#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "tests/component.h"
#include "tests/datasets/waves.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

Json golden(const std::string& part) {
  constexpr uint64_t kMost = 1 << 20;
  return Json::parse(read_file(VITRINE_SOURCE_DIR "/tests/golden/augmentation.json", kMost))
      .at(part);
}

std::string digest(const Image& image) {
  return sha256_hex({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
}

Fill fill_for(const Image& image) {
  const Fill all = {7, 130, 251};
  return {all.begin(), all.begin() + image.channels};
}

using Operation = std::function<Image(const Image& image, const std::vector<double>& arguments)>;
const std::map<std::string, Operation> kOperations = {
    {"to_grey", [](const Image& image, const auto&) { return to_grey(image); }},
    {"autocontrast", [](const Image& image, const auto&) { return autocontrast(image); }},
    {"equalize", [](const Image& image, const auto&) { return equalize(image); }},
    {"flip_horizontally", [](const Image& image, const auto&) { return flip_horizontally(image); }},
    {"flip_vertically", [](const Image& image, const auto&) { return flip_vertically(image); }},
    {"adjust_brightness",
     [](const Image& image, const auto& by) { return adjust_brightness(image, by[0]); }},
    {"adjust_contrast",
     [](const Image& image, const auto& by) { return adjust_contrast(image, by[0]); }},
    {"adjust_saturation",
     [](const Image& image, const auto& by) { return adjust_saturation(image, by[0]); }},
    {"adjust_sharpness",
     [](const Image& image, const auto& by) { return adjust_sharpness(image, by[0]); }},
    {"adjust_hue", [](const Image& image, const auto& by) { return adjust_hue(image, by[0]); }},
    {"posterize",
     [](const Image& image, const auto& by) { return posterize(image, static_cast<int>(by[0])); }},
    {"solarize", [](const Image& image, const auto& by) { return solarize(image, by[0]); }},
    {"gaussian_blur",
     [](const Image& image, const auto& by) { return gaussian_blur(image, by[0]); }},
    {"shear_x",
     [](const Image& image, const auto& by) { return shear_x(image, by[0], fill_for(image)); }},
    {"shear_y",
     [](const Image& image, const auto& by) { return shear_y(image, by[0], fill_for(image)); }},
    {"translate",
     [](const Image& image, const auto& by) {
       return translate(image, static_cast<int64_t>(by[0]), static_cast<int64_t>(by[1]),
                        fill_for(image));
     }},
    {"rotate",
     [](const Image& image, const auto& by) { return rotate(image, by[0], fill_for(image)); }}};

TEST_CASE("operations on images give torchvision's bytes") {
  std::set<std::string> seen;
  for (const Json& one : golden("operations")) {
    CAPTURE(one.dump());
    const std::string name = one.at("operation");
    const Image made = kOperations.at(name)(waves(one.at("channels"), kWidth, kHeight),
                                            one.at("arguments").get<std::vector<double>>());
    CHECK(made.width == kWidth);
    CHECK(made.height == kHeight);
    CHECK(digest(made) == one.at("sha256").get<std::string>());
    seen.insert(name);
  }
  CHECK(seen.size() == kOperations.size());
}

TEST_CASE("a transform makes all of the images that torchvision's makes, and no others") {
  for (const Json& one : golden("transforms")) {
    CAPTURE(one.dump());
    const int64_t channels = one.at("channels");
    const auto transform = std::dynamic_pointer_cast<ImageTransform>(
        make<Transform>(one.at("transform"), {channels, kHeight, kWidth}));
    REQUIRE(transform);
    CHECK(transform->is_random());
    std::set<std::string> made;
    for (int64_t i = 0; i < 3000; ++i) {
      Draws draws(3, 0, i, 0);
      made.insert(digest(transform->applied(waves(channels, kWidth, kHeight), draws)));
    }
    CHECK(made.size() == one.at("images").get<size_t>());
    std::string lines;
    for (const std::string& each : made) lines += each + "\n";
    CHECK(sha256_hex(lines) == one.at("sha256").get<std::string>());
  }
}

TEST_CASE("an image of one pixel, or of many channels, stays one") {
  for (const int64_t channels : {1, 3}) {
    const Image pixel = waves(channels, 1, 1);
    for (const auto& [name, operation] : kOperations) {
      CAPTURE(name, channels);
      const Image made = operation(pixel, {1, 0});
      CHECK(made.pixels.size() == static_cast<size_t>(channels));
    }
  }
  const Image image = waves(5, 4, 3);
  CHECK(flip_horizontally(flip_horizontally(image)).pixels == image.pixels);
  CHECK(rotate(rotate(image, 180, Fill(5)), 180, Fill(5)).pixels == image.pixels);
  CHECK(flip_vertically(flip_horizontally(image)).pixels == rotate(image, 180, Fill(5)).pixels);
}

}  // namespace
}  // namespace vitrine
