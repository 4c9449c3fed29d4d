#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/training/tensor.h"

namespace vitrine {

// The images that a transform stands before.
struct TransformContext {
  int64_t channels = 0, height = 0, width = 0;
  uint64_t salt = 0;  // its place in the list, so that two of a kind draw different numbers
};

// Where a batch stands in training. What is random draws from these alone, never from the global
// generator, so neither the order of images nor threads matter.
struct BatchPosition {
  uint64_t seed = 0;
  int64_t epoch = 0;
  Tensor indices;  // int64 [B], on the CPU: each image's number in the training set
};

class Transform {
 public:
  static constexpr const char* kKind = "transform";
  using Context = TransformContext;

  virtual ~Transform() = default;
  // Random transforms apply to training images only.
  virtual bool is_random() const { return false; }
  virtual Tensor forward(const Tensor& images,
                         const BatchPosition& position) = 0;  // float [B, C, H, W] -> the same
};

// The transforms of a list, each with its place as salt.
std::vector<std::shared_ptr<Transform>> make_transforms(
    const std::vector<Choice<Transform>>& choices, TransformContext context);

// Numbers for image `index`, the same on any machine: a counter-based generator over (seed, epoch,
// index, salt). `salt` tells the transforms of a list apart. Source: SplitMix64, Steele, Lea and
// Flood, 2014.
class Draws {
 public:
  Draws(uint64_t seed, int64_t epoch, int64_t index, uint64_t salt);
  double uniform();                                  // [0, 1)
  double between(double lowest, double highest);     // [lowest, highest)
  int64_t integer(int64_t lowest, int64_t highest);  // both included

 private:
  uint64_t next();
  uint64_t state_;
};

}  // namespace vitrine
