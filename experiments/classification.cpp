#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "framework/training/objective.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
constexpr int64_t kWorst = 64;
constexpr int64_t kMostClasses = 100;  // of a whole confusion matrix
constexpr size_t kMostPairs = 1000;    // of the classes of a larger one

// What is kept of the images that count for the details of one task; on the CPU.
struct Answers {
  std::vector<Tensor> numbers;                            // of the images in the split
  std::vector<Tensor> targets;                            // of values [B, K], else [B]
  std::vector<Tensor> predicted, probability, of_target;  // of classes; of values `predicted` alone
  Tensor labels;  // of several labels: images, answers and those that are right, [3, K]

  void add(Tensor output, Tensor target, const Tensor& counted, int64_t first, const Task& task) {
    Tensor number = at::arange(target.size(0)).to(target.device());
    if (counted.defined()) {
      number = counted;
      output = output.index_select(0, counted);
      target = target.index_select(0, counted);
    }
    numbers.push_back((number + first).cpu());
    if (task.type == TaskType::kMultiLabel) return count(output, target);
    targets.push_back(target.cpu());
    if (task.type == TaskType::kRegression) return predicted.push_back(output.cpu());
    const Tensor probabilities = probabilities_of(output, task);
    const auto [highest, best] = probabilities.max(1);
    predicted.push_back(best.cpu());
    probability.push_back(highest.cpu());
    of_target.push_back(probabilities.gather(1, target.unsqueeze(1)).squeeze(1).cpu());
  }

 private:
  void count(const Tensor& output, const Tensor& target) {
    const Tensor answers = labels_answered(output), wanted = target.gt(0);
    const Tensor counts =
        at::stack({wanted.sum(0), answers.sum(0), answers.logical_and(wanted).sum(0)}).cpu();
    labels = labels.defined() ? labels + counts : counts;
  }
};

// What test.json tells of a task, and the images that it went most wrong with.
struct Told {
  Json& task;
  Tensor& worst;
  const Batches& data;

  // The first images of an order: `describe` tells of one by its place among the answers.
  void list(const Tensor& numbers, const Tensor& order,
            const std::function<void(int64_t, Json&)>& describe) {
    const Tensor first = order.slice(0, 0, std::min(kWorst, order.size(0)));
    worst = data.pixels(numbers.index_select(0, first));
    task["worst"] = Json::array();
    for (int64_t i = 0; i < first.size(0); ++i) {
      const int64_t place = first[i].item<int64_t>(), index = numbers[place].item<int64_t>();
      Json one = {{"index", index}};
      if (const std::string path = data.path_of(index); !path.empty()) one["image"] = path;
      describe(place, one);
      task["worst"].push_back(std::move(one));
    }
  }
};

// How many images of a class were taken for another, or for what they are.
struct Pair {
  int64_t target = 0, predicted = 0, images = 0;
};

// Those that there are, by class and answer. Takes time by the images, not by the classes' square.
std::vector<Pair> pairs_of(const Tensor& targets, const Tensor& predicted) {
  const Tensor is = targets.contiguous(), said = predicted.contiguous();
  std::vector<std::pair<int64_t, int64_t>> all;
  for (int64_t i = 0; i < is.size(0); ++i)
    all.emplace_back(is.const_data_ptr<int64_t>()[i], said.const_data_ptr<int64_t>()[i]);
  std::sort(all.begin(), all.end());
  std::vector<Pair> out;
  for (const auto& [target, answer] : all) {
    if (out.empty() || out.back().target != target || out.back().predicted != answer)
      out.push_back({target, answer, 0});
    ++out.back().images;
  }
  return out;
}

// Rows of each class by the answer.
Json matrix_of(const std::vector<Pair>& pairs, int64_t classes) {
  const auto count = static_cast<size_t>(classes);
  std::vector<std::vector<int64_t>> rows(count, std::vector<int64_t>(count));
  for (const Pair& pair : pairs)
    rows[static_cast<size_t>(pair.target)][static_cast<size_t>(pair.predicted)] = pair.images;
  return rows;
}

