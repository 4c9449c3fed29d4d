#include <png.h>

#include <set>
#include <sstream>

#include "framework/files/safetensors.h"
#include "framework/files/sealed.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"
#include "tests/framework/images/write_jpeg.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// A run of a model of 28 x 28 grey pixels, and images.
class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kSmallConfig) {
    REQUIRE(run({"small.yaml", "--run-dir", "run"}).code == 0);
    fs::create_directory(*this / "photos");
  }

  void write(const std::string& name, const Image& image) const {
    write_plain(*this / name, encode_png(image));
  }
  Json answers(std::vector<std::string> arguments, int code = 0) const {
    arguments.insert(arguments.begin(), {"predict", "run", "--json"});
    const Result result = run(arguments);
    INFO(result.err);
    CHECK(result.code == code);
    return Json::parse(result.out);
  }
  std::string warnings(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"predict", "run"});
    const Result result = run(arguments);
    CHECK(result.code == 0);
    return result.err;
  }
};

Image pattern(int64_t width, int64_t height, int64_t channels) {
  Image image{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i)
    image.pixels.push_back(static_cast<uint8_t>(i * i * 7 + i));
  return image;
}

// A PNG of ink, as much as alpha says.
std::string ink(int64_t width, int64_t height, const std::vector<uint8_t>& alpha) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = PNG_FORMAT_GA;
  std::vector<uint8_t> pixels;
  for (const uint8_t one : alpha) pixels.insert(pixels.end(), {0, one});
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string out(size, '\0');
  png_image_write_to_memory(&png, out.data(), &size, 0, pixels.data(), 0, nullptr);
  out.resize(size);
  return out;
}

// A light bar on black.
Image bar(int64_t side, int64_t left, int64_t top, int64_t width, int64_t height) {
  Image image{side, side, 1, std::vector<uint8_t>(static_cast<size_t>(side * side))};
  for (int64_t y = top; y < top + height; ++y) {
    for (int64_t x = left; x < left + width; ++x)
      image.pixels[static_cast<size_t>(y * side + x)] = 255;
  }
  return image;
}

TEST_CASE("predict takes files, folders, patterns and standard input; a bad one ends nothing") {
  const Folder folder;
  folder.write("photos/b.png", pattern(28, 28, 1));
  folder.write("photos/a.jpg", pattern(28, 28, 1));  // whatever its name says
  write_plain(folder / "photos/c.webp", "GIF89a");
  const Json expected = folder.answers({"photos/b.png"})[0].at("tasks");
  const Json all = folder.answers({"photos", "photos/*.png", "none.png"}, 3);
  REQUIRE(all.size() == 5);
  CHECK(all[0] == Json{{"image", "photos/a.jpg"}, {"tasks", expected}});
  CHECK(all[1] == Json{{"image", "photos/b.png"}, {"tasks", expected}});
  CHECK(all[2] == Json{{"image", "photos/c.webp"},
                       {"error", "photos/c.webp: a GIF image; JPEG, PNG and WebP are read"}});
  CHECK(all[3] == Json{{"image", "photos/b.png"}, {"tasks", expected}});
  CHECK(all[4].at("image") == "none.png");

  const Result text = folder.run({"predict", "run", "photos", "empty*"});
  CHECK(text.code == 3);
  CHECK(text.err == "error: 2 of 4 images could not be read\n");
  std::istringstream lines(text.out);
  std::string line;
  std::getline(lines, line);
  CHECK_THAT(line, StartsWith("image          task   class"));
  std::getline(lines, line);
  CHECK_THAT(line, StartsWith("photos/a.jpg   class  "));
  std::getline(lines, line);
  CHECK_THAT(line, StartsWith("photos/b.png   class  "));
  std::getline(lines, line);
  CHECK(line == "photos/c.webp         error: a GIF image; JPEG, PNG and WebP are read");
  std::getline(lines, line);
  CHECK(line == "empty*                error: no file has such a name");

  const Result piped = shell("$RUNNER predict run - --json <photos/b.png", folder.path());
  CHECK(piped.code == 0);
  CHECK(Json::parse(piped.out)[0] == Json{{"image", "-"}, {"tasks", expected}});
  const Result nothing = shell("$RUNNER predict run - </dev/null", folder.path());
  CHECK(nothing.code == 3);
  CHECK(nothing.err == "error: standard input: an empty file\n");
}

