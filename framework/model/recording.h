#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/model/model.h"

namespace vitrine {

// What is computed of the images of a batch, written with the operations of operations.h.
struct Computation {
  Modules modules;              // whose parameters it computes with
  std::vector<int64_t> images;  // channels, height, width
  std::function<std::vector<Value>(const Value& images)> outputs;
  // Of each image [1, 1] each, from its outputs; may be missing.
  std::function<std::vector<Value>(const std::vector<Value>& outputs)> losses;
  std::vector<double> weights;  // of the losses, in the sum whose mean is minimised
};

// A computation as a program.
struct Recording {
  Program program;                 // everything that it computes
  std::vector<Tensor> parameters;  // of the program
  std::vector<size_t> outputs, losses;
  std::string refusal;       // why it was not recorded; empty where it was. What it
                             // changed of the modules is put back
  std::string loss_refusal;  // the same of the losses

  bool is_recorded() const { return refusal.empty(); }
};

// In the modules' present mode, training or evaluation.
Recording record(const Computation& computation);
// Of the outputs of a model's tasks for images [C, H, W].
Computation outputs_of_tasks(const std::shared_ptr<Model>& model, std::vector<int64_t> images);
Recording record(Model& model, const std::vector<int64_t>& images);
// In evaluation mode, whichever the model is in.
Recording record_evaluating(Model& model, const std::vector<int64_t>& images);
// How many numbers a model's features have for an image [C, H, W], those of all tasks together.
int64_t feature_width(Model& model, const std::vector<int64_t>& images);

// Takes the gradients of what a computation's steps do not depend on, so that nothing else changes
// it either: weight decay would.
void freeze_unused(const Computation& computation);

// Executes a program step by step in libtorch, with gradients where they are enabled. One tensor
// [B, tokens, columns] for each of its outputs.
std::vector<Tensor> interpret(const Program& program, const std::vector<Tensor>& parameters,
                              const TorchFeed& feed);

// `numbers` [B or 1, tokens, columns] of each of the images: what depends on none is the same for
// all.
Tensor of_each_image(const Tensor& numbers, const Tensor& images);

// What a model computes for images on the way, by the names that its parts gave: those that end
// with `name`, each [B, tokens, columns], in the order in which they are computed. Without
// gradients. Throws Error(kUsage) for a model that cannot be recorded.
std::vector<std::pair<std::string, Tensor>> named_values(Model& model, const Tensor& images,
                                                         const std::string& name);

struct LayerSummary {
  std::string name, type;
  std::vector<int64_t> shape;           // of its output, for an image
  int64_t parameters = 0, buffers = 0;  // numbers in them
  int64_t flops = 0;  // of one image's forward pass; a multiplication with its addition counts two
};

// Layer by layer, in evaluation mode; of a model that cannot be recorded as a whole.
std::vector<LayerSummary> layers_of(Model& model, const std::vector<int64_t>& images);

}  // namespace vitrine
