#include "framework/predicting/image_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/images/centre.h"
#include "framework/images/decode.h"
#include "framework/images/resize.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxImageBytes = uint64_t{256} << 20;

std::string read_standard_input() {
  std::string out;
  char bytes[1 << 16];
  while (const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes)) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ExitCode::kData,
                  "cannot read standard input: " + std::generic_category().message(errno));
    out.append(bytes, static_cast<size_t>(got));
    if (out.size() > kMaxImageBytes)
      throw Error(ExitCode::kData, fmt::format("cannot read standard input: at most {} bytes are "
                                               "allowed",
                                               kMaxImageBytes));
  }
  return out;
}

std::string read_bytes(const std::string& path) {
  if (path == "-") return read_standard_input();
  std::error_code error;
  if (!fs::exists(path, error) && !error) {
    throw Error(ExitCode::kData,
                "cannot read " + escape(path) + ": no such file" + counted_from_here(path));
  }
  return read_file(path, kMaxImageBytes);
}

std::string shown_colour(Colour colour) {
  if (colour == kWhite) return "white";
  if (colour == kBlack) return "black";
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

uint8_t inverted(uint8_t value) { return static_cast<uint8_t>(255 - value); }

void invert(Image& image) {
  for (uint8_t& pixel : image.pixels) pixel = inverted(pixel);
}

// What is padded is inverted as well, and is in the end what it was in training.
Colour background_of(const WantedImages& wanted, const ImageOptions& options) {
  if (options.background) return *options.background;
  const Colour trained = wanted.background.value_or(kWhite);
  if (!wanted.background || !options.invert) return trained;
  return {inverted(trained.red), inverted(trained.green), inverted(trained.blue)};
}

// In the model's size and channels.
Image shaped(Image image, const WantedImages& wanted, ResizeMode mode, Colour background,
             const ImageOptions& options) {
  if (options.centre) {
    image = with_channels(std::move(image), 1);
    if (options.invert) invert(image);
    return with_channels(centred_digit(image, wanted.width, wanted.height), wanted.channels);
  }
  image = resize(with_channels(std::move(image), wanted.channels), wanted.width, wanted.height,
                 mode, background, wanted.crop_ratio);
  if (options.invert) invert(image);
  return image;
}

std::string scaling_note(const std::string& shown, const Image& image, const WantedImages& wanted,
                         ResizeMode mode) {
  const std::string sizes = fmt::format("from {} x {} to the model's {} x {}", image.width,
                                        image.height, wanted.width, wanted.height);
  if (mode == ResizeMode::kCrop) return fmt::format("{}: scaled and cropped {}", shown, sizes);
  if (mode == ResizeMode::kPad) return fmt::format("{}: scaled and padded {}", shown, sizes);
  const double shape = static_cast<double>(image.width * wanted.height) /
                       static_cast<double>(image.height * wanted.width);
  const bool is_distorted = std::abs(std::log(shape)) > 0.1;
  return fmt::format(
      "{}: scaled {}{}", shown, sizes,
      is_distorted ? ", which distorts it: --resize crop or pad keep its shape" : "");
}

double mean_of(const Image& image) {
  double sum = 0;
  for (const uint8_t pixel : image.pixels) sum += pixel;
  return sum / static_cast<double>(image.pixels.size());
}

// The text for an image in which nothing can be seen: of one value, or whose values differ by less
// than noise does; empty for any other.
std::string blank_note(const std::string& shown, const Image& image) {
  constexpr double kNoise = 4;  // standard deviation, of 255
  const auto channels = static_cast<size_t>(image.channels);
  int least = 255, most = 0;
  double largest = 0;
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    int low = 255, high = 0;
    for (size_t i = c; i < image.pixels.size(); i += channels) {
      const int value = image.pixels[i];
      low = std::min(low, value);
      high = std::max(high, value);
      sum += value;
      squares += value * value;
    }
    const double count = static_cast<double>(image.width * image.height), mean = sum / count;
    largest = std::max(largest, high == low ? 0 : std::max(squares / count - mean * mean, 1e-9));
    least = std::min(least, low);
    most = std::max(most, high);
  }
  if (image.width * image.height == 1 || largest >= kNoise * kNoise) return "";
  if (largest == 0)
    return fmt::format("{}: all its pixels are the same: there is nothing to see", shown);
  return fmt::format(
      "{}: nearly all its pixels are the same ({} to {} of 255): there is hardly "
      "anything to see",
      shown, least, most);
}

}  // namespace

void read_preparation(const nlohmann::json& description, const std::string& file,
                      WantedImages& out) {
  if (description.contains("resize")) out.resize = resize_mode(description.at("resize"));
  if (description.contains("crop_ratio"))
    out.crop_ratio = description.at("crop_ratio").get<double>();
  if (!(out.crop_ratio >= 0.1 && out.crop_ratio <= 1))
    throw Error(ExitCode::kCheckpoint, file + ": metadata: crop_ratio must be from 0.1 to 1");
  if (!description.contains("background")) return;
  out.background = parse_colour(description.at("background").get<std::string>());
  if (!out.background)
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: metadata: background must be {}", file, kColourWords));
}

ImageInput image_input(const std::string& path, const WantedImages& wanted,
                       const ImageOptions& options) {
  const std::string name = path == "-" ? "standard input" : path, shown = escape(name);
  const Colour background = background_of(wanted, options);
  DecodeNotes found;
  Image image = decode_image(read_bytes(path), name, {background}, &found);
  if (wanted.channels != 1 && wanted.channels != 3) {
    throw Error(ExitCode::kData, fmt::format("{}: has {} channels, the model was trained on {}",
                                             shown, image.channels, wanted.channels));
  }
  ImageInput out;
  if (found.is_animated)
    out.notes.push_back({"animated", shown + ": animated: this is about its first frame"});
  if (found.is_transparent) {
    out.notes.push_back(
        {"transparent", fmt::format("{}: its transparent pixels are laid over {}; --background "
                                    "takes another colour",
                                    shown, shown_colour(background))});
  }
  const ResizeMode mode = options.resize.value_or(wanted.resize.value_or(ResizeMode::kStretch));
  const bool fits = image.width == wanted.width && image.height == wanted.height &&
                    (mode != ResizeMode::kCrop || wanted.crop_ratio == 1);
  if (!fits && !options.centre)
    out.notes.push_back({"scaled", scaling_note(shown, image, wanted, mode)});
  if (options.centre && (mean_of(image) > 127) != options.invert) {
    out.notes.push_back(
        {"light ground",
         shown +
             (options.invert ? ": its ground is dark already, and light after --invert"
                             : ": its ground is light: --invert makes it dark") +
             ", but --center looks for a light digit on a dark one"});
  }
  image = shaped(std::move(image), wanted, mode, background, options);
  const std::string blank = blank_note(shown, image);
  if (!blank.empty()) out.notes.push_back({"blank", blank});
  const auto channels = static_cast<size_t>(image.channels);
  out.planes.reserve(image.pixels.size());
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = c; i < image.pixels.size(); i += channels)
      out.planes.push_back(image.pixels[i]);
  }
  return out;
}

}  // namespace vitrine
