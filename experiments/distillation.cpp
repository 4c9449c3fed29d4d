#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "framework/config/units.h"
#include "framework/model/tensors.h"
#include "framework/registry/register.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "framework/training/model_file.h"
#include "framework/training/objective.h"
#include "framework/training/weights.h"
#include "framework/training/weights_file.h"

namespace vitrine {
namespace {

struct Options : ExperimentOptions {
  Path teacher;
  std::optional<Choice<Model>> model;
  bool hard = false;
  double temperature = 3, weight = 0.5;
  std::optional<std::string> task;

  Options() { mixes = true; }
  void visit(Fields& field) {
    ExperimentOptions::visit(field);
    field("teacher", teacher, "whose answers are learned: a run, or its model.safetensors")
        .words({"teacher_path", "teacher_run"});
    field("model", model, "in place of a teacher: a model, with its weights")
        .words({"teacher_model"});
    field("hard", hard, "whether the teacher's answer is learned, instead of its probabilities")
        .words({"distillation_type"});
    field("temperature", temperature,
          "what both models' logits are divided by; only where not hard", above(0))
        .words({"tau", "distillation_tau", "T"});
    field("weight", weight, "of the teacher in the loss; the labels have the rest", between(0, 1))
        .words({"alpha", "distillation_alpha"});
    field("task", task,
          "the task that learns from the teacher alone; null: the only one learns from both")
        .words({"token", "distilled"});
  }

