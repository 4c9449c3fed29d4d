#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/config/references.h"
#include "framework/data/splits.h"
#include "framework/files/paths.h"
#include "framework/files/safetensors.h"
#include "framework/model/model.h"
#include "framework/registry/given_plugins.h"
#include "framework/training/backend.h"
#include "framework/training/callbacks.h"
#include "framework/training/config.h"
#include "framework/training/derive.h"
#include "framework/training/losses.h"
#include "framework/training/objective.h"
#include "framework/training/setup.h"
#include "framework/training/weights.h"
#include "framework/training/weights_file.h"
#include "framework/training/workload.h"

// How what was written becomes a config that is sound, and what is derived from it.
namespace vitrine {
namespace {

void refuse_sweep(const Node& written, const std::string& file) {
  const Node* sweep = written.find("sweep");
  if (!sweep) return;
  refuse(sweep->key_location, "sweep: this file describes a sweep of many runs",
         "start it with: runner sweep " + escape(file));
}

// Beside those that the config names, or in their place, the command line's are loaded.
void load_plugins(Node& written) {
  const Node* plugins = written.find("plugins");
  std::vector<std::string> paths;
  Fields fields;
  fields("plugins", paths, "");
  Problems ignored;  // reported when the whole config is read
  if (plugins) fields.list()[0].value->read(*plugins, "plugins", ignored);
  for (const std::string& path : paths) {
    if (path.empty())
      refuse(plugins->location, "plugins: expected the paths of shared libraries, got \"\"");
  }
  const std::vector<std::string> loaded = vitrine::load_plugins(paths);
  if (!ignored.empty() || (!plugins && loaded.empty())) return;
  Node absolute = Node::sequence({});
  const Location place = plugins ? plugins->location : place_of_given_plugins();
  for (const std::string& file : loaded) {
    absolute.children.push_back(Node::string(file));
    absolute.children.back().location = place;
  }
  absolute.location = place;
  absolute.key_location = plugins ? plugins->key_location : place;
  written.set("plugins", std::move(absolute));
}

// A config with every default, as far as it can be read.
Node completed(Node written, const std::string& file) {
  load_plugins(written);
  return with_defaults(written, default_name(file));
}

// The keys that repeat an experiment are single values of the config.
void check_replicate(const Config& config, const std::vector<Key>& keys, Check& check) {
  std::vector<std::string> results;
  for (const Key& key : keys) {
    if (key.role == Role::kResult || key.role == Role::kReplicate) results.push_back(key.path);
  }
  for (const std::string& path : config.replicate) {
    if (std::find(results.begin(), results.end(), path) != results.end()) continue;
    const std::string near = nearest_names(path, results);
    check.error({"replicate"},
                fmt::format("\"{}\" is no key that results depend on{}", escape(path),
                            near.empty() ? "" : "; did you mean " + near + "?"));
  }
  if (config.replicate.empty())
    check.error({"replicate"}, "replicate: at least one key repeats an experiment, such as seed");
}

// Rules that need to know how many images there are.
void check_sizes(const Config& config, const DatasetInfo& info, const Check& root) {
  const DatasetOptions& options = config.dataset_options();
  Check dataset(config.dataset.node(), config.dataset.path(), root.problems());
  if (options.memory == kStream && !info.can_stream)
    dataset.no_effect("memory", "the data set " + config.dataset.type() + " has its images whole");
  const size_t before = root.problems().size();
  // The default may stand there: a resolved config spells everything out.
  if (options.crop_ratio < 1 && (!options.size || options.resize != "crop")) {
    dataset.no_effect("crop_ratio", options.size ? "resize is " + options.resize + ", not crop"
                                                 : "images keep their size (dataset.size)");
  }
  check_splits(options, info, dataset);
  const TrainingOptions& training = config.training;
  if (!training.overfit_batches || root.problems().size() > before) return;
  const int64_t images = training_images(options, info);
  const int64_t batches = (images + training.batch_size - 1) / training.batch_size;
  if (*training.overfit_batches <= batches) return;
  root.at("training")
      .error({"overfit_batches", "batch_size"},
             fmt::format(
                 "overfit_batches ({}) is more than there are: {} training images make {} batches",
                 *training.overfit_batches, images, batches));
}

// What asks for a validation split where there is none.
void check_validation(const Config& config, const DatasetInfo& info, const Check& root) {
  if (validates(config.dataset_options(), info)) return;
  constexpr const char* kWhy = "there is no validation split (dataset.validation)";
  Check training = root.at("training");
  if (config.training.early_stopping) training.no_effect("early_stopping", kWhy);
  if (!config.training.best_by.empty()) training.no_effect("best_by", kWhy);
  // The default may stand there: a resolved config spells everything out.
  if (config.dataset_options().split_seed != DatasetOptions().split_seed && !info.draws_split)
    root.at("dataset").no_effect("split_seed", kWhy);
}

// The header tells whether the file holds weights at all; whether they fit is found as they are
// loaded. What lies at an address is seen once it is fetched.
void check_weights(const Config& config, Problems& problems) {
  const WeightsOptions& weights = config.model_options().weights;
  const std::string& file = weights.file.value;
  if (file.empty() || !config.loads_weights) return;
  const Node* written = config.model.node().find("weights");
  const auto refuse = [&](const std::string& message) {
    problems.add(written ? written->location : Location(),
                 config.model.path() + ".weights: " + message,
                 "taken is a run, its model.safetensors, or what runner export RUN FILE writes");
  };
  if (weights.layout && !Registry::instance().find("layout", *weights.layout)) {
    return refuse(fmt::format("unknown layout \"{}\": there are {}", escape(*weights.layout),
                              fmt::join(Registry::instance().names("layout"), ", ")));
  }
  const auto here = local_weights(file);
  if (!here && weights.file.is_address()) return;
  std::error_code ignored;
  if (!here && std::filesystem::is_directory(file, ignored))
    return refuse(escape(file) + " has no model.safetensors: no run that was tested lies there");
  try {
    const auto header = Safetensors::header_only(here.value_or(file));
    for (const TensorView& tensor : header.tensors()) {
      if (tensor.name.starts_with("model/"))
        return refuse(escape(file) + " is a checkpoint, with all that a run needs to go on");
    }
  } catch (const Error& error) {
    const bool is_there = std::filesystem::exists(file, ignored);
    refuse(error.what() + (is_there ? "" : counted_from_here(file)));
  }
}

// What is mixed must be classes, of an experiment whose targets follow.
void check_mixed(const Config& config, const std::vector<Task>& tasks, const Check& root) {
  Check training = root.at("training");
  if (config.training.mix.empty()) return;
  if (!config.experiment_options().mixes) {
    return training.no_effect(
        "mix", fmt::format("the experiment {} {}", config.experiment.type(),
                           config.experiment_options().predicts ? "takes no mixed images"
                                                                : "predicts no labels"));
  }
  check_mix(config.training.mix, training);
  if (config.training.batch_size == 1)
    training.error({"mix", "batch_size"}, "mix: in batches of one image there is none to mix with");
  for (const Task& task : tasks) {
    const auto loss = loss_for(config.loss, task).create({{task}});
    if (task.type != TaskType::kClassification) {
      training.error({"mix"}, fmt::format("mix: labels are mixed as shares of classes, and the "
                                          "task {} is {}",
                                          task.name, to_string(task.type)));
    } else if (const auto ignored = told(*loss, "ignored", &Loss::ignored)) {
      training.error({"mix"}, fmt::format("mix: the loss of the task {} ignores the label {}, "
                                          "which cannot be a part of a mixed one",
                                          task.name, *ignored));
    }
  }
}

// What the runs of this config will tell; the fastest way to execute their experiment.
std::optional<BackendChoice> check_experiment(const Config& config,
                                              const std::shared_ptr<Model>& model,
                                              const DatasetInfo& info, const Check& root,
                                              ResolvedConfig& out) {
  Check training = root.at("training");
  const size_t before = root.problems().size();
  if (config.experiment_options().predicts) {
    Choice<Loss> usual(Config::kDefaultLoss);
    usual.read_default(Loss::kKind, root.problems());
    const bool is_default = is_same(config.loss, usual);
    check_losses(config.loss, is_default, model->tasks(), root.problems());
    check_metrics(config.training.metrics, model->tasks(), training);
  }
  if (root.problems().size() == before) check_mixed(config, model->tasks(), root);
  if (root.problems().size() > before) return std::nullopt;
  const ExperimentContext context = experiment_context(config, model, info, kLayers);
  config.experiment.check(context, root.problems());
  if (root.problems().size() > before) return std::nullopt;
  const auto experiment = config.experiment.create(context);
  for (const std::string split : {"train", "validation", "test"}) {
    if (split == "test" && !measures_tests(config, info)) continue;
    for (const Measure& measure : told(*experiment, "measures", &Experiment::measures)) {
      if (measure.is_of(split)) out.metrics[measure.in(split)] = measure.info;
    }
  }
  const bool chooses = !config.training.best_by.empty();
  const auto& measures = experiment->measures();  // one that measures nothing else goes by its loss
  const Measure& usual = measures[measures.size() > 1 ? 1 : 0];
  out.best_by = chooses ? config.training.best_by : usual.in("validation");
  if (chooses) check_validation_metric(out.best_by, out.metrics, training, "best_by");
  return choose_backend(told(*experiment, "computation", &Experiment::computation), config.device);
}

// What tasks ask of the labels that they read: a label may be ignored where all of them do.
LabelUses uses_of(const Config& config, const std::vector<Task>& tasks) {
  LabelUses out;
  for (const Task& task : tasks) {
    LabelUse use;
    use.is_distribution = task.is_distribution;
    use.ignored = told(*loss_for(config.loss, task).create({{task}}), "ignored", &Loss::ignored);
    const auto [known, is_first] = out.emplace(task.column, use);
    if (is_first) continue;
    known->second.is_distribution |= use.is_distribution;
    if (known->second.ignored != use.ignored) known->second.ignored.reset();
  }
  return out;
}

// Makes the loss that nobody asked for the usual one of what is learned, where it suits nothing;
// whether that is so.
bool take_usual_loss(Config& config, const std::vector<Task>& tasks) {
  const bool serves = std::any_of(tasks.begin(), tasks.end(), [&](const Task& task) {
    return task.loss || suits(config.loss, task);
  });
  if (tasks.empty() || serves) return false;
  config.loss = loss_for(config.loss, tasks[0]);
  return true;
}

// What the data set tells about itself, and with it the model's own rules; none where the data
// set's options are wrong.
std::optional<DatasetInfo> check_components(const Config& config, const Check& root) {
  Problems& problems = root.problems();
  if (!config.dataset.valid()) return std::nullopt;
  config.dataset.check(DataContext(), problems);
  std::optional<DatasetInfo> info;
  try {
    info = info_of(config.dataset);
  } catch (const Error&) {
    if (problems.empty()) throw;  // what is wrong with the config is said first
    return std::nullopt;
  }
  const bool predicts = config.experiment.valid() && config.experiment_options().predicts;
  if (info->columns.empty() && predicts) {
    Check(root).error({"dataset", "experiment"},
                      fmt::format("dataset: it has no labels, and the experiment {} learns to "
                                  "predict them",
                                  config.experiment.type()));
    return std::nullopt;
  }
  check_validation(config, *info, root);
  const size_t before_sizes = problems.size();
  check_sizes(config, *info, root);
  if (config.schedule.valid() && problems.size() == before_sizes) {
    const int64_t train = training_images(config.dataset_options(), *info);
    TrainingOptions whole = config.training;
    whole.max_steps.reset();  // a run that is cut short to be tried out is no mistake
    const ScheduleContext run{total_steps(whole, train), steps_per_epoch(whole, train)};
    config.schedule.check(run, problems);
    if (!validates(config.dataset_options(), *info) && problems.size() == before_sizes &&
        config.schedule.create(run)->follows_validation()) {
      Check(root).error({"schedule"},
                        "schedule: " + config.schedule.type() +
                            " goes by the loss of validation, and there is no validation "
                            "split (dataset.validation)");
    }
  }
  check_transforms(config.dataset_options().transforms, info->for_transforms(), problems);
  if (!config.model.valid() || !config.experiment.valid()) return info;
  check_weights(config, problems);
  config.model.check(model_context(config, *info), problems);
  return info;
}

}  // namespace

Node with_defaults(const Node& written, const std::string& name) {
  Config config;
  config.name = name;
  Problems ignored;
  const Fields fields = fields_of(config);
  read_fields(fields, written, "", ignored);
  return write_fields(fields);
}

ModelContext model_context(const Config& config, const DatasetInfo& info) {
  const bool predicts = !config.experiment.valid() || config.experiment_options().predicts;
  return {info.channels, info.height, info.width,
          predicts ? info.columns : std::vector<LabelColumn>()};
}

void load_plugins_of(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const bool is_folder = fs::is_directory(folder, ignored);
  const fs::path config = (is_folder ? folder : folder.parent_path()) / "config.yaml";
  if (!fs::is_regular_file(config, ignored)) return;
  Node written;
  try {
    written = load_config({config, {}, {}});
  } catch (const Error&) {
    return;  // weights alone may do without
  }
  load_plugins(written);
}

KnownKeys known_keys(Node written) {
  try {
    load_plugins(written);
  } catch (const Error&) {
    // It is said when the config is read.
  }
  Config config;
  KnownKeys out;
  list_known(fields_of(config), "", &written, out);
  return out;
}

std::shared_ptr<const ResolvedConfig> resolve(Node written, const std::string& file,
                                              bool loads_weights, const Derived& before,
                                              const Problems::KeyLister& also_known,
                                              bool elsewhere) {
  require_sound_registry();
  refuse_sweep(written, file);
  Problems problems;
  problems.also_known(also_known);
  written = with_values(
      written, {[&](const Node& config) { return completed(config, file); }, known_keys}, problems);
  load_plugins(written);
  auto config = std::make_shared<Config>();
  config->name = default_name(file);
  config->loads_weights = loads_weights;
  Fields fields = fields_of(*config);
  read_fields(fields, written, "", problems, {"base"});  // which is gone by now, but may be meant
  const bool readable = problems.are_all_broken_rules();
  // What is no mapping was refused by now; what it would turn on is not to be checked.
  const Node* stopping = written.at_path("training.early_stopping");
  if (stopping && !stopping->is_mapping()) config->training.early_stopping.reset();
  Check check(written, "", problems);
  config->check(check);
  Config untouched;
  const std::vector<Key> keys = keys_of(fields, fields_of(untouched));
  if (readable) check_replicate(*config, keys, check);
  Execution device = {"device", config->device, false, kAskedFor};
  if (!problems.empty()) device.value = "cpu";
  if (problems.empty() && !elsewhere) device = pick_device(config->device, written, before);
  // What is measured of a model that another machine computes is measured on the CPU.
  const std::string here = elsewhere ? "cpu" : device.value.get<std::string>();
  const auto info = check_components(*config, check);
  if (!problems.empty()) throw ConfigError(problems, file, readable);

  auto out = std::make_shared<ResolvedConfig>();
  out->file = file;
  out->name = config->name;
  out->keys = keys;
  out->resolved = write_fields(fields);  // what is derived below does not become a choice
  out->device = device.value;
  config->device = here;
  const auto model = config->model.create(model_context(*config, *info));
  if (!written.find("loss") && take_usual_loss(*config, model->tasks())) {
    out->resolved.set("loss", config->loss.write());
    out->keys = keys_of(fields, fields_of(untouched));
  }
  const auto choice = check_experiment(*config, model, *info, check, *out);
  config->optimizer.check({*model}, problems);
  const auto& freeze = config->model_options().weights.freeze;
  if (const std::string wrong = freeze_problem(*model, freeze); !wrong.empty()) {
    const Node* node = config->model.node().at_path("weights.freeze");
    problems.add(node ? node->location : Location(),
                 config->model.path() + ".weights.freeze: " + wrong);
  }
  // Of an experiment that cannot be made nobody knows what it measures.
  if (choice) {
    check_callbacks(*config, written, callback_context(*config, model, out->metrics, *info),
                    problems);
  }
  out->notes = problems.notes();
  if (!problems.empty()) throw ConfigError(problems, file, true);
  // Of what predicts nothing no label must be one.
  config->label_uses = uses_of(*config, model->tasks());
  const std::vector<int64_t> images = {info->channels, info->height, info->width};
  const Execution backend = pick_backend(*config, *choice, written, before, file);
  config->backend = backend.value;
  const Execution threads = pick_threads(*config, *model, images, before);
  config->threads = out->threads = threads.value;
  const Execution memory = pick_memory(*config, *info);
  config->streams = memory.value == kStream;
  out->execution = {device, backend, threads, memory};
  out->written = std::move(written);
  out->config = std::move(config);
  return out;
}

}  // namespace vitrine
