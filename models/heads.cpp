#include "models/heads.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/error.h"
#include "framework/model/layout.h"
#include "framework/model/loss.h"

namespace vitrine {

namespace {

using Kind = LabelColumn::Kind;

// The task of a config that lists none. Its token has this name whatever it learns, so that any
// other model's weights fit.
constexpr const char* kOnlyTask = "class";

// Of those that there are; none where it has another name.
const LabelColumn* column_of(const TaskOptions& options, const ModelContext& images) {
  if (!options.column) return &images.columns.front();
  for (const LabelColumn& column : images.columns) {
    if (column.name == *options.column) return &column;
  }
  return nullptr;
}

TaskType type_of(const TaskOptions& options, const LabelColumn& column) {
  for (const TaskType type : kTaskTypes) {
    if (options.type && to_string(type) == *options.type) return type;
  }
  if (column.kind == Kind::kLabels) return TaskType::kMultiLabel;
  return column.kind == Kind::kClasses ? TaskType::kClassification : TaskType::kRegression;
}

// Why a column does not serve a type of tasks; empty where it does.
std::string misfit(const LabelColumn& column, TaskType type) {
  const std::string name = escape(column.name);
  if (column.kind == Kind::kClasses && type == TaskType::kMultiLabel)
    return fmt::format(
        "the column {} has classes, of which an image has one: classification, or "
        "regression of their numbers",
        name);
  if (column.kind == Kind::kLabels && type != TaskType::kMultiLabel)
    return fmt::format("the column {} has labels, of which an image may have several: multi_label",
                       name);
  if (column.kind != Kind::kValues || type == TaskType::kRegression) return "";
  if (type == TaskType::kClassification && column.size() > 1) return "";
  const char* shares =
      column.size() > 1 ? ", or classification where they are shares of classes" : "";
  return fmt::format("the column {} has {}: regression{}", name,
                     column.size() > 1 ? "values" : "one value", shares);
}

void check_column(const TaskOptions& options, const ModelContext& images, Check& here) {
  const LabelColumn* column = column_of(options, images);
  if (!column) {
    std::vector<std::string> names;
    for (const LabelColumn& each : images.columns) names.push_back(escape(each.name));
    return here.error({"column"}, fmt::format("there is no column {} of labels; there are {}",
                                              escape(*options.column), fmt::join(names, ", ")));
  }
  const TaskType type = type_of(options, *column);
  if (const std::string wrong = misfit(*column, type); !wrong.empty())
    return here.error({"type", "column"}, "type: " + wrong);
  if (column->kind == Kind::kClasses && type == TaskType::kClassification)
    return options.target.check_against(column->size(), "target", here);
  if (options.target.kind != Target::Kind::kLabel) {
    here.error({"target"},
               fmt::format("target: above and one_of ask for one of several classes, and the task "
                           "is {} of the column {}",
                           to_string(type), escape(column->name)));
  }
}

// Without what its head makes of it; of options that are sound. `is_only`: the config lists none.
Task described(const TaskOptions& options, const ModelContext& images, bool is_only) {
  const LabelColumn& column = *column_of(options, images);
  Task out;
  out.name = options.name;
  out.weight = options.weight;
  out.type = type_of(options, column);
  out.column = column.name;
  out.column_number = static_cast<size_t>(&column - images.columns.data());
  out.loss = options.loss;
  out.names = column.names;
  const bool has_classes = column.kind == Kind::kClasses;
  if (out.type == TaskType::kMultiLabel) {
    out.usual_loss = "binary_cross_entropy";
    out.usual_metric = "f1";
    if (is_only) out.name = "labels";
  } else if (out.type == TaskType::kRegression) {
    out.usual_loss = "mse";
    out.usual_metric = "mean_absolute_error";
    if (is_only) out.name = "value";
    out.is_number_of_class = has_classes;
    if (has_classes) out.names = {column.name};
  } else {
    out.usual_loss = "cross_entropy";
    out.usual_metric = "accuracy";
    out.is_distribution = !has_classes;
    if (has_classes) {
      out.names = options.target.class_names(column.names);
      out.target_of_label = options.target.of_labels(column.size());
    }
  }
  return out;
}

}  // namespace

std::vector<TaskOptions> HeadsOptions::tasks_or_default() const {
  TaskOptions only;
  only.name = kOnlyTask;
  return tasks.empty() ? std::vector{only} : tasks;
}

std::vector<Task> HeadsOptions::tasks_for(const ModelContext& images) const {
  std::vector<Task> out;
  if (images.columns.empty()) return out;
  for (const TaskOptions& task : tasks_or_default())
    out.push_back(described(task, images, tasks.empty()));
  return out;
}

void HeadsOptions::check_tasks(const ModelContext& images, Check& check) const {
  if (images.columns.empty()) {
    const char* why = "nothing is predicted from labels";
    if (!tasks.empty()) check.no_effect("tasks", why);
    if (head.type() != kDefaultHead) check.no_effect("head", why);
    return;
  }
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
    check_column(task, images, here);
  }
  const bool is_head_used = tasks.empty() || std::any_of(tasks.begin(), tasks.end(),
                                                         [](auto& task) { return !task.head; });
  // The default may stand there: a resolved config spells everything out.
  if (!is_head_used && head.type() != kDefaultHead) {
    check.no_effect("head", "every task names its own head");
  }
}

