#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "framework/config/yaml.h"
#include "framework/files/json.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/ranks/ranks.h"
#include "framework/registry/given_plugins.h"
#include "framework/registry/plugin.h"
#include "framework/runs/metrics.h"
#include "framework/training/devices.h"
#include "framework/training/evaluation.h"
#include "framework/training/inspect.h"
#include "framework/training/metric.h"
#include "framework/training/model_file.h"
#include "framework/training/model_plugins.h"
#include "framework/training/model_program.h"
#include "framework/training/predictions.h"
#include "framework/training/rank_folder.h"
#include "framework/training/recorded.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// Of a run its own checkpoint is tested, whatever weights it may have started from.
void refuse_other_weights(const ResolvedConfig& resolved, Problems& problems) {
  const Node* weights = resolved.written.at_path("model.weights");
  if (resolved.config->model_options().weights.empty() || !weights) return;
  const Node* given = weights;
  for (const Node& child : weights->children) {
    if (child.location && child.location.source->name == "command line") given = &child;
  }
  if (!given->location || given->location.source->name != "command line") return;
  problems.add(
      given->key_location, "model.weights has no effect: a checkpoint of the run is tested",
      "--checkpoint chooses among them; a config in the run's place takes model.weights=FILE");
}

bool is_below(const std::string& path, const std::string& parent) {
  return path == parent || path.starts_with(parent + ".");
}

// The outermost paths below which a test depends on every key.
std::vector<std::string> tested_paths(const std::vector<Key>& keys) {
  std::vector<std::string> out;
  for (const Key& key : keys) {
    if (key.on_test && (out.empty() || !is_below(key.path, out.back()))) out.push_back(key.path);
  }
  return out;
}

// What the command line sets at or below `path` although a test is the same with it and without.
void refuse_without_effect(const Node& node, const std::string& path,
                           const std::vector<std::string>& tested, Problems& problems) {
  const auto covers = [&](const std::string& parent) { return is_below(path, parent); };
  if (std::any_of(tested.begin(), tested.end(), covers)) return;
  if (node.is_mapping()) {
    for (const Node& child : node.children)
      refuse_without_effect(child, join_path(path, child.key), tested, problems);
  } else if (node.location && node.location.source->name == "command line") {
    problems.add(node.key_location, path + " has no effect on a test",
                 fmt::format("a test takes {}", fmt::join(tested, ", ")));
  }
}

// Classes that were chosen among values that are not finite mean nothing. A metric may be
// undefined, as the ROC curve of a single class is.
void refuse_nonfinite(const std::vector<Measure>& measures, const Json& values,
                      const std::string& file) {
  std::vector<std::string> wrong;
  for (const Measure& measure : measures) {
    const std::string name = measure.in("test");
    const double number = values.at(name).get<double>();
    if (measure.is_loss && !std::isfinite(number))
      wrong.push_back(name + (std::isnan(number) ? " is NaN" : " is infinite"));
  }
  if (wrong.empty()) return;
  throw Error(ExitCode::kDiverged,
              fmt::format("{}: {}: these weights are finite, but of a training that has diverged",
                          file, fmt::join(wrong, ", ")));
}

// What was left at random values would be tested.
void refuse_fresh(const std::vector<std::string>& names, const std::string& file) {
  if (names.empty()) return;
  throw Error(ExitCode::kCheckpoint,
              fmt::format("{}: a test needs all weights, and these are not from the file: {}", file,
                          some_of(names, ", ")));
}

std::shared_ptr<const ResolvedConfig> resolved_test(Node written, const std::string& file,
                                                    bool of_run) {
  auto out = resolve(std::move(written), file, /*loads_weights=*/!of_run);
  Problems problems;
  refuse_without_effect(out->written, "", tested_paths(out->keys), problems);
  if (of_run) refuse_other_weights(*out, problems);
  const Node* freeze = out->written.at_path("model.weights.freeze");
  if (!of_run && freeze && freeze->location && freeze->location.source->name == "command line")
    problems.add(freeze->key_location, "model.weights.freeze has no effect on a test");
  if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text(file));
  if (!of_run && out->config->model_options().weights.empty()) {
    throw Error(ExitCode::kUsage,
                "there are no weights to test: give a run, or model.weights=FILE beside a config");
  }
  return out;
}

