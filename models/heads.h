#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "framework/model/model.h"
#include "framework/training/target.h"
#include "models/parts.h"

// What every model that predicts has: tasks, each with a target and a head.
namespace vitrine {

struct TaskOptions {
  std::string name;
  std::optional<Choice<Head>> head;
  double weight = 1;
  Target target;
  std::optional<std::string> column, type;
  std::optional<Choice<Loss>> loss;

  void visit(Fields& field) {
    field("name", name, "what results and parameters call it: letters, digits, _ and -");
    field("head", head, "from its features to its outputs; null is model.head");
    field("weight", weight, "of its loss in the sum", above(0)).words({"loss_weight"});
    field("target", target, "what it is to tell of a column of classes").words({"label"});
    field("column", column, "of the data set's labels; null is its only one, or the first")
        .words({"labels", "label_column"});
    field("type", type, "what is learned of the column; null is what suits it",
          one_of({"classification", "multi_label", "regression"}))
        .words({"kind", "problem_type"});
    field("loss", loss, "its own; null is the config's where that suits it, else the usual one")
        .words({"criterion"});
  }
};

// The options of a model's tasks; a model's own derive from it and call its visit last.
struct HeadsOptions : ModelOptions {
  static constexpr const char* kDefaultHead = "linear";
  Choice<Head> head{kDefaultHead};
  std::vector<TaskOptions> tasks;

  void visit_heads(Fields& field) {
    field("head", head, "from the features to the outputs").words({"classifier"});
    field("tasks", tasks, "what to predict; none listed is one task, of the first column of labels")
        .words({"targets", "outputs"});
  }

  std::vector<TaskOptions> tasks_or_default() const;
  int64_t n_tasks() const { return std::max<int64_t>(static_cast<int64_t>(tasks.size()), 1); }
  const Choice<Head>& head_of(const TaskOptions& task) const {
    return task.head ? *task.head : head;
  }

  // Of options that are sound; without what their heads make of them.
  std::vector<Task> tasks_for(const ModelContext& images) const;

  void check_tasks(const ModelContext& images, Check& check) const;
  // `width`: columns of the features.
  void check_heads(const ModelContext& images, int64_t width, Problems& problems) const;
};

// The heads of a model's tasks, as children of it: "head", or "heads.<task>".
class Heads {
 public:
  Heads(const HeadsOptions& options, int64_t width, const ModelContext& images);

  const std::vector<Task>& tasks() const { return tasks_; }
  const std::vector<std::shared_ptr<Head>>& modules() const { return heads_; }

  // Of features [n_tasks, width], or [1, width] for all tasks. Where nothing is predicted, the
  // features themselves.
  std::vector<Value> operator()(const Value& features) const;

 private:
  std::vector<std::shared_ptr<Head>> heads_;
  std::vector<Task> tasks_;
};

// A model whose outputs are those of heads.
class ModelWithHeads : public Model {
 public:
  const std::vector<Task>& tasks() const override { return heads_of_tasks().tasks(); }
  std::vector<std::string> heads() const override {
    return tasks().empty() ? std::vector<std::string>()
                           : std::vector<std::string>{tasks().size() == 1 ? "head" : "heads"};
  }
  std::vector<Value> forward(const Value& images) final {
    return heads_of_tasks()(features(images));
  }
  // With tasks, heads and input: the first parameter that is no vector is taken to read the images.
  LayoutContext layout_context() override;

 protected:
  // After all else, so that their parameters are drawn last.
  void add_heads(const HeadsOptions& options, int64_t width, const ModelContext& images);
  // Layers of a model that goes from `first` through so many blocks.
  static std::vector<std::vector<std::string>> layers_with(std::vector<std::string> first,
                                                           int64_t n_blocks);

  // Makes `part` a part of this model, as Part::add does.
  template <class Child>
  std::shared_ptr<Child> add(const std::string& name, std::shared_ptr<Child> part) {
    adopt(*this, name, *part, part);
    return part;
  }

 private:
  // Throws Error(kInternal) where add_heads was not called.
  const Heads& heads_of_tasks() const;

  std::optional<Heads> heads_;
  ModelContext images_;
};

}  // namespace vitrine
