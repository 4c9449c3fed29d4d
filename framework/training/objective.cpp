#include "framework/training/objective.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

#include "framework/training/losses.h"

namespace vitrine {
namespace {

double sum_of(const Tensor& losses) {
  const float* values = losses.const_data_ptr<float>();
  return std::accumulate(values, values + losses.numel(), 0.0);
}

bool is_of(const Choice<Metric>& metric, TaskType type) {
  const auto& types = metric.options<MetricOptions>().types;
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_for(const Choice<Metric>& metric, const Task& task) {
  const auto& wanted = metric.options<MetricOptions>().task;
  return (!wanted || *wanted == task.name) && is_of(metric, task.type);
}

std::vector<Choice<Metric>> metrics_of(const std::vector<Choice<Metric>>& given, const Task& task) {
  std::vector<Choice<Metric>> out;
  for (const Choice<Metric>& metric : given) {
    if (is_for(metric, task)) out.push_back(metric);
  }
  if (!out.empty()) return out;
  Choice<Metric> usual(task.usual_metric);
  Problems none;
  usual.read_default(Metric::kKind, none);
  return {usual};
}

std::string name_of(const Choice<Metric>& choice, const Metric& metric) {
  const std::string own = told(metric, "name", &Metric::name);
  const bool is_plain = std::all_of(own.begin(), own.end(), [](unsigned char letter) {
    return std::isalnum(letter) || letter == '_' || letter == '-' || letter == '.';
  });
  if (!is_plain)
    fail(*metric.component(), "name",
         fmt::format("\"{}\": it may have letters, digits, _, - and .", escape(own)));
  return own.empty() ? choice.type() : own;
}

std::string goal_of(const Metric& metric) {
  const std::string out = told(metric, "goal", &Metric::goal);
  if (out != "max" && out != "min")
    fail(*metric.component(), "goal", fmt::format("\"{}\": it must be max or min", escape(out)));
  return out;
}

// Of a task whose images count differently, behind its loss: what all of them count, and how many
// do.
constexpr int64_t kShares = 1, kImages = 2;

// Where the sums of a task's loss stand.
struct LossSums {
  int64_t first = 0;
  bool has_shares = false;
  double weight = 1;

  // Over the images that count; 0 where none does.
  double mean(const double* sums, double images) const {
    if (!has_shares) return sums[first] / images;
    return sums[first + kShares] > 0 ? sums[first] / sums[first + kShares] : 0;
  }
};

int64_t width_of(const Metric& metric) {
  return in_component(metric.component(), "width", [&] {
    const int64_t width = metric.width();
    if (width < 1 && metric.component())
      fail(*metric.component(), "width", fmt::format("{}: a metric keeps one sum or more", width));
    return width;
  });
}

std::vector<double> class_weights_of(const Loss& loss, const Task& task) {
  std::vector<double> out = told(loss, "class_weights", &Loss::class_weights);
  const auto classes = static_cast<size_t>(task.outputs());
  if (!out.empty() && out.size() != classes && loss.component()) {
    fail(*loss.component(), "class_weights",
         fmt::format("{} weights for {} classes", out.size(), classes));
  }
  return out;
}

}  // namespace

Objective::Objective(std::vector<Task> tasks, std::shared_ptr<Loss> loss,
                     const std::vector<Choice<Metric>>& metrics, at::Device device, bool mixes)
    : tasks_(std::move(tasks)), loss_(std::move(loss)), mixes_(mixes) {
  for (const Task& task : tasks_) {
    bool identity = true;
    for (size_t i = 0; i < task.target_of_label.size(); ++i)
      identity &= task.target_of_label[i] == static_cast<int64_t>(i);
    Entry entry;
    if (!identity) entry.table = at::tensor(task.target_of_label).to(device);
    const bool has_classes = task.type == TaskType::kClassification && !has_shares(task);
    if (has_classes) entry.ignored = told(loss_->of(task), "ignored", &Loss::ignored);
    const std::vector<double> weights = class_weights_of(loss_->of(task), task);
    if (has_classes && !weights.empty())
      entry.class_weights = at::tensor(weights).to(device, at::kFloat);
    entry.first = width_++;
    if (entry.counts_differently()) width_ += kImages;
    for (const Choice<Metric>& choice : metrics_of(metrics, task)) {
      const auto metric = choice.create({task});
      entry.metrics.push_back({name_of(choice, *metric), metric, width_});
      width_ += width_of(*metric);
    }
    entries_.push_back(std::move(entry));
  }
  add_measures();
}

void Objective::add_measures() {
  std::vector<LossSums> all;
  for (size_t i = 0; i < tasks_.size(); ++i)
    all.push_back({entries_[i].first, entries_[i].counts_differently(), tasks_[i].weight});
  const auto add_loss = [&](const std::string& task, const Loss& loss, auto mean) {
    measures_.push_back(
        {"loss", task, {"min", told(loss, "unit", &Loss::unit)}, std::move(mean), true});
  };
  const bool differ =
      std::any_of(all.begin(), all.end(), [](const LossSums& each) { return each.has_shares; });
  add_loss("", *loss_, [all, differ](const double* sums, double images) {
    if (!differ) return sums[0] / images;
    double total = 0;
    for (const LossSums& each : all) total += each.weight * each.mean(sums, images);
    return total;
  });
  const auto add_metrics = [&](size_t task, const std::string& name) {
    const Entry& entry = entries_[task];
    for (const Counted& counted : entry.metrics) {
      const int64_t at_images = entry.ignored ? entry.first + kImages : -1;
      const auto value = [counted, at_images](const double* sums, double images) {
        return in_component(counted.metric->component(), "value", [&] {
          const double out =
              counted.metric->value(sums + counted.first, at_images < 0 ? images : sums[at_images]);
          if (std::isinf(out)) fail(*counted.metric->component(), "value", "it is infinite");
          return out;
        });
      };
      measures_.push_back({counted.name,
                           name,
                           {goal_of(*counted.metric), told(*counted.metric, "unit", &Metric::unit)},
                           value,
                           false});
    }
  };
  add_metrics(0, "");
  for (size_t i = 0; tasks_.size() > 1 && i < tasks_.size(); ++i) {
    add_loss(tasks_[i].name, loss_->of(tasks_[i]),
             [one = all[i]](const double* sums, double images) { return one.mean(sums, images); });
    add_metrics(i, tasks_[i].name);
  }
}

int64_t Objective::target_columns(size_t task) const {
  const Task& of = tasks_[task];
  const bool is_number = of.type == TaskType::kClassification && !has_shares(of);
  return is_number ? 1 : of.outputs();
}

namespace {

// 1 in the column of each row's class. (at::one_hot waits for the device to look at the numbers.)
Tensor one_hot_shares(const Tensor& classes, int64_t columns) {
  const auto floats = classes.options().dtype(at::kFloat);
  return at::zeros({classes.size(0), columns}, floats).scatter_(1, classes.unsqueeze(1), 1);
}

}  // namespace

bool Objective::has_shares(const Task& task) const { return mixes_ || task.is_distribution; }

Tensor Objective::targets_of(size_t task, const Tensor& labels) const {
  if (tasks_[task].is_number_of_class) return labels.to(at::kFloat).unsqueeze(1);
  const Entry& entry = entries_[task];
  Tensor classes = labels, counts;
  if (entry.ignored) {
    const Tensor ignored = labels.eq(*entry.ignored);
    counts = ignored.logical_not().to(at::kFloat);
    classes = labels.masked_fill(ignored, 0);  // a class that there is
  }
  if (entry.table.defined()) classes = entry.table.index_select(0, classes);
  if (mixes_ && !tasks_[task].is_distribution)
    return one_hot_shares(classes, tasks_[task].outputs());
  if (!entry.counts_differently()) return classes;
  Tensor shares = counts.defined() ? counts : at::ones_like(classes, at::kFloat);
  if (entry.class_weights.defined()) shares = shares * entry.class_weights.index_select(0, classes);
  const Tensor sum = shares.sum();
  const Tensor factor = (static_cast<double>(labels.size(0)) / sum).nan_to_num(0, 0, 0);
  // What an image of a class counts is in its loss; here is what all are divided by.
  const Tensor divided =
      (counts.defined() ? counts : at::ones_like(shares)) * factor.to(at::kFloat);
  return at::cat({classes.to(at::kFloat).unsqueeze(1), divided.unsqueeze(1)}, 1);
}

std::vector<Tensor> Objective::targets(const std::vector<Tensor>& labels,
                                       const std::optional<Mixture>& mixture) const {
  std::vector<Tensor> out;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    Tensor target = targets_of(i, labels.at(tasks_[i].column_number));
    if (mixture) {
      const Tensor own = mixture->shares.unsqueeze(1);
      const Tensor partner = target.index_select(0, mixture->partners);
      target = target * own + partner * (1 - own);
    }
    out.push_back(std::move(target));
  }
  return out;
}

Tensor Objective::plain_targets(size_t task, const Tensor& targets) const {
  if (entries_[task].counts_differently()) return targets.select(1, 0).to(at::kLong);
  return has_shares(tasks_[task]) ? targets.argmax(1) : targets;
}

Tensor Objective::counted(size_t task, const Tensor& targets) const {
  if (!entries_[task].ignored) return {};
  return targets.select(1, 1).nonzero().squeeze(1);
}

std::vector<TaskAnswers> Objective::answers(const std::vector<Tensor>& outputs,
                                            const std::vector<Tensor>& targets) const {
  std::vector<TaskAnswers> out;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const bool has_values = tasks_[i].type == TaskType::kRegression;
    const Tensor told = has_values ? outputs[i] : probabilities_of(outputs[i], tasks_[i]);
    Tensor right = plain_targets(i, targets[i]);
    if (entries_[i].ignored) right = right.masked_fill(targets[i].select(1, 1).eq(0), -1);
    out.push_back({told.to(at::kCPU, at::kFloat), right.cpu()});
  }
  return out;
}

