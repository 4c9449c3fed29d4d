#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "framework/data/batches.h"
#include "framework/draws.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"

namespace vitrine {

struct MixContext {};

// The options that every mix has; its own derive from it and call its visit first.
struct MixOptions {
  std::optional<double> prob;

  void visit(Fields& field) {
    field("prob", prob,
          "share of the batches that are mixed this way; null: an equal part of what others leave",
          between(0, 1))
        .words({"p", "probability", "switch_prob"});
  }
};

// Mixes the images of a batch of training with each other. Labels follow as shares.
class Mix : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "mix";
  using Context = MixContext;
  using RequiredOptions = MixOptions;

  struct Mixed {
    Tensor images;  // of the same shape, type and device
    Mixture mixture;
  };
  // Images [B, C, H, W] as a batch has them: bytes, or float. What is random draws from `draws`,
  // which are the batch's own in this epoch.
  virtual Mixed mix(const Tensor& images, Draws& draws) = 0;
  // What mix makes. Throws an error that names the component where that is not as said.
  Mixed operator()(const Tensor& images, Draws& draws);
};

// Mixes the batches of a run as its config says.
class Mixer {
 public:
  Mixer(const std::vector<Choice<Mix>>& choices, uint64_t seed);

  // Draws by the seed, the epoch and the batch's number in it alone.
  void mix(Batch& batch, int64_t number) const;

 private:
  std::vector<std::shared_ptr<Mix>> mixes_;
  std::vector<double> shares_;  // of the batches, one each
  uint64_t seed_;
};

// Reports options that are wrong, and shares of batches of more than all.
void check_mix(const std::vector<Choice<Mix>>& choices, Check& training);

}  // namespace vitrine