  void check(const ExperimentContext& context, Check& check) const;
  const WeightsOptions& weights() const { return model->options<ModelOptions>().weights; }
  // Of the teacher; none where it is not here.
  std::optional<std::filesystem::path> file() const {
    return local_weights(model ? weights().file.value : teacher.value);
  }
  // The number of the task that learns from the teacher; none where there is no such task.
  std::optional<size_t> taught(const std::vector<Task>& tasks) const {
    for (size_t i = 0; i < tasks.size(); ++i) {
      if (tasks.size() == 1 ? !task || tasks[i].name == *task : task && tasks[i].name == *task)
        return i;
    }
    return std::nullopt;
  }
};

// Those that are not random, as a config has them.
std::vector<std::string> fixed(const ExperimentContext& context) {
  std::vector<std::string> out;
  for (const auto& transform : context.transforms) {
    const auto made = transform.create(context.data.for_transforms());
    if (!made->is_random()) out.push_back(transform.write().json().dump());
  }
  return out;
}

// A model that answers, with the images and transforms that it is known to have learned from.
struct Teacher {
  std::shared_ptr<Model> model;
  std::optional<ModelContext> images;
  std::optional<std::vector<std::string>> transforms;
  std::vector<std::string> messages;
};

// Throws Error for what is no teacher.
Teacher load_teacher(const Options& options, const ExperimentContext& context) {
  if (!options.model) {
    const ModelFile file = load_model(*options.file());
    return {file.model, file.context, file.transforms_written, {}};
  }
  const DatasetInfo& data = context.data;
  Teacher out;
  out.model = options.model->create({data.channels, data.height, data.width, data.columns});
  LoadedWeights loaded = load_weights(*out.model, options.weights());
  if (!loaded.fresh.empty()) {
    throw Error(ExitCode::kUsage,
                fmt::format("a teacher needs all weights, and these are not from the file: {}",
                            some_of(loaded.fresh, ", ")));
  }
  out.messages = std::move(loaded.messages);
  out.model->eval();
  return out;
}

// What keeps a teacher from answering for the images of this task; empty where nothing does.
std::string misfit(const Teacher& teacher, const Task& task, const ExperimentContext& context) {
  const DatasetInfo& data = context.data;
  if (teacher.model->tasks().empty()) return "it predicts nothing";
  if (const auto& images = teacher.images;
      images && (images->channels != data.channels || images->height != data.height ||
                 images->width != data.width)) {
    return fmt::format("it takes images of {} x {} x {}, and these are {} x {} x {}",
                       images->channels, images->height, images->width, data.channels, data.height,
                       data.width);
  }
  if (task.type != TaskType::kClassification) {
    return fmt::format(
        "it teaches which of several classes an image is of, and the task \"{}\" is {}", task.name,
        to_string(task.type));
  }
  const auto& theirs = teacher.model->tasks()[0].names;
  if (theirs != task.names || teacher.model->tasks()[0].type != task.type) {
    return fmt::format("its classes are {}, and the task \"{}\" has {}",
                       escape(fmt::format("{}", fmt::join(theirs, ", "))), task.name,
                       escape(fmt::format("{}", fmt::join(task.names, ", "))));
  }
  if (teacher.transforms && *teacher.transforms != fixed(context)) {
    return fmt::format("its images went through [{}], and these through [{}]",
                       escape(fmt::format("{}", fmt::join(*teacher.transforms, ", "))),
                       escape(fmt::format("{}", fmt::join(fixed(context), ", "))));
  }
  return "";
}

void Options::check(const ExperimentContext& context, Check& check) const {
  const auto& tasks = context.model->tasks();
  const auto number = taught(tasks);
  if (!number) {
    std::vector<std::string> names;
    for (const Task& each : tasks) names.push_back(each.name);
    check.error({"task"}, fmt::format("task: which one learns from the teacher? There are {}",
                                      fmt::join(names, ", ")));
  }
  if (hard && temperature != Options().temperature)
    check.no_effect("temperature", "a hard answer has no temperature");
  const char* place = model ? "model" : "teacher";
  if (model && !teacher.empty())
    return check.error({"teacher", "model"}, "teacher and model: one of them is the teacher");
  if (!model && teacher.empty()) {
    return check.error({"teacher"}, "teacher: a run, or its model.safetensors, must be named");
  }
  if (model && weights().empty())
    return check.error({"model"}, "model: a teacher needs weights (experiment.model.weights)");
  const std::string& named = model ? weights().file.value : teacher.value;
  if (!file()) {
    if (model && weights().file.is_address()) return;  // it is fetched as the run begins
    return check.error({place}, fmt::format("{}: {} is no run that was tested, and no file", place,
                                            escape(named)));
  }
  if (!number) return;
  try {
    const std::string wrong = misfit(load_teacher(*this, context), tasks[*number], context);
    if (!wrong.empty())
      check.error({place}, fmt::format("{}: {}: {}", place, escape(named), wrong));
  } catch (const Error& error) {
    check.error({place}, fmt::format("{}: {}", place, error.what()));
  }
}

// Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"; the hard answer and a task of
// its own for the teacher: Touvron et al. 2021, "Training data-efficient image transformers".
class Distillation : public Experiment {
 public:
  Distillation(const Options& options, const ExperimentContext& context)
      : options_(options),
        objective_(context.model->tasks(), context.loss, context.metrics,
                   at::Device(context.device), context.mixes),
        taught_(*options.taught(objective_.tasks())),
        teacher_(fetched(options, context)),
        backend_(computation_of(context), context.backend, context.device) {
    const std::string wrong = misfit(teacher_, objective_.tasks()[taught_], context);
    if (!wrong.empty()) throw Error(ExitCode::kUsage, "experiment.teacher: " + wrong);
    for (const std::string& message : teacher_.messages) {
      if (context.observer) context.observer->message(message);
    }
    for (auto& parameter : teacher_.model->parameters()) parameter.set_requires_grad(false);
    teacher_.model->to(at::Device(context.device));
    const Computation answers = outputs_of_tasks(teacher_.model, context.image_sizes());
    answers_.emplace(answers, choose_backend(answers, context.device).value, context.device);
    add_measures();
  }

  std::string warning() const override {
    return told(objective_.loss(), "warning", &Loss::warning);
  }
  bool has_own_threads() const override {
    return backend_.has_own_threads() && answers_->has_own_threads();
  }
  const Computation& computation() const override { return backend_.computation(); }
  int64_t width() const override { return kOwn + objective_.width(); }
  const std::vector<Measure>& measures() const override { return measures_; }

  Tensor differentiate(const Batch& batch, double share, FlatParameters& parameters) override {
    const std::vector<Tensor> targets = objective_.targets(batch.labels, batch.mixture);
    return sums(backend_.differentiate(feed_of(batch, targets), share, parameters), targets);
  }

  Evaluation evaluate(const Batches& data, const EvaluationOptions& options) override {
    const at::NoGradGuard no_grad;
    const InEvaluation in_evaluation(backend_.computation().modules);
    Tensor all = at::zeros({width()}, at::kDouble);
    int64_t first = 0;
    for_batches(data, options, [&](const Batch& batch) {
      const std::vector<Tensor> targets = objective_.targets(batch.labels);
      const Backend::Outcome outcome = backend_.evaluate(feed_of(batch, targets));
      all += sums(outcome, targets).cpu();
      if (options.answers) options.answers(first, objective_.answers(outcome.outputs, targets));
      first += batch.size();
    });
    Evaluation out;
    out.values = values_of(measures_, options.split, all.const_data_ptr<double>(), data.size());
    return out;
  }

