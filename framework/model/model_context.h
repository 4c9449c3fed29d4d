#pragma once

#include <string>
#include <vector>

#include "framework/model/weights_options.h"
#include "framework/registry/registry.h"

// What surrounds a model. Model itself is a torch::nn::Module, which takes seconds to compile.
namespace vitrine {

class Model;

// What a model is built for: the images and classes of a data set.
struct ModelContext {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<std::string> class_names;
};

// One thing that a model predicts.
struct Task {
  std::string name;
  double weight = 1;                     // of its loss in the sum
  std::vector<std::string> class_names;  // what the outputs mean
  std::vector<int64_t> target_of_label;  // the data set's label -> this task's target
  bool probabilities = false;            // the head gives probabilities, not logits
  std::string metric;                    // that such a task is usually judged by

  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

// Options that every model has; a model's own options derive from it and call its visit first.
struct ModelOptions {
  WeightsOptions weights;  // to start from

  void visit(Fields& field) {
    weights_field(field, weights).words({"pretrained", "init_from", "checkpoint_path"});
  }
};

template <>
struct KindOf<Model> {
  static constexpr const char* kKind = "model";
  using Context = ModelContext;
};

}  // namespace vitrine
