#include "framework/data/image_files.h"

#include <fmt/format.h>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/images/decode.h"

namespace vitrine {

namespace {

constexpr uint64_t kMaxBytes = uint64_t{256} << 20;

}  // namespace

ImageFiles::ImageFiles(std::filesystem::path folder, Names files, int64_t channels,
                       Colour background)
    : folder_(std::move(folder)),
      files_(std::move(files)),
      channels_(channels),
      background_(background) {}

std::string ImageFiles::path(int64_t number) const {
  return (folder_ / files_->at(static_cast<size_t>(number))).string();
}

Image ImageFiles::read(int64_t number) const {
  const std::string path = this->path(number);
  return with_channels(decode_image(read_file(path, kMaxBytes), escape(path), {background_}),
                       channels_);
}

uint64_t ImageFiles::stored_bytes(int64_t number) const {
  std::error_code error;  // of what is gone whoever reads it will tell
  const auto size = std::filesystem::file_size(path(number), error);
  return error ? 0 : size;
}

std::string ImageFiles::contents(int64_t number) const {
  return read_file(path(number), kMaxBytes);
}

void ImageFiles::add_to(Sha256& digest, const std::vector<int64_t>& numbers) const {
  digest.update(fmt::format("{} files\n", numbers.size()));
  for (const int64_t number : numbers) {
    const std::string& file = (*files_)[static_cast<size_t>(number)];
    std::error_code none;  // of what is gone whoever reads it will tell
    digest.update(fmt::format("{} {} {}\n", file.size(), file,
                              std::filesystem::file_size(folder_ / file, none)));
  }
}

}  // namespace vitrine