 private:
  static Teacher fetched(const Options& options, const ExperimentContext& context) {
    if (options.model && context.observer) fetch_weights(options.weights(), *context.observer);
    return load_teacher(options, context);
  }

  static constexpr int64_t kOwn = 2;  // sums before the objective's: what is minimised, the teacher

  Computation computation_of(const ExperimentContext& context) {
    Computation out = outputs_of_tasks(context.model, context.image_sizes());
    out.losses = [this](const std::vector<Value>& outputs) {
      std::vector<Value> losses = objective_.losses(outputs);
      losses.push_back(from_teacher(outputs[taught_]));
      return losses;
    };
    out.weights = objective_.weights();
    // A task of the teacher's own learns nothing from labels.
    if (out.weights.size() > 1) out.weights[taught_] = 0;
    for (double& weight : out.weights) weight *= 1 - options_.weight;
    out.weights.push_back(options_.weight);
    return out;
  }

  Value logs_of(const Value& output, const Task& task) const {
    constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
    return task.probabilities ? log(maximum(output, kTiny)) : output;
  }

  // Of each image [1, 1]: how far the student's probabilities are from the teacher's, in nats and
  // times the square of the temperature, so that gradients stay as large; or the student's
  // cross-entropy for the teacher's answer.
  Value from_teacher(const Value& output) const {
    const Task& task = objective_.tasks()[taught_];
    const auto place = static_cast<int64_t>(objective_.tasks().size());
    const Value student = logs_of(output, task);
    if (options_.hard) return pick(log_softmax(student), input(place)) * -1;
    const double softer = 1 / options_.temperature;
    const Value teacher = log_softmax(input(place, task.outputs()) * softer);
    const Value differences = exp(teacher) * (teacher - log_softmax(student * softer));
    return mean_over_columns(differences) *
           (static_cast<double>(task.outputs()) * options_.temperature * options_.temperature);
  }

  TorchFeed feed_of(const Batch& batch, std::vector<Tensor> targets) {
    const at::NoGradGuard no_grad;
    Tensor answer = answers_->forward({batch.images, {}, {}})[0];
    if (options_.hard) answer = answer.argmax(1);
    if (!options_.hard && teacher_.model->tasks()[0].probabilities)
      answer = answer.clamp_min(std::numeric_limits<float>::min()).log();
    targets.push_back(answer);
    return {batch.images, std::move(targets), batch.position};
  }

  Tensor sums(const Backend::Outcome& outcome, const std::vector<Tensor>& targets) const {
    std::vector<Tensor> of_labels = outcome.losses;
    of_labels.pop_back();
    const Tensor counted = objective_.sums(outcome.outputs, of_labels, targets);
    Tensor own = at::zeros({kOwn}, counted.options());
    const std::vector<double>& weights = backend_.computation().weights;
    for (size_t i = 0; i < outcome.losses.size(); ++i) {
      const Tensor sum = outcome.losses[i].to(counted.device(), at::kDouble).sum();
      own[0] += sum * weights[i];
      if (i + 1 == outcome.losses.size()) own[1] += sum;
    }
    return at::cat({own, counted});
  }

  void add_measures() {
    const auto own = [](int64_t at) {
      return [at](const double* sums, double images) { return sums[at] / images; };
    };
    measures_.push_back({"loss", "", {"min", "nats"}, own(0), true});
    std::vector<Measure> of_labels = objective_.measures();
    for (Measure& measure : of_labels) {
      if (measure.is_loss && measure.task.empty()) measure.name = "label_loss";
      measure.value = [value = measure.value](const double* sums, double images) {
        return value(sums + kOwn, images);
      };
    }
    // The one that checkpoints are chosen by stands second.
    std::rotate(of_labels.begin(), of_labels.begin() + 1, of_labels.end());
    measures_.insert(measures_.end(), of_labels.begin(), of_labels.end());
    measures_.push_back({"teacher_loss", "", {"min", "nats"}, own(1), true});
  }

  Options options_;
  Objective objective_;
  size_t taught_;  // the task that learns from the teacher
  Teacher teacher_;
  Backend backend_;
  std::optional<Backend> answers_;
  std::vector<Measure> measures_;
};

VITRINE_REGISTER(Experiment, Distillation, Options,
                 "supervised training that learns from another model's answers too")

}  // namespace
}  // namespace vitrine