bool is_of_command_line(const Node& node) {
  const auto is_so = [](const Location& location) {
    return location && location.source->name == "command line";
  };
  return is_so(node.location) || is_so(node.key_location) ||
         std::any_of(node.children.begin(), node.children.end(), is_of_command_line);
}

// The checkpoint whose weights are in the model file of a run, where that carries its program and
// this checkpoint is asked for; else empty.
std::string checkpoint_of_program(const WeightsSource& weights) try {
  const RunDirectory run = RunDirectory::open(weights.path);
  if (!exists(run.model())) return "";
  const Metrics metrics = Metrics::of_run(run.metrics());
  const std::string tested = metrics.test.value("checkpoint", "");
  if (metrics.status != RunStatus::kFinished || tested.empty()) return "";
  const bool asks_for_best = weights.checkpoint.empty() || weights.checkpoint == "best";
  const std::string asked = asks_for_best
                                ? metrics.best_checkpoint
                                : find_checkpoint(run, weights.checkpoint).path().stem().string();
  const auto metadata = Safetensors::header_only(run.model()).metadata();
  const auto program = metadata.find(kProgram);
  const bool has_program = program != metadata.end() &&
                           !parse_json(program->second, run.model().shown()).contains("refusal");
  return asked == tested && has_program ? tested : "";
} catch (const Error&) {
  return "";  // what is wrong is said where it is in the way
} catch (const nlohmann::json::exception&) {
  return "";
}

// Leaves out the plug-ins that are not there. Returns why.
std::vector<std::string> keep_loadable_plugins(Node& written) {
  std::vector<std::string> out;
  Node* plugins = written.find("plugins");
  if (!plugins) return out;
  std::erase_if(plugins->children, [&](const Node& file) {
    try {
      load_plugins({file.scalar});
      return false;
    } catch (const Error& error) {
      out.emplace_back(error.what());
      return true;
    }
  });
  return out;
}

// A run's config with the program of its model file in the place of its model, without what only
// trains.
Node with_program(Node written, const std::filesystem::path& file) {
  for (const char* key : {"optimizer", "schedule", "callbacks", "loggers"}) written.erase(key);
  Node recorded = Node::mapping();
  recorded.set("type", Node::plain(recorded_model()));
  recorded.set("file", Node::string(file.string()));
  const Node* model = written.find("model");
  if (const Node* before = model ? model->find("tasks") : nullptr) {
    Node tasks = *before;
    for (Node& task : tasks.children) task.erase("head");
    recorded.set("tasks", std::move(tasks));
  }
  written.set("model", std::move(recorded));
  return written;
}

}  // namespace

std::shared_ptr<const ResolvedConfig> resolve_tested(const ConfigSource& source,
                                                     const std::optional<WeightsSource>& weights) {
  const std::string file = shown_config(source.file);
  const Node written = load_config(source, known_keys);
  std::shared_ptr<const ResolvedConfig> by_program;
  const Node* model = written.find("model");
  const bool has_program =
      weights && !(model && is_of_command_line(*model)) && !checkpoint_of_program(*weights).empty();
  std::vector<std::string> missing;
  if (has_program) {
    try {
      Node own = with_program(written, RunDirectory::open(weights->path).model().path());
      missing = keep_loadable_plugins(own);
      by_program = resolved_test(std::move(own), file, true);
    } catch (const Error&) {  // the config itself tells what is wrong with it
    }
  }
  // The kernel gives the same bits either way; libtorch multiplies other matrices.
  if (!by_program || by_program->config->backend != kFused) {
    try {
      return resolved_test(written, file, weights.has_value());
    } catch (const Error&) {
      if (!by_program) throw;
    }
  }
  for (const std::string& why : missing)
    warn_of_plugin(why + "; the model is tested by its program");
  return by_program;
}

