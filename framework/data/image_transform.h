#pragma once

#include "framework/data/transform.h"
#include "framework/draws.h"
#include "framework/images/image.h"

namespace vitrine {

// A transform of single images, of bytes as they were read: before those of batches, and on the
// threads that read. The result has the size and channels of the data set.
class ImageTransform : public Transform {
 public:
  // Whether it takes images of any size and makes them of the data set's: it is then given those of
  // files as they are, before they are resized.
  virtual bool takes_any_size() const { return false; }
  // Called on several threads at once. `draws` are the image's own in this epoch.
  virtual Image apply(Image image, Draws& draws) const = 0;
  // What apply makes. Throws an error that names the component.
  Image applied(Image image, Draws& draws) const {
    return in("apply", [&] { return apply(std::move(image), draws); });
  }

  // Applies it image by image, to what bytes hold: rounded, and cut to [0, 1].
  Tensor forward(const Tensor& images, const BatchPosition& position) final;
  uint64_t salt() const { return salt_; }

 protected:
  explicit ImageTransform(const TransformContext& context) : salt_(context.salt) {}

 private:
  uint64_t salt_;
};

}  // namespace vitrine