// In the place of a matrix of many classes: what is confused most often.
Json most_confused(std::vector<Pair> pairs, const Task& task) {
  std::erase_if(pairs, [](const Pair& pair) { return pair.target == pair.predicted; });
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.images > b.images; });
  int64_t images = 0;
  for (const Pair& pair : pairs) images += pair.images;
  const size_t kept = std::min(pairs.size(), kMostPairs);
  const auto name = [&](int64_t number) { return task.names[static_cast<size_t>(number)]; };
  Json out = {{"what", fmt::format("of more than {} classes the {} pairs that are confused most "
                                   "often, at most",
                                   kMostClasses, kMostPairs)},
              {"distinct", pairs.size()},
              {"images", images},
              {"pairs", Json::array()}};
  for (size_t i = 0; i < kept; ++i)
    out["pairs"].push_back({{"target", name(pairs[i].target)},
                            {"predicted", name(pairs[i].predicted)},
                            {"images", pairs[i].images}});
  return out;
}

// A class or a label: how many images are of it, and what the answers make of them.
Json shares_of(const std::string& name, int64_t images, int64_t predicted, int64_t correct) {
  const auto share = [&](int64_t of) {
    return of ? Json(static_cast<double>(correct) / static_cast<double>(of)) : Json();
  };
  return {{"name", name},
          {"images", images},
          {"correct", correct},
          {"recall", share(images)},
          {"precision", share(predicted)}};
}

Json classes_of(const std::vector<Pair>& pairs, const Task& task) {
  struct Counts {
    int64_t images = 0, predicted = 0, correct = 0;
  };
  std::vector<Counts> counts(task.names.size());
  for (const Pair& pair : pairs) {
    counts[static_cast<size_t>(pair.target)].images += pair.images;
    counts[static_cast<size_t>(pair.predicted)].predicted += pair.images;
    if (pair.target == pair.predicted)
      counts[static_cast<size_t>(pair.target)].correct = pair.images;
  }
  Json out = Json::array();
  for (size_t i = 0; i < counts.size(); ++i) {
    out.push_back(
        shares_of(task.names[i], counts[i].images, counts[i].predicted, counts[i].correct));
  }
  return out;
}

// The images whose target was given the least probability, worst first.
void tell_classes(Told& out, const Answers& answers, const Task& task) {
  const Tensor of_target = at::cat(answers.of_target), predicted = at::cat(answers.predicted),
               targets = at::cat(answers.targets), probability = at::cat(answers.probability);
  std::vector<Pair> pairs = pairs_of(targets, predicted);
  out.task["classes"] = classes_of(pairs, task);
  if (task.outputs() <= kMostClasses) {
    out.task["confusion"] = matrix_of(pairs, task.outputs());
  } else {
    out.task["confused"] = most_confused(std::move(pairs), task);
  }
  const auto name = [&](const Tensor& classes, int64_t i) {
    return task.names[static_cast<size_t>(classes[i].item<int64_t>())];
  };
  const Tensor order = std::get<1>(of_target.sort(/*stable=*/true, 0, /*descending=*/false));
  out.list(at::cat(answers.numbers), order, [&](int64_t i, Json& one) {
    one["target"] = name(targets, i);
    one["predicted"] = name(predicted, i);
    one["probability"] = probability[i].item<float>();
    one["probability_of_target"] = of_target[i].item<float>();
  });
}

void tell_labels(Json& out, const Answers& answers, const Task& task) {
  out["labels"] = Json::array();
  for (int64_t i = 0; i < task.outputs(); ++i) {
    const auto count = [&](int64_t what) { return answers.labels[what][i].item<int64_t>(); };
    out["labels"].push_back(
        shares_of(task.names[static_cast<size_t>(i)], count(0), count(1), count(2)));
  }
}

// The images whose answers are farthest from their targets, worst first.
void tell_values(Told& out, const Answers& answers, const Task& task) {
  const Tensor predicted = at::cat(answers.predicted), targets = at::cat(answers.targets);
  const Tensor error = (predicted - targets).abs().mean(1);
  const auto values = [&](const Tensor& of, int64_t i) {
    Json all = Json::object();
    for (int64_t k = 0; k < task.outputs(); ++k)
      all[task.names[static_cast<size_t>(k)]] = of[i][k].item<float>();
    return all;
  };
  const Tensor order = std::get<1>(error.sort(/*stable=*/true, 0, /*descending=*/true));
  out.list(at::cat(answers.numbers), order, [&](int64_t i, Json& one) {
    one["target"] = values(targets, i);
    one["predicted"] = values(predicted, i);
    one["error"] = error[i].item<float>();
  });
}

