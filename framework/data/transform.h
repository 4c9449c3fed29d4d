#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "framework/data/batch_position.h"
#include "framework/draws.h"
#include "framework/program/normalization.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/tensor.h"

namespace vitrine {

// The images that a transform stands before.
struct TransformContext {
  int64_t channels = 0, height = 0, width = 0;
  uint64_t salt = 0;  // its place in the list, so that two of a kind draw different numbers
  bool flips_change_classes = false;  // as DatasetInfo has it
};

class Transform : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "transform";
  using Context = TransformContext;

  // Random transforms apply to training images only.
  virtual bool is_random() const { return false; }
  // What it does, where it does nothing else: models that are exported then do it themselves.
  virtual std::optional<Normalization> normalization() const { return std::nullopt; }
  virtual Tensor forward(const Tensor& images,
                         const BatchPosition& position) = 0;  // float [B, C, H, W] -> the same
  // What forward makes. Throws an error that names the component where that is not as said.
  Tensor operator()(const Tensor& images, const BatchPosition& position);
};

// The transforms of a list, each with its place as salt.
std::vector<std::shared_ptr<Transform>> make_transforms(
    const std::vector<Choice<Transform>>& choices, TransformContext context);
// Checks each, and that those of single images stand before those of whole batches.
void check_transforms(const std::vector<Choice<Transform>>& choices,
                      const TransformContext& context, Problems& problems);

}  // namespace vitrine
