#include "models/heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/model/layout.h"

namespace vitrine {

std::vector<TaskOptions> HeadsOptions::tasks_or_default() const {
  TaskOptions label;
  label.name = "class";
  return tasks.empty() ? std::vector{label} : tasks;
}

void HeadsOptions::check_tasks(const ModelContext& images, Check& check) const {
  if (images.class_names.empty()) {
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
    task.target.check_against(static_cast<int64_t>(images.class_names.size()), "target", here);
  }
  const bool is_head_used = tasks.empty() || std::any_of(tasks.begin(), tasks.end(),
                                                         [](auto& task) { return !task.head; });
  // The default may stand there: a resolved config spells everything out.
  if (!is_head_used && head.type() != kDefaultHead) {
    check.no_effect("head", "every task names its own head");
  }
}

void HeadsOptions::check_heads(const ModelContext& images, int64_t width,
                               Problems& problems) const {
  if (images.class_names.empty()) return;
  for (const TaskOptions& task : tasks_or_default()) {
    const auto classes = static_cast<int64_t>(task.target.class_names(images.class_names).size());
    head_of(task).check({width, classes}, problems);
  }
}

Heads::Heads(const HeadsOptions& options, int64_t width, const ModelContext& images) {
  if (images.class_names.empty()) return;
  for (const TaskOptions& task : options.tasks_or_default()) {
    Task made;
    made.name = task.name;
    made.weight = task.weight;
    made.class_names = task.target.class_names(images.class_names);
    made.metric = "accuracy";
    made.target_of_label = task.target.of_labels(static_cast<int64_t>(images.class_names.size()));
    heads_.push_back(options.head_of(task).create({width, made.classes()}));
    heads_.back()->set_name(options.n_tasks() == 1 ? "head" : "heads." + task.name);
    made.probabilities = heads_.back()->gives_probabilities();
    tasks_.push_back(std::move(made));
  }
}

std::vector<Value> Heads::operator()(const Value& features) const {
  if (heads_.empty()) return {features};
  std::vector<Value> out;
  for (size_t i = 0; i < heads_.size(); ++i) {
    const bool shared = features.tokens() == 1;
    out.push_back((*heads_[i])(tokens(features, shared ? 0 : static_cast<int64_t>(i), 1)));
  }
  return out;
}

std::vector<std::vector<std::string>> ModelWithHeads::layers_with(std::vector<std::string> first,
                                                                  int64_t n_blocks) {
  std::vector<std::vector<std::string>> out = {std::move(first)};
  for (int64_t i = 0; i < n_blocks; ++i) out.push_back({fmt::format("blocks.{}", i)});
  return out;
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
