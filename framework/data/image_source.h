#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/files/sha256.h"
#include "framework/images/image.h"

namespace vitrine {

struct ImageSize {
  int64_t channels = 0, height = 0, width = 0;
};

// Images that are read one by one, by their numbers from 0 on.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual int64_t size() const = 0;
  // Of the channels that the data set tells. Called on several threads at once. Throws Error(kData)
  // where the image is missing or broken.
  virtual Image read(int64_t number) const = 0;
  // Of its file, where an image has one of its own; else empty.
  virtual std::string path(int64_t /*number*/) const { return ""; }
  // What messages and tables call an image: its path, or "image 12".
  virtual std::string name(int64_t number) const;
  // The bytes of the image's file; 0 where that is not known unless it is read.
  virtual uint64_t stored_bytes(int64_t /*number*/) const { return 0; }
  // What tells the image from others: its file, or its sizes and pixels. Throws as read does.
  virtual std::string contents(int64_t number) const;
  // Adds what tells images of these numbers from all others. By default their pixels, which are
  // read for it: images that are held give the same digest.
  virtual void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const;
};

// The pixels as tensors hold them: [C, H, W]. `out` has room for all of them.
void write_planes(const Image& image, uint8_t* out);
// The image of such pixels.
Image image_of(const uint8_t* planes, int64_t channels, int64_t height, int64_t width);

}  // namespace vitrine
