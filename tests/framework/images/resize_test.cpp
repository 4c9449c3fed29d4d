#include "framework/images/resize.h"

#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "framework/files/sha256.h"
#include "tests/framework/files/support.h"
#include "tests/instruction_sets.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// The image of tests/golden/make_resize_golden.py.
const Image& pattern(int64_t width, int64_t height, int64_t channels) {
  static std::map<std::array<int64_t, 3>, Image> made;
  Image& image = made[{width, height, channels}];
  if (!image.pixels.empty()) return image;
  image = {width, height, channels, {}};
  const auto count = static_cast<uint64_t>(width * height * channels);
  image.pixels.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    image.pixels.push_back(static_cast<uint8_t>(i * i * 31 + i * 17 + (i >> 3) * 11));
  return image;
}

struct Case {
  explicit Case(const Json& row)
      : image(pattern(row["size"][0], row["size"][1], row["channels"])),
        width(row["to"][0]),
        height(row["to"][1]),
        text(row.dump()) {}

  const Image& image;
  int64_t width, height;
  std::string text;
};

// Compares what `make` makes of each row of that name with what Pillow made.
template <class Make>
void compare(const std::string& name, const Make& make) {
  static const Json golden =
      Json::parse(std::ifstream(VITRINE_SOURCE_DIR "/tests/golden/resize.json"));
  for (const Json& row : golden.at(name)) {
    const Case one(row);
    INFO(one.text);
    const Image made = make(one, row);
    CHECK(made.width == one.width);
    CHECK(made.height == one.height);
    CHECK(made.channels == one.image.channels);
    const std::string bytes(made.pixels.begin(), made.pixels.end());
    CHECK(sha256_hex(bytes) == row.at("sha256"));
  }
}

TEST_CASE("resize: the bits of Pillow, with each instruction set") {
  with_each_instruction_set([] {
    compare("stretch",
            [](const Case& one, const Json&) { return resize(one.image, one.width, one.height); });
  });
}

TEST_CASE("resize: of a box, the bits of Pillow, with each instruction set") {
  with_each_instruction_set([] {
    compare("box", [](const Case& one, const Json& row) {
      const auto box = row.at("box").get<std::vector<int64_t>>();
      return resize_box(one.image, {box[0], box[1], box[2], box[3]}, one.width, one.height);
    });
  });
}

TEST_CASE("resize: filling the shape cuts as torchvision does") {
  compare("crop", [](const Case& one, const Json&) {
    return resize(one.image, one.width, one.height, ResizeMode::kCrop);
  });
}

TEST_CASE("resize: the centre of an image whose shorter side was scaled, as torchvision has it") {
  with_each_instruction_set([] {
    compare("short", [](const Case& one, const Json& row) {
      const double ratio = static_cast<double>(one.width) / row.at("side").get<double>();
      return resize(one.image, one.width, one.height, ResizeMode::kCrop, kWhite, ratio);
    });
  });
}

TEST_CASE("resize: a ratio of a crop is rounded as timm's crop_pct is") {
  const Image& image = pattern(500, 375, 3);
  // 224 / 0.9 is 248.9: the shorter side becomes 248, the longer one 330.
  const Image scaled = resize(image, 330, 248);
  const Image made = resize(image, 224, 224, ResizeMode::kCrop, kWhite, 0.9);
  std::vector<uint8_t> centre;
  for (size_t y = 12; y < 236; ++y) {
    const auto row = scaled.pixels.begin() + static_cast<ptrdiff_t>((y * 330 + 53) * 3);
    centre.insert(centre.end(), row, row + 224 * 3);
  }
  CHECK(made.pixels == centre);
  CHECK(resize(image, 224, 224, ResizeMode::kPad, kWhite, 0.9).pixels ==
        resize(image, 224, 224, ResizeMode::kPad).pixels);
}

TEST_CASE("resize: within the shape, around it the background, as Pillow pads") {
  compare("pad", [](const Case& one, const Json&) {
    // On grey the luma of the colour is seen.
    const Colour background = one.image.channels == 3 ? Colour{255, 128, 0} : Colour{77, 77, 77};
    return resize(one.image, one.width, one.height, ResizeMode::kPad, background);
  });
}

TEST_CASE("resize: an image in its own size is the same") {
  const Image& image = pattern(40, 30, 3);
  CHECK(resize(image, 40, 30).pixels == image.pixels);
  for (const ResizeMode mode : kResizeModes)
    CHECK(resize(image, 40, 30, mode).pixels == image.pixels);
}

TEST_CASE("resize: sizes and boxes that cannot be are refused") {
  const Image& image = pattern(5, 4, 3);
  const auto message = [&](const auto& action) { return message_of(ExitCode::kFailed, action); };
  CHECK(message([&] { resize(image, 0, 3); }) ==
        "cannot make 0 x 3 pixels of 5 x 4 from 0, 0 of an image of 5 x 4 with 3 channels");
  CHECK(message([&] { resize(image, 8001, 8000); }) ==
        "cannot make 8001 x 8000 pixels of 5 x 4 from 0, 0 of an image of 5 x 4 with 3 channels");
  CHECK(message([&] {
          resize_box(image, {1, 0, 5, 4}, 2, 2);
        }) == "cannot make 2 x 2 pixels of 5 x 4 from 1, 0 of an image of 5 x 4 with 3 channels");
  CHECK(message([&] {
          resize_box(image, {0, -1, 5, 4}, 2, 2);
        }) == "cannot make 2 x 2 pixels of 5 x 4 from 0, -1 of an image of 5 x 4 with 3 channels");
}

TEST_CASE("resize: modes have words") {
  CHECK(resize_words() == std::vector<std::string>{"stretch", "crop", "pad"});
  CHECK(resize_mode("pad") == ResizeMode::kPad);
  CHECK(message_of(ExitCode::kUsage, [] { resize_mode("fit"); }) ==
        "there is no way \"fit\" to resize: there are stretch, crop, pad");
}

}  // namespace
}  // namespace vitrine
