#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/training/model_context.h"
#include "framework/training/torch.h"

namespace vitrine {

struct LayerSummary {
  std::string name, type;
  std::vector<int64_t> shape;  // of its output, without the batch
  int64_t parameters = 0;
  int64_t flops = 0;  // of one image's forward pass; a multiplication with its addition counts two
};

class Model : public torch::nn::Module {
 public:
  static constexpr const char* kKind = "model";
  using Context = ModelContext;

  // Images are uint8 [B, C, H, W] (pixels as stored, 255 is 1) or float (already transformed). One
  // output a task: [B, classes].
  virtual std::vector<Tensor> forward(const Tensor& images) = 0;
  virtual const std::vector<Task>& tasks() const = 0;
  // What was chosen where the config said "auto": keys of `model`, such as {"encoder", "layers"},
  // and the reason of each.
  struct Decision {
    std::string key, value, reason;
  };
  virtual std::vector<Decision> decisions() const { return {}; }
  // Whether it uses compute_threads() itself, with the same bits for any number of them. What
  // stands around it (loss, optimizer) then runs on one thread, so that the whole step has that
  // property.
  virtual bool has_own_threads() const { return false; }
  // Layer by layer, on one image [1, C, H, W].
  virtual std::vector<LayerSummary> layers(const Tensor& image);
  // Its weights under the names and shapes of another program. Throws Error(kUsage) for a layout
  // that it has no equal in.
  virtual std::map<std::string, Tensor> export_as(const std::string& layout);
};

}  // namespace vitrine