Tensor Objective::sums(const std::vector<Tensor>& outputs, const std::vector<Tensor>& losses,
                       const std::vector<Tensor>& targets) const {
  const at::Device device = outputs[0].device();
  // MPS has no double precision.
  Tensor out = at::zeros(
      {width_},
      at::TensorOptions(at::kDouble).device(device.is_mps() ? at::Device(at::kCPU) : device));
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (device.is_cpu()) {
      auto* values = out.data_ptr<double>();
      values[entry.first] = sum_of(losses[i].to(at::kFloat).contiguous());
      values[0] += tasks_[i].weight * values[entry.first];
    } else {
      const Tensor loss = losses[i].to(out.device(), at::kDouble).sum();
      out[entry.first] += loss;
      out[0] += loss * tasks_[i].weight;
    }
    if (entry.counts_differently()) {
      // The losses were divided by what the batch counts on average: no batch is to count more.
      const Tensor divided = targets[i].select(1, 1).to(out.device(), at::kDouble);
      const Tensor mean = divided.max().reciprocal().nan_to_num(0, 0, 0);
      out[entry.first] *= mean;
      out[entry.first + kShares] += mean * divided.numel();
      out[entry.first + kImages] += divided.gt(0).sum();
    }
    const Tensor counted = this->counted(i, targets[i]);
    Tensor answers = outputs[i], wanted = plain_targets(i, targets[i]);
    if (counted.defined()) {
      answers = answers.index_select(0, counted);
      wanted = wanted.index_select(0, counted);
    }
    for (const Counted& each : entry.metrics) {
      const Tensor of_metric = out.narrow(0, each.first, each.metric->width());
      in_component(each.metric->component(), "add",
                   [&] { each.metric->add(answers, wanted, of_metric); });
    }
  }
  return out;
}

