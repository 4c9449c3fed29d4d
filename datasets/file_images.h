#pragma once

#include <filesystem>

#include "framework/data/image_source.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/images/planes.h"

namespace vitrine {

// The path itself. Throws Error(kData) where nothing lies there.
inline const std::string& require_there(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) || error) return path;
  throw Error(ExitCode::kData,
              "cannot read " + escape(path) + ": no such file" + counted_from_here(path));
}

// Images of one shape whose bytes follow each other in a file, each read as it is wanted: the file
// may be larger than what can be mapped.
class FileImages : public ImageSource {
 public:
  // The first image begins at `offset`. Its channels lie one after the other, or, `channels_last`,
  // together for each pixel. Throws Error(kData) where the file cannot be opened.
  FileImages(const std::string& path, uint64_t offset, int64_t count, const ImageSize& size,
             bool channels_last)
      : file_(path), offset_(offset), count_(count), size_(size), channels_last_(channels_last) {}

  int64_t size() const override { return count_; }
  Image read(int64_t number) const override {
    const auto bytes = static_cast<uint64_t>(size_.channels * size_.height * size_.width);
    const std::string read = file_.read(offset_ + static_cast<uint64_t>(number) * bytes, bytes);
    const auto* pixels = reinterpret_cast<const uint8_t*>(read.data());
    if (!channels_last_) return image_of(pixels, size_.channels, size_.height, size_.width);
    Image out;
    out.width = size_.width;
    out.height = size_.height;
    out.channels = size_.channels;
    out.pixels.assign(pixels, pixels + bytes);
    return out;
  }

 private:
  OpenFile file_;
  uint64_t offset_;
  int64_t count_;
  ImageSize size_;
  bool channels_last_;
};

}  // namespace vitrine
