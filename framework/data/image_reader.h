#pragma once

#include <memory>
#include <vector>

#include "framework/data/dataset.h"
#include "framework/data/image_transform.h"
#include "framework/images/resize.h"

namespace vitrine {

// How images come into batches.
struct Preparation {
  std::vector<std::shared_ptr<Transform>> transforms;
  ImageSize size;  // of what they are made; of none they are as the first that is stored
  ResizeMode resize = ResizeMode::kStretch;
  double crop_ratio = 1;       // of what is cropped, as `resize` takes it
  Colour background = kWhite;  // around what is padded
  int threads = 1;             // that read

  std::vector<std::shared_ptr<ImageTransform>> of_images() const;
  // Whether one of them is given images of the training set as they are stored.
  bool takes_any_size() const;
  // Whether images that have the size already are not left as they are.
  bool zooms() const { return resize == ResizeMode::kCrop && crop_ratio < 1; }
};

// The images of a split one by one, as a batch holds them before anything is done to it as a whole.
class ImageReader {
 public:
  // Of the transforms it applies those of single images.
  ImageReader(const Split& split, const Preparation& preparation, uint64_t seed);

  const ImageSize& size() const { return size_; }
  // Whether images are not given as they are stored.
  bool changes(bool is_random) const;
  // Writes the image at `row` of what is stored to `out`, [C, H, W]; it draws as `number`.
  void read(int64_t row, int64_t number, int64_t epoch, bool is_random, uint8_t* out) const;

 private:
  Image stored(int64_t row) const;
  Image fitted(Image image) const;
  Image transformed(Image image, int64_t row, int64_t number, int64_t epoch, bool is_random) const;

  Split split_;
  std::vector<std::shared_ptr<ImageTransform>> transforms_;
  ImageSize size_;
  ResizeMode resize_;
  double crop_ratio_;
  bool zooms_;
  Colour background_;
  uint64_t seed_;
};

}  // namespace vitrine
