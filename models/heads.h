#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "framework/training/model.h"
#include "framework/training/target.h"
#include "models/parts.h"

// What every model that predicts has: tasks, each with a target and a head.
namespace vitrine {

struct TaskOptions {
  std::string name;
  std::optional<Choice<Head>> head;
  double weight = 1;
  Target target;

  void visit(Fields& field) {
    field("name", name, "what results and parameters call it: letters, digits, _ and -");
    field("head", head, "from its features to its outputs; null is model.head");
    field("weight", weight, "of its loss in the sum", above(0)).words({"loss_weight"});
    field("target", target, "what it is to tell").words({"label"});
  }
};

// The options of a model's tasks; a model's own derive from it and call its visit last.
struct HeadsOptions : ModelOptions {
  static constexpr const char* kDefaultHead = "linear";
  Choice<Head> head{kDefaultHead};
  std::vector<TaskOptions> tasks;

  void visit_heads(Fields& field) {
    field("head", head, "from the features to the outputs").words({"classifier"});
    field("tasks", tasks, "what to predict; none listed is the one task \"class\", the label")
        .words({"targets", "outputs"});
  }

  std::vector<TaskOptions> tasks_or_default() const {
    TaskOptions label;
    label.name = "class";
    return tasks.empty() ? std::vector{label} : tasks;
  }
  int64_t n_tasks() const { return std::max<int64_t>(static_cast<int64_t>(tasks.size()), 1); }
  const Choice<Head>& head_of(const TaskOptions& task) const {
    return task.head ? *task.head : head;
  }

  void check_tasks(const ModelContext& images, Check& check) const {
    constexpr const char* kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    std::set<std::string> names;
    for (size_t i = 0; i < tasks.size(); ++i) {
      const TaskOptions& task = tasks[i];
      Check here = check.at("tasks").at(std::to_string(i).c_str());
      if (task.name.empty() || task.name.find_first_not_of(kLetters) != std::string::npos) {
        here.error({"name"}, "a task needs a name of letters, digits, _ and -");
      } else if (!names.insert(task.name).second) {
        here.error({"name"}, fmt::format("another task is named \"{}\" too", task.name));
      }
      task.target.check_against(static_cast<int64_t>(images.class_names.size()), "target", here);
    }
    const bool is_head_used = tasks.empty() || std::any_of(tasks.begin(), tasks.end(),
                                                           [](auto& task) { return !task.head; });
    // The default may stand there: a resolved config spells everything out.
    if (!is_head_used && head.type() != kDefaultHead) {
      check.no_effect("head", "every task names its own head");
    }
  }
  // `width`: columns of the features.
  void check_heads(const ModelContext& images, int64_t width, Problems& problems) const {
    for (const TaskOptions& task : tasks_or_default()) {
      const auto classes = static_cast<int64_t>(task.target.class_names(images.class_names).size());
      head_of(task).check({width, classes}, problems);
    }
  }
};

// The heads of a model's tasks, as children of it: "head", or "heads.<task>".
class Heads {
 public:
  Heads(const HeadsOptions& options, int64_t width, const ModelContext& images) {
    for (const TaskOptions& task : options.tasks_or_default()) {
      Task made;
      made.name = task.name;
      made.weight = task.weight;
      made.class_names = task.target.class_names(images.class_names);
      made.target_of_label = task.target.of_labels(static_cast<int64_t>(images.class_names.size()));
      heads_.push_back(options.head_of(task).create({width, made.classes()}));
      heads_.back()->set_name(options.n_tasks() == 1 ? "head" : "heads." + task.name);
      made.probabilities = heads_.back()->gives_probabilities();
      tasks_.push_back(std::move(made));
    }
  }

  const std::vector<Task>& tasks() const { return tasks_; }
  const std::vector<std::shared_ptr<Head>>& modules() const { return heads_; }

  // Features [n_tasks, width], or [1, width] for all tasks.
  std::vector<Value> operator()(const Value& features) const {
    std::vector<Value> out;
    for (size_t i = 0; i < heads_.size(); ++i) {
      const bool shared = features.tokens() == 1;
      out.push_back((*heads_[i])(tokens(features, shared ? 0 : static_cast<int64_t>(i), 1)));
    }
    return out;
  }

 private:
  std::vector<std::shared_ptr<Head>> heads_;
  std::vector<Task> tasks_;
};

// A model whose outputs are those of heads.
class ModelWithHeads : public Model {
 public:
  const std::vector<Task>& tasks() const override { return heads_->tasks(); }

 protected:
  // After all else, so that their parameters are drawn last.
  void add_heads(const HeadsOptions& options, int64_t width, const ModelContext& images) {
    heads_.emplace(options, width, images);
    const auto& modules = heads_->modules();
    if (modules.size() == 1) {
      register_module("head", modules[0]);
      return;
    }
    auto all = register_module("heads", std::make_shared<torch::nn::Module>());
    for (size_t i = 0; i < modules.size(); ++i)
      all->register_module(heads_->tasks()[i].name, modules[i]);
  }
  std::vector<Value> outputs(const Value& features) const { return (*heads_)(features); }

  template <class Child>
  std::shared_ptr<Child> add(const std::string& name, std::shared_ptr<Child> part) {
    part->set_name(name);
    return register_module(name, std::move(part));
  }

 private:
  std::optional<Heads> heads_;
};

}  // namespace vitrine