namespace {

bool gives_probabilities(const Head& head) {
  return told(head, "gives_probabilities", &Head::gives_probabilities);
}

}  // namespace

void HeadsOptions::check_heads(const ModelContext& images, int64_t width,
                               Problems& problems) const {
  if (images.columns.empty()) return;
  for (const TaskOptions& options : tasks_or_default()) {
    const LabelColumn* column = column_of(options, images);
    if (!column || !misfit(*column, type_of(options, *column)).empty()) continue;
    const Task task = described(options, images, tasks.empty());
    const Choice<Head>& head = head_of(options);
    const size_t before = problems.size();
    head.check({width, task.outputs()}, problems);
    const bool may_be = problems.size() > before || task.type == TaskType::kClassification;
    if (may_be || !gives_probabilities(*head.create({width, task.outputs()}))) continue;
    problems.add(head.node().location,
                 fmt::format("{}: {} gives probabilities of classes, and the task {} is {}",
                             head.path(), head.type(), task.name, to_string(task.type)));
  }
}

Heads::Heads(const HeadsOptions& options, int64_t width, const ModelContext& images) {
  tasks_ = options.tasks_for(images);
  const std::vector<TaskOptions> all = options.tasks_or_default();
  for (size_t i = 0; i < tasks_.size(); ++i) {
    heads_.push_back(options.head_of(all[i]).create({width, tasks_[i].outputs()}));
    heads_.back()->set_name(options.n_tasks() == 1 ? "head" : "heads." + all[i].name);
    tasks_[i].probabilities = gives_probabilities(*heads_.back());
  }
}

std::vector<Value> Heads::operator()(const Value& features) const {
  if (heads_.empty()) return {features};
  std::vector<Value> out;
  for (size_t i = 0; i < heads_.size(); ++i) {
    const bool shared = features.tokens() == 1;
    out.push_back((*heads_[i])(tokens(features, shared ? 0 : static_cast<int64_t>(i), 1), 1,
                               tasks_[i].outputs()));
  }
  return out;
}

std::vector<std::vector<std::string>> ModelWithHeads::layers_with(std::vector<std::string> first,
                                                                  int64_t n_blocks) {
  std::vector<std::vector<std::string>> out = {std::move(first)};
  for (int64_t i = 0; i < n_blocks; ++i) out.push_back({fmt::format("blocks.{}", i)});
  return out;
}

const Heads& ModelWithHeads::heads_of_tasks() const {
  if (!heads_) throw Error(ExitCode::kInternal, "its constructor has not called add_heads");
  return *heads_;
}

void ModelWithHeads::add_heads(const HeadsOptions& options, int64_t width,
                               const ModelContext& images) {
  images_ = images;
  heads_.emplace(options, width, images);
  const auto& modules = heads_->modules();
  if (modules.empty()) return;
  if (modules.size() == 1) {
    register_module("head", modules[0]);
    return;
  }
  auto all = register_module("heads", std::make_shared<torch::nn::Module>());
  for (size_t i = 0; i < modules.size(); ++i)
    all->register_module(heads_->tasks()[i].name, modules[i]);
}

LayoutContext ModelWithHeads::layout_context() {
  LayoutContext out = Model::layout_context();
  out.channels = images_.channels;
  out.height = images_.height;
  out.width = images_.width;
  for (const Task& task : tasks()) {
    out.tasks.push_back(task.name);
    out.heads.push_back(tasks().size() == 1 ? "head." : "heads." + task.name + ".");
  }
  const auto parameters = named_parameters();
  const auto input = std::find_if(parameters.begin(), parameters.end(),
                                  [](const auto& item) { return item.value().dim() > 1; });
  if (input != parameters.end()) out.input = input->key();
  return out;
}

}  // namespace vitrine