namespace {

// Gives the answers to images that have no labels.
void answer_images(const Learner& learner, const Config& config, const DatasetInfo& info,
                   const EvaluationOptions& options, const Batches& images) {
  const at::NoGradGuard no_grad;
  learner.model->eval();
  const std::vector<Task>& tasks = learner.model->tasks();
  const PrecisionScope precision(config.training.precision);
  Backend backend(learner.model, config.backend, {info.channels, info.height, info.width},
                  config.device);
  int64_t first = 0;
  for_batches(images, options, [&](const Batch& batch) {
    const std::vector<Tensor> outputs = backend.forward({batch.images, {}, batch.position});
    std::vector<TaskAnswers> answers;
    for (size_t i = 0; i < tasks.size(); ++i) {
      const bool is_number = tasks[i].type == TaskType::kRegression;
      answers.push_back(
          {(is_number ? outputs[i] : probabilities_of(outputs[i], tasks[i])).to(at::kCPU), {}});
    }
    if (options.answers) options.answers(first, answers);
    first += batch.size();
  });
}

}  // namespace

Json test(const std::shared_ptr<const ResolvedConfig>& resolved,
          const std::optional<WeightsSource>& weights, Observer& observer,
          const std::filesystem::path& predictions) {
  const Config& config = *resolved->config;
  if (config.device == "cuda") take_gpu_of_rank();
  const auto stopped = [&] { return agreed_stop(observer) != ExitCode::kDone; };
  check_alike(*resolved);
  const auto data = load_unless_stopped(config, observer);
  if (ranks().largest(data ? 0 : 1) != 0) return nullptr;
  check_alike(*data);
  const bool is_measured = measures_tests(config, data->info);
  if (!is_measured && predictions.empty()) {
    throw Error(ExitCode::kUsage,
                fmt::format("the {} test images have no labels, so there is nothing to measure; "
                            "--predictions FILE writes what the model says of them",
                            data->test->size()));
  }
  Learner learner = build_learner(config, data->info, &observer);
  std::string from = "model.weights", file = escape(config.model_options().weights.file.value);
  refuse_fresh(learner.fresh, file);
  if (weights) {
    const RunDirectory run = RunDirectory::open(weights->path);
    const auto checkpoint = [&] {
      return find_checkpoint(run, weights->checkpoint.empty() ? "best" : weights->checkpoint);
    };
    if (config.model.type() == recorded_model()) {  // which has the weights
      file = run.model().shown();
      from = checkpoint_of_program(*weights);
      if (keeps_besides_model(learner))
        restore_besides_model(load_checkpoint(checkpoint()), learner, checkpoint().shown());
    } else {
      file = checkpoint().shown();
      restore_tested(load_checkpoint(checkpoint()), learner, file);
      from = checkpoint().path().stem().string();
    }
    warn_of_other_plugins(run);
  }
  check_alike(learner.modules);
  EvaluationOptions options;
  options.split = "test";
  options.details = true;
  const Batches train = data->train->as_evaluated();
  options.train = &train;
  options.batch_size = std::max<int64_t>(config.training.batch_size, 256);
  options.cancelled = stopped;
  std::optional<Predictions> table;
  if (!predictions.empty() && ranks().is_first()) {
    remove_forgotten(predictions);
    table.emplace(predictions, learner.model->tasks(), *data->test, is_measured);
    options.answers = [&](int64_t first, const std::vector<TaskAnswers>& answers) {
      table->add(first, answers);
    };
  }
  if (!is_measured) {
    answer_images(learner, config, data->info, options, *data->test);
    if (stopped()) return nullptr;
    if (table) table->commit();
    return {{"checkpoint", from}, {"images", data->test->size()}};
  }
  const Evaluation result = evaluated(*learner.experiment, *data->test, options);
  if (stopped()) return nullptr;
  refuse_nonfinite(learner.experiment->measures(), result.values, file);
  if (table) table->commit();
  Json out = result.values;
  for (const Measure& measure : learner.experiment->measures()) {
    out["metrics"][measure.in("test")] = {{"goal", measure.info.goal}, {"unit", measure.info.unit}};
  }
  out["checkpoint"] = from;
  out["images"] = data->test->size();
  out["tasks"] = result.tasks;
  return out;
}

}  // namespace vitrine