// What test.json tells of one task besides its values.
void tell(Told out, const Answers& answers, const Task& task) {
  if (task.type == TaskType::kMultiLabel) return tell_labels(out.task, answers, task);
  if (task.type == TaskType::kRegression) return tell_values(out, answers, task);
  tell_classes(out, answers, task);
}

// Those of one task, by their names in it.
Json values_of_task(const Objective& objective, size_t task, const std::string& split,
                    const Json& values) {
  const auto& tasks = objective.tasks();
  const std::string name = tasks.size() == 1 ? "" : tasks[task].name;
  Json out = Json::object();
  for (const Measure& measure : objective.measures()) {
    if (measure.task == name) out[measure.name] = values.at(measure.in(split));
  }
  return out;
}

struct Options : ExperimentOptions {
  Options() { mixes = true; }
};

// Supervised training of a model on labelled images.
class Classification : public Experiment {
 public:
  Classification(const Options&, const ExperimentContext& context)
      : model_(context.model),
        objective_(model_->tasks(), context.loss, context.metrics, at::Device(context.device),
                   context.mixes),
        backend_(computation_of(context), context.backend, context.device) {}

  std::string warning() const override {
    return told(objective_.loss(), "warning", &Loss::warning);
  }
  bool has_own_threads() const override { return backend_.has_own_threads(); }
  const Computation& computation() const override { return backend_.computation(); }
  int64_t width() const override { return objective_.width(); }
  const std::vector<Measure>& measures() const override { return objective_.measures(); }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const std::vector<Tensor> targets = objective_.targets(batch.labels, batch.mixture);
    const auto [outputs, losses] =
        backend_.differentiate({batch.images, targets, batch.position}, share, parameters);
    return objective_.sums(outputs, losses, targets);
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const at::NoGradGuard no_grad;
    const auto& tasks = objective_.tasks();
    std::vector<double> sums(static_cast<size_t>(width()));
    std::vector<Answers> answers(tasks.size());
    const InEvaluation in_evaluation(backend_.computation().modules);
    int64_t first = 0;
    for_batches(data, options, [&](const Batch& batch) {
      const std::vector<Tensor> targets = objective_.targets(batch.labels);
      const auto [outputs, losses] = backend_.evaluate({batch.images, targets, batch.position});
      const Tensor counted = objective_.sums(outputs, losses, targets).cpu();
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += counted.const_data_ptr<double>()[i];
      for (size_t i = 0; options.details && i < tasks.size(); ++i) {
        answers[i].add(outputs[i], objective_.plain_targets(i, targets[i]),
                       objective_.counted(i, targets[i]), first, tasks[i]);
      }
      if (options.answers) options.answers(first, objective_.answers(outputs, targets));
      first += batch.size();
    });

    Evaluation out;
    out.values = values_of(measures(), options.split, sums.data(), data.size());
    for (size_t i = 0; options.details && !options.cancelled() && i < tasks.size(); ++i) {
      Json& of_task = out.tasks[tasks[i].name];
      of_task["type"] = to_string(tasks[i].type);
      of_task["values"] = values_of_task(objective_, i, options.split, out.values);
      Tensor worst;
      tell({of_task, worst, data}, answers[i], tasks[i]);
      if (worst.defined()) out.worst[tasks[i].name] = worst;
    }
    return out;
  }

 private:
  Computation computation_of(const ExperimentContext& context) const {
    Computation out = outputs_of_tasks(model_, context.image_sizes());
    out.losses = [this](const std::vector<Value>& outputs) { return objective_.losses(outputs); };
    out.weights = objective_.weights();
    return out;
  }

  std::shared_ptr<Model> model_;
  Objective objective_;
  Backend backend_;
};

VITRINE_REGISTER(Experiment, Classification, Options, "supervised training on labelled images")

}  // namespace
}  // namespace vitrine
