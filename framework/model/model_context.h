#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/data/label_column.h"
#include "framework/model/weights_options.h"
#include "framework/registry/registry.h"

// What surrounds a model. Model itself is a torch::nn::Module, which takes seconds to compile.
namespace vitrine {

class Model;
class Loss;
struct LossContext;

template <>
struct KindOf<Loss> {
  static constexpr const char* kKind = "loss";
  using Context = LossContext;
  using CheckContext = LossContext;
};

// What a model is built for: the images and labels of a data set.
struct ModelContext {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<LabelColumn> columns;  // none where nothing is predicted
};

enum class TaskType {
  kClassification,  // one of several classes
  kMultiLabel,      // any of several labels
  kRegression       // numbers
};
inline constexpr TaskType kTaskTypes[] = {TaskType::kClassification, TaskType::kMultiLabel,
                                          TaskType::kRegression};
std::string to_string(TaskType type);  // as configs name it: "multi_label"

// One thing that a model predicts.
struct Task {
  std::string name;
  double weight = 1;  // of its loss in the sum
  TaskType type = TaskType::kClassification;
  std::vector<std::string> names;        // of its outputs: classes, labels or values
  std::string column;                    // of the data set's labels
  size_t column_number = 0;              // its place among them
  std::vector<int64_t> target_of_label;  // a class of the column -> one of this task
  bool is_distribution = false;          // targets are shares of all classes, not one of them
  bool is_number_of_class = false;       // of a regression: its target is a class's number
  bool probabilities = false;            // the head gives probabilities, not logits
  std::optional<Choice<Loss>> loss;      // its own
  std::string usual_loss, usual_metric;  // of such a task

  int64_t outputs() const { return static_cast<int64_t>(names.size()); }
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
  using CheckContext = ModelContext;
};

}  // namespace vitrine
