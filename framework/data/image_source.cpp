#include "framework/data/image_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "framework/images/planes.h"

namespace vitrine {

std::string ImageSource::name(int64_t number) const {
  const std::string path = this->path(number);
  return path.empty() ? fmt::format("image {}", number) : path;
}

std::string ImageSource::contents(int64_t number) const {
  const Image image = read(number);
  return fmt::format("{} {} {}\n", image.channels, image.height, image.width) +
         std::string(image.pixels.begin(), image.pixels.end());
}

namespace {

void add_pixels(Sha256& digest, const ImageSource& source, const std::vector<int64_t>& numbers,
                bool are_all) {
  if (numbers.empty()) return;
  const Image first = source.read(numbers[0]);
  digest.update(fmt::format("{} images of [{}, {}, {}]\n", numbers.size(), first.channels,
                            first.height, first.width));
  const auto count = static_cast<int64_t>(numbers.size());
  std::vector<int64_t> places = looked_at(count, std::ssize(first.pixels));
  if (are_all) {
    places.resize(numbers.size());
    std::iota(places.begin(), places.end(), 0);
  }
  std::string planes;
  for (const int64_t place : places) {
    const Image image = source.read(numbers[static_cast<size_t>(place)]);
    planes.resize(image.pixels.size());
    write_planes(image, reinterpret_cast<uint8_t*>(planes.data()));
    digest.update(planes);
  }
}

}  // namespace

void ImageSource::add_to(Sha256& digest, const std::vector<int64_t>& numbers) const {
  add_pixels(digest, *this, numbers, false);
}

void ImageSource::add_contents(Sha256& digest, const std::vector<int64_t>& numbers) const {
  if (numbers.empty() || path(numbers[0]).empty()) return add_pixels(digest, *this, numbers, true);
  add_to(digest, numbers);
  for (const int64_t number : numbers) digest.update(contents(number));
}

std::vector<int64_t> PartOfSource::at(const std::vector<int64_t>& numbers) const {
  std::vector<int64_t> out;
  out.reserve(numbers.size());
  for (const int64_t number : numbers) out.push_back(at(number));
  return out;
}

std::vector<int64_t> looked_at(int64_t count, int64_t bytes) {
  constexpr int64_t kWhole = int64_t{256} << 20, kSome = int64_t{32} << 20, kLeast = 64;
  const bool are_few = bytes == 0 || count <= kWhole / bytes || count <= kLeast;
  const int64_t some = are_few ? count : std::max(kSome / bytes, kLeast);
  std::vector<int64_t> out;
  for (int64_t i = 0; i < some; ++i) out.push_back(are_few ? i : i * (count - 1) / (some - 1));
  return out;
}

}  // namespace vitrine
