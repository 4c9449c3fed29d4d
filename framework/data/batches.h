#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "framework/data/batch_position.h"
#include "framework/data/image_reader.h"
#include "framework/data/pixel_table.h"
#include "framework/data/readers.h"

namespace vitrine {

// What each image of a batch is mixed of: itself and another one. Where the images are.
struct Mixture {
  Tensor partners;  // int64 [B]: the other one's place in the batch
  Tensor shares;    // float [B], 0 to 1: of the image itself; the other one has the rest
};

struct Batch {
  Tensor images;  // [views * B, C, H, W]: uint8 as stored, or float where whole batches are changed
  std::vector<Tensor> labels;           // of each column of the data set, B rows each
  BatchPosition position;               // a number for each of `images`
  int64_t count = 0;                    // B
  std::optional<Mixture> mixture = {};  // where images are mixed; labels are those of each itself

  int64_t size() const { return count; }
};

// One split on the device, gathered by index; images of a source are read as they are wanted.
class Batches {
 public:
  // Random transforms are left out unless `training`; they draw from (seed, epoch, number in the
  // set).
  Batches(const Split& split, const Preparation& preparation, at::Device device, uint64_t seed,
          bool training);

  int64_t size() const { return split_.size(); }  // images
  // The file of an image; empty where it has none of its own.
  std::string path_of(int64_t number) const { return split_.path_of(number); }
  // Whether a batch takes work that had better begin before it is wanted.
  bool works_ahead() const;
  // The same without what is random, and with it.
  Batches as_evaluated() const;
  Batches as_trained() const;
  // The first so many images, or all where there are fewer.
  Batches first(int64_t count) const;

  // A batch whose images are read or changed one by one meanwhile.
  struct Begun {
    Tensor indices;
    int64_t epoch = 0, views = 1;
    Tensor pixels;  // uint8 [views * B, C, H, W]; undefined where nothing is done ahead
    std::unique_ptr<Pending> reading;
  };
  // `indices`: int64 [B] on the CPU, numbers in the split. With several views all images come once
  // for each of them, transformed anew, after each other.
  Begun begin(const Tensor& indices, int64_t epoch, int64_t views = 1) const;
  Batch finish(Begun begun) const;
  Batch gather(const Tensor& indices, int64_t epoch, int64_t views = 1) const {
    return finish(begin(indices, epoch, views));
  }
  // In their size, without what is random or done to whole batches: uint8 [B, C, H, W], on the CPU.
  Tensor pixels(const Tensor& indices) const;

 private:
  static std::pair<int64_t, int64_t> share_of(int64_t images, size_t rank);
  static void share(const Tensor& pixels);
  BatchPosition position_of(const Begun& begun) const;
  Readers::Work work_on(const Begun& begun) const;
  Tensor transformed(const Tensor& pixels, const BatchPosition& position) const;
  Tensor normalized(const Tensor& pixels, const BatchPosition& position) const;

  Split split_;
  std::shared_ptr<const ImageReader> reader_;
  std::vector<std::shared_ptr<Transform>> transforms_;  // of whole batches
  bool is_random_;                                      // random transforms are not left out
  at::Device device_;
  uint64_t seed_;
  std::shared_ptr<const Readers> readers_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
};

}  // namespace vitrine
