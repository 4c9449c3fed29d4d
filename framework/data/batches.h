#pragma once

#include <memory>
#include <vector>

#include "framework/data/batch_position.h"
#include "framework/data/dataset.h"

namespace vitrine {

struct Batch {
  Tensor images;  // [views * B, C, H, W]: uint8 as stored, or float where there are transforms
  std::vector<Tensor> labels;  // of each column of the data set, B rows each
  BatchPosition position;      // a number for each of `images`
  int64_t count = 0;           // B

  int64_t size() const { return count; }
};

// One split on the device, gathered by index; a split that streams is read batch by batch.
class Batches {
 public:
  // Random transforms are left out unless `training`; they draw from (seed, epoch, index).
  Batches(const Split& split, const std::vector<std::shared_ptr<Transform>>& transforms,
          at::Device device, uint64_t seed, bool training);

  int64_t size() const { return split_.size(); }  // images
  // The same without what is random, and with it.
  Batches as_evaluated() const;
  Batches as_trained() const;
  // The first so many images, or all where there are fewer.
  Batches first(int64_t count) const;
  // `indices`: int64 [B] on the CPU, numbers in the split. With several views all images come once
  // for each of them, transformed anew, after each other.
  Batch gather(const Tensor& indices, int64_t epoch, int64_t views = 1) const;
  Tensor pixels(const Tensor& indices) const;  // as stored: uint8 [B, C, H, W], on the CPU

 private:
  Tensor transformed(const Tensor& pixels, const BatchPosition& position) const;

  Split split_;
  std::vector<std::shared_ptr<Transform>> transforms_;
  bool is_random_;  // random transforms are not left out
  bool converts_;   // to float
  at::Device device_;
  uint64_t seed_;
};

}  // namespace vitrine