std::vector<Value> Objective::losses(const std::vector<Value>& outputs) const {
  std::vector<Value> out;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    Loss& loss = loss_->of(tasks_[i]);
    std::optional<KeptMeanwhile> kept;
    if (is_recording()) kept.emplace(loss);
    const auto place = static_cast<int64_t>(i);
    const int64_t width = target_columns(i);
    if (entries_[i].counts_differently()) {
      const Value both = input(place, width + 1);
      const Value of_image = loss(outputs[i], columns(both, 0, width), tasks_[i]);
      out.push_back(of_image * columns(both, width, 1));
    } else {
      out.push_back(loss(outputs[i], input(place, width), tasks_[i]));
    }
    if (kept && kept->has_changed()) {
      throw NotRecorded{
          "what the loss keeps changes as it computes, which no step of a program "
          "does"};
    }
  }
  return out;
}

std::vector<double> Objective::weights() const {
  std::vector<double> out;
  for (const Task& task : tasks_) out.push_back(task.weight);
  return out;
}

void check_metrics(const std::vector<Choice<Metric>>& metrics, const std::vector<Task>& tasks,
                   Check& training) {
  const size_t before = training.problems().size();
  for (const Choice<Metric>& metric : metrics) {
    std::vector<Task> meant;
    std::vector<std::string> names;
    const auto& wanted = metric.options<MetricOptions>().task;
    for (const Task& task : tasks) {
      names.push_back(task.name);
      if (is_for(metric, task)) metric.check({task}, training.problems());
      if (!wanted || *wanted == task.name) meant.push_back(task);
    }
    const auto refuse = [&](const std::string& why) {
      training.problems().add(metric.node().location, metric.path() + ": " + why);
    };
    if (meant.empty()) {
      refuse(fmt::format("there is no task {}; there are {}", escape(*wanted),
                         fmt::join(names, ", ")));
    } else if (std::none_of(meant.begin(), meant.end(),
                            [&](const Task& task) { return is_for(metric, task); })) {
      refuse(
          misfit_text(Metric::kKind, metric.type(), metric.options<MetricOptions>().types, meant));
    }
  }
  if (training.problems().size() > before) return;
  for (const Task& task : tasks) {
    std::vector<std::string> names;
    for (const Choice<Metric>& choice : metrics_of(metrics, task))
      names.push_back(name_of(choice, *choice.create({task})));
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) continue;
    training.error({"metrics"}, "metrics: " + *twice + " stands there twice");
    return;
  }
}

}  // namespace vitrine
