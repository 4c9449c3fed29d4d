#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/training/loss.h"
#include "framework/training/model.h"

namespace vitrine {

// A model as a program.
struct Recording {
  Program program;                 // everything that it computes
  std::vector<Tensor> parameters;  // of the program
  std::vector<size_t> outputs;     // of each task
  std::vector<size_t> losses;      // of each task, where a loss was recorded too: [1, 1]
  std::string refusal;             // why it was not recorded; empty where it was
  std::string loss_refusal;        // the same of the loss

  bool is_recorded() const { return refusal.empty(); }
};

// Of a model in its present mode, training or evaluation, on images [C, H, W].
Recording record(Model& model, const std::vector<int64_t>& images, Loss* loss = nullptr);

// Executes a program step by step in libtorch, with gradients where they are enabled. One tensor
// [B, tokens, columns] for each of its outputs.
std::vector<Tensor> interpret(const Program& program, const std::vector<Tensor>& parameters,
                              const TorchFeed& feed);

// What a model computes for images on the way, by the names that its parts gave: those that end
// with `name`, each [B, tokens, columns], in the order in which they are computed. Without
// gradients. Throws Error(kUsage) for a model that cannot be recorded.
std::vector<std::pair<std::string, Tensor>> named_values(Model& model, const Tensor& images,
                                                         const std::string& name);

struct LayerSummary {
  std::string name, type;
  std::vector<int64_t> shape;  // of its output, for an image
  int64_t parameters = 0;
  int64_t flops = 0;  // of one image's forward pass; a multiplication with its addition counts two
};

// Layer by layer, in evaluation mode; of a model that cannot be recorded as a whole.
std::vector<LayerSummary> layers_of(Model& model, const std::vector<int64_t>& images);

}  // namespace vitrine
