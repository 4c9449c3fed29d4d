#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>

#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "framework/training/objective.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
constexpr int64_t kWorst = 64;

// What is kept of each image for the details of one task; on the CPU.
struct Answers {
  std::vector<Tensor> targets, predicted, probability, of_target;
};

void keep_answers(Answers& answers, const Tensor& output, const Tensor& target, const Task& task) {
  const Tensor probabilities = probabilities_of(output, task);
  const auto [highest, predicted] = probabilities.max(1);
  answers.targets.push_back(target.cpu());
  answers.predicted.push_back(predicted.cpu());
  answers.probability.push_back(highest.cpu());
  answers.of_target.push_back(probabilities.gather(1, target.unsqueeze(1)).squeeze(1).cpu());
}

Json confusion_of(const Tensor& targets, const Tensor& predicted, int64_t classes) {
  const Tensor counts = at::bincount(targets * classes + predicted, {}, classes * classes);
  Json rows = Json::array();
  for (int64_t i = 0; i < classes; ++i) {
    Json row = Json::array();
    for (int64_t j = 0; j < classes; ++j) row.push_back(counts[i * classes + j].item<int64_t>());
    rows.push_back(std::move(row));
  }
  return rows;
}

Json classes_of(const Json& confusion, const Task& task) {
  Json out = Json::array();
  for (size_t i = 0; i < task.class_names.size(); ++i) {
    int64_t images = 0, predicted = 0;
    const int64_t correct = confusion[i][i];
    for (size_t j = 0; j < task.class_names.size(); ++j) {
      images += confusion[i][j].get<int64_t>();
      predicted += confusion[j][i].get<int64_t>();
    }
    const auto share = [&](int64_t of) {
      return of ? Json(static_cast<double>(correct) / static_cast<double>(of)) : Json();
    };
    out.push_back({{"name", task.class_names[i]},
                   {"images", images},
                   {"correct", correct},
                   {"recall", share(images)},
                   {"precision", share(predicted)}});
  }
  return out;
}

// The images whose target was given the least probability, worst first, with their pixels.
Json worst_of(const Answers& answers, const Task& task, const Batches& data) {
  const Tensor of_target = at::cat(answers.of_target), predicted = at::cat(answers.predicted);
  const Tensor targets = at::cat(answers.targets), probability = at::cat(answers.probability);
  const Tensor order = std::get<1>(of_target.sort(/*stable=*/true, 0, /*descending=*/false))
                           .slice(0, 0, std::min(kWorst, of_target.size(0)));
  Json out = Json::array();
  const Tensor pixels = data.pixels(order);
  for (int64_t i = 0; i < order.size(0); ++i) {
    const int64_t index = order[i].item<int64_t>();
    const Tensor image = pixels[i].contiguous();
    const auto* bytes = image.data_ptr<uint8_t>();
    const auto name = [&](const Tensor& classes) {
      return task.class_names[static_cast<size_t>(classes[index].item<int64_t>())];
    };
    out.push_back({{"index", index},
                   {"target", name(targets)},
                   {"predicted", name(predicted)},
                   {"probability", probability[index].item<float>()},
                   {"probability_of_target", of_target[index].item<float>()},
                   {"pixels", std::vector<int>(bytes, bytes + image.numel())}});
  }
  return out;
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

// Supervised training of a model on labelled images.
class Classification : public Experiment {
 public:
  Classification(const ExperimentOptions&, const ExperimentContext& context)
      : model_(context.model),
        objective_(model_->tasks(), context.loss, context.metrics, at::Device(context.device)),
        backend_(computation_of(context), context.backend, context.device) {}

  std::string warning() const override { return objective_.loss().warning(); }
  bool has_own_threads() const override { return backend_.has_own_threads(); }
  const Computation& computation() const override { return backend_.computation(); }
  int64_t width() const override { return objective_.width(); }
  const std::vector<Measure>& measures() const override { return objective_.measures(); }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const std::vector<Tensor> targets = objective_.targets(batch.labels);
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
    for_batches(data, options, [&](const Batch& batch) {
      const std::vector<Tensor> targets = objective_.targets(batch.labels);
      const auto [outputs, losses] = backend_.evaluate({batch.images, targets, batch.position});
      const Tensor counted = objective_.sums(outputs, losses, targets).cpu();
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += counted.const_data_ptr<double>()[i];
      for (size_t i = 0; i < tasks.size(); ++i) {
        if (options.details) keep_answers(answers[i], outputs[i], targets[i], tasks[i]);
      }
    });

    Evaluation out;
    out.values = values_of(measures(), options.split, sums.data(), data.size());
    for (size_t i = 0; options.details && !options.cancelled() && i < tasks.size(); ++i) {
      const Json confusion = confusion_of(at::cat(answers[i].targets),
                                          at::cat(answers[i].predicted), tasks[i].classes());
      out.tasks[tasks[i].name] = {
          {"values", values_of_task(objective_, i, options.split, out.values)},
          {"classes", classes_of(confusion, tasks[i])},
          {"confusion", confusion},
          {"worst", worst_of(answers[i], tasks[i], data)}};
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

VITRINE_REGISTER(Experiment, Classification, ExperimentOptions,
                 "supervised training on labelled images")

}  // namespace
}  // namespace vitrine