TEST_CASE("predict turns JPEGs upright and takes their colour away") {
  const Folder folder;
  write_plain(folder / "plain.jpg",
              jpeg(28, 28, pattern(28, 28, 3).pixels, {JCS_RGB, JCS_YCbCr, 3}));
  const std::string turn("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0",
                         32);
  std::vector<uint8_t> upside_down;
  const Image image = pattern(28, 28, 1);
  upside_down.assign(image.pixels.rbegin(), image.pixels.rend());
  write_plain(folder / "upright.jpg", jpeg(28, 28, image.pixels));
  write_plain(folder / "turned.jpg", jpeg(28, 28, upside_down, {.exif = turn}));
  const Json answers = folder.answers({"plain.jpg", "upright.jpg", "turned.jpg"});
  CHECK(answers[0].at("tasks")[0].at("probabilities").size() == 10);
  const auto probability = [&](size_t i) {
    return answers[i].at("tasks")[0].at("probabilities").at("1").get<double>();
  };
  CHECK(std::abs(probability(1) - probability(2)) < 0.01);
}

TEST_CASE("predict scales as it is told, and says so") {
  const Folder folder;
  folder.write("wide.png", pattern(60, 40, 3));
  CHECK(folder.warnings({"wide.png"}) ==
        "warning: wide.png: scaled from 60 x 40 to the model's 28 x 28, which distorts it: "
        "--resize crop or pad keep its shape\n");
  CHECK(folder.warnings({"wide.png", "--resize", "crop"}) ==
        "warning: wide.png: scaled and cropped from 60 x 40 to the model's 28 x 28\n");
  CHECK(folder.warnings({"wide.png", "--resize", "pad"}) ==
        "warning: wide.png: scaled and padded from 60 x 40 to the model's 28 x 28\n");
  const auto probabilities = [&](std::vector<std::string> arguments) {
    arguments.push_back("wide.png");
    return folder.answers(arguments)[0].at("tasks").dump();
  };
  const std::string stretched = probabilities({}), cropped = probabilities({"--resize", "crop"});
  const std::string padded = probabilities({"--resize", "pad"});
  CHECK(stretched == probabilities({"--resize", "stretch"}));
  CHECK(std::set{stretched, cropped, padded}.size() == 3);
  CHECK(padded == probabilities({"--resize", "pad", "--background", "#ffffff"}));
  CHECK(padded != probabilities({"--resize", "pad", "--background", "black"}));

  const Result wrong = folder.run({"predict", "run", "wide.png", "--resize", "fit"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err == "error: there is no way \"fit\" to resize: there are stretch, crop, pad\n");
  const Result colour = folder.run({"predict", "run", "wide.png", "--background", "red"});
  CHECK(colour.code == 2);
  CHECK(colour.err ==
        "error: --background red: no colour: it takes black, grey, white or #RRGGBB\n");
}

TEST_CASE("predict scales as the data were that a model was trained on") {
  const Folder folder;
  const Safetensors file = Safetensors::load(folder / "run/model.safetensors", 1 << 24);
  auto metadata = file.metadata();
  Json description = Json::parse(metadata.at("vitrine"));
  description["resize"] = "crop";
  metadata["vitrine"] = description.dump();
  metadata.erase("sha256");
  write_plain(folder / "cropping.safetensors", write_sealed_safetensors(file.tensors(), metadata));
  folder.write("wide.png", pattern(60, 40, 1));
  const Result result = folder.run({"predict", "cropping.safetensors", "wide.png"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: wide.png: scaled and cropped from 60 x 40 to the model's 28 x 28\n");
  CHECK_THAT(folder.run({"predict", "cropping.safetensors", "wide.png", "--resize", "pad"}).err,
             StartsWith("warning: wide.png: scaled and padded"));
}

TEST_CASE("predict lays transparent pixels over a colour, and says so") {
  const Folder folder;
  const Image strokes = bar(28, 10, 4, 4, 20);
  write_plain(folder / "ink.png", ink(28, 28, strokes.pixels));
  Image on_white = strokes;
  for (uint8_t& pixel : on_white.pixels) pixel = static_cast<uint8_t>(255 - pixel);
  folder.write("white.png", on_white);
  CHECK(folder.warnings({"ink.png"}) ==
        "warning: ink.png: its transparent pixels are laid over white; --background takes another "
        "colour\n");
  CHECK_THAT(folder.warnings({"ink.png", "--background", "#102030"}), Contains("over #102030;"));
  const Json answers = folder.answers({"ink.png", "white.png", "--invert"});
  CHECK(answers[0].at("tasks") == answers[1].at("tasks"));
}

TEST_CASE("predict says of an image that nothing can be seen in it") {
  const Folder folder;
  folder.write("blank.png", {28, 28, 1, std::vector<uint8_t>(28 * 28, 255)});
  Image nearly = {28, 28, 1, std::vector<uint8_t>(28 * 28, 250)};
  for (size_t i = 0; i < nearly.pixels.size(); i += 3) nearly.pixels[i] = 255;
  folder.write("nearly.png", nearly);
  CHECK(folder.warnings({"blank.png", "nearly.png"}) ==
        "warning: blank.png: all its pixels are the same: there is nothing to see\n"
        "warning: nearly.png: nearly all its pixels are the same (250 to 255 of 255): there is "
        "hardly anything to see\n");
  folder.write("faint.png", bar(28, 13, 13, 1, 2));
  CHECK(folder.warnings({"faint.png"}) == "");
}

TEST_CASE("predict tells of the first few of many images alike") {
  const Folder folder;
  for (int i = 0; i < 8; ++i)
    folder.write("photos/" + std::to_string(i) + ".png", pattern(40, 40, 1));
  const std::string said = folder.warnings({"photos"});
  CHECK_THAT(said, Contains("warning: photos/4.png: scaled from"));
  CHECK(said.find("photos/5.png") == std::string::npos);
  CHECK_THAT(said, Catch::Matchers::EndsWith("warning: and 3 more images: scaled\n"));
}

TEST_CASE("predict --center puts a digit where MNIST has it") {
  const Folder folder;
  folder.write("scan.png", bar(300, 20, 50, 40, 200));
  folder.write("centred.png", bar(28, 12, 4, 4, 20));
  Image dark = bar(300, 20, 50, 40, 200);
  for (uint8_t& pixel : dark.pixels) pixel = static_cast<uint8_t>(255 - pixel);
  folder.write("dark.png", dark);
  const Json expected = folder.answers({"centred.png"})[0].at("tasks");
  CHECK(folder.answers({"scan.png", "--center"})[0].at("tasks") == expected);
  CHECK(folder.answers({"centred.png", "--center"})[0].at("tasks") == expected);
  CHECK(folder.answers({"dark.png", "--center", "--invert"})[0].at("tasks") == expected);
  CHECK_THAT(folder.warnings({"dark.png", "--center"}),
             StartsWith("warning: dark.png: its ground is light: --invert makes it dark, but "
                        "--center looks for a light digit on a dark one\n"));
  CHECK_THAT(folder.warnings({"scan.png", "--center", "--invert"}),
             StartsWith("warning: scan.png: its ground is dark already, and light after --invert, "
                        "but --center looks for a light digit on a dark one\n"));
  CHECK(folder.run({"predict", "run", "scan.png", "--center", "--resize", "crop"}).code == 2);
}

TEST_CASE("of a stopped run the checkpoint suffices to predict, without its data") {
  const ConfigFolder folder(
      "name: small\n"
      "dataset: {type: folder, path: photos, size: 16, resize: pad, transforms: [{type: normalize, "
      "mean: [0.2, 0.3, 0.4], std: [0.5, 0.5, 0.5]}]}\n"
      "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
      "training: {epochs: 3, batch_size: 4}\n");
  for (int i = 0; i < 16; ++i) {
    const fs::path place =
        folder / "photos" / (i < 12 ? "train" : "test") / (i % 2 ? "cat" : "dog");
    fs::create_directories(place);
    write_plain(place / (std::to_string(i) + ".png"), encode_png(pattern(20 + i, 16, 3)));
  }
  write_plain(folder / "image.png", encode_png(pattern(30, 16, 3)));
  REQUIRE(folder.run({"small.yaml", "--run-dir", "whole"}).code == 0);
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "5"}).code == 75);
  REQUIRE(folder.run({"resume", "run", "--stop-after", "7"}).code == 75);
  fs::rename(folder / "photos", folder / "away");
  const auto answer = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"predict", run, "image.png", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Result result = folder.run(words);
    CHECK(result.err ==
          "warning: image.png: scaled and padded from 30 x 16 to the model's 16 x "
          "16\n");
    REQUIRE(result.code == 0);
    return Json::parse(result.out)[0]["tasks"][0];
  };
  const Json stopped = answer("run", {});
  CHECK(stopped["probabilities"].contains("cat"));
  // A checkpoint of a finished run answers as its model.safetensors does.
  CHECK(answer("whole", {"--checkpoint", "best"}) == answer("whole", {}));
  fs::rename(folder / "away", folder / "photos");
  REQUIRE(folder.run({"resume", "run"}).code == 0);
  CHECK(bytes_of(folder / "run/model.safetensors") == bytes_of(folder / "whole/model.safetensors"));
}

}  // namespace
}  // namespace vitrine
