#include "framework/training/inspect.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/paths.h"
#include "framework/files/png.h"
#include "framework/model/plot.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/training/evaluation.h"
#include "framework/training/model.h"
#include "framework/training/model_file.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"
#include "framework/training/tensors.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The step of the best checkpoint so far; none where no epoch has been validated.
std::optional<int64_t> best_step(const RunDirectory& run) {
  const Metrics metrics = Metrics::of_run(run.metrics());
  if (metrics.status != RunStatus::kRunning) return step_of_checkpoint(metrics.best_checkpoint);
  // While a run goes on its metrics.json is older than its newest checkpoint, which knows as well.
  const nlohmann::json::json_pointer place("/run/best/step");
  const auto latest = load_latest(run.checkpoints());
  if (!latest || !latest->checkpoint.state.contains(place)) return std::nullopt;
  return json_integer(latest->checkpoint.state.at(place), escape(latest->file.string()), 0);
}

// The checkpoint that "best", "last" or a step means in a run.
Place find_checkpoint(const RunDirectory& run, const std::string& which) {
  const auto steps = checkpoint_steps(run.checkpoints());
  const std::string where = escape(run.path().string());
  if (steps.empty()) throw Error(ExitCode::kCheckpoint, where + ": the run has no checkpoint yet");
  const Folder folder = Folder::open(run.checkpoints());
  if (which == "last") return checkpoint_file(folder, steps.back());
  if (which == "best") return checkpoint_file(folder, best_step(run).value_or(steps.back()));
  int64_t step = 0;
  const auto result = std::from_chars(which.data(), which.data() + which.size(), step);
  const bool number = result.ec == std::errc() && result.ptr == which.data() + which.size();
  if (number && std::find(steps.begin(), steps.end(), step) != steps.end())
    return checkpoint_file(folder, step);
  throw Error(
      ExitCode::kUsage,
      fmt::format("{}: there is no checkpoint \"{}\"; there are best, last and the steps {}", where,
                  escape(which), fmt::join(steps, ", ")));
}

// A model ready for use, from a run or a model.safetensors.
ModelFile open_model(const WeightsSource& source) {
  load_plugins_of(source.path);  // whose parts the file names
  if (fs::is_regular_file(source.path)) {
    if (!source.checkpoint.empty())
      throw Error(ExitCode::kUsage, "--checkpoint chooses among those of a run; " +
                                        escape(source.path.string()) + " is a file");
    return load_model(source.path);
  }
  const RunDirectory run = RunDirectory::open(source.path);
  if (source.checkpoint.empty() && exists(run.model())) return load_model(run.model());
  ModelFile out;
  const auto resolved = resolve(load_config({run.config().path(), {"device=cpu"}, {}}),
                                run.config().path().string(), /*loads_weights=*/false);
  const Config& config = *resolved->config;
  const DatasetInfo info = config.dataset.create({})->info();
  out.context = model_context(config, info);
  for (const auto& choice : config.dataset_options().transforms) {
    const auto made = choice.create({info.channels, info.height, info.width});
    if (!made->is_random()) out.transforms.push_back(made);
  }
  out.model = config.model.create(out.context);
  out.backend = backend_for_cpu(out.model, out.context);
  const Place file = find_checkpoint(run, source.checkpoint.empty() ? "best" : source.checkpoint);
  out.file = file.shown();
  restore_weights(load_checkpoint(file), {{"", out.model}}, out.file);
  out.model->eval();
  return out;
}

// An image file as the model wants it: uint8 [1, C, H, W]. Colour is added or averaged away, other
// sizes are scaled.
Tensor read_image(const std::string& path, const ModelContext& wanted, bool invert,
                  Observer& observer) {
  constexpr uint64_t kMaxBytes = uint64_t{256} << 20;
  std::error_code error;
  if (!fs::exists(path, error) && !error) {
    throw Error(ExitCode::kData,
                "cannot read " + escape(path) + ": no such file" + counted_from_here(path));
  }
  const Image image = decode_png(read_file(path, kMaxBytes), path);
  Tensor pixels = at::tensor(at::ArrayRef<uint8_t>(image.pixels))
                      .view({1, image.height, image.width, image.channels});
  pixels = pixels.permute({0, 3, 1, 2}).to(at::kFloat);
  if (invert) pixels = 255 - pixels;
  if (wanted.channels == 1 && image.channels == 3) {
    // Luma, ITU-R BT.601
    pixels = (pixels * at::tensor({0.299F, 0.587F, 0.114F}).view({1, 3, 1, 1})).sum(1, true);
  } else if (wanted.channels == 3 && image.channels == 1) {
    pixels = pixels.expand({1, 3, image.height, image.width});
  } else if (wanted.channels != image.channels) {
    throw Error(ExitCode::kData, fmt::format("{}: has {} channels, the model was trained on {}",
                                             escape(path), image.channels, wanted.channels));
  }
  if (image.height != wanted.height || image.width != wanted.width) {
    observer.warning(fmt::format("{}: scaled from {} x {} to the model's {} x {}", escape(path),
                                 image.width, image.height, wanted.width, wanted.height));
    pixels = at::upsample_bilinear2d(pixels.contiguous(), {wanted.height, wanted.width}, false);
  }
  return pixels.round().clamp(0, 255).to(at::kByte);
}

// What the model is given of uint8 images.
Tensor input_of(const ModelFile& model, const Tensor& pixels) {
  if (model.transforms.empty()) return pixels;
  Tensor out = pixels.to(at::kFloat).div(255);
  for (const auto& transform : model.transforms)
    out = transform->forward(out, {0, 0, at::zeros({1}, at::kLong)});
  return out;
}

Split load_test_set(const fs::path& source, Observer& observer) {
  if (fs::is_regular_file(source))
    throw Error(ExitCode::kUsage, escape(source.string()) +
                                      " tells nothing of a test set: give its run, or PNG files");
  const RunDirectory run = RunDirectory::open(source);
  const auto resolved =
      resolve(load_config({run.config().path(), {"device=cpu"}, {}}), run.config().path().string());
  return resolved->config->dataset.create(data_context(observer))->load_test();
}

// Images of the run's test set by their numbers, and PNG files.
std::vector<PlotImage> load_images(const WeightsSource& source, const ModelFile& model,
                                   const std::vector<std::string>& names, Observer& observer) {
  std::optional<Split> split;
  std::vector<PlotImage> out;
  for (const std::string& name : names) {
    PlotImage image;
    const auto number = parse_integer(name);
    if (!number) {
      image.name = fs::path(name).filename().string();
      image.pixels = read_image(name, model.context, false, observer);
    } else {
      if (!split) split = load_test_set(source.path, observer);
      if (*number < 0 || *number >= split->size())
        throw Error(ExitCode::kUsage, fmt::format("there is no test image {}: the {} of the run's "
                                                  "test set are numbered from 0 to {}",
                                                  *number, split->size(), split->size() - 1));
      const Batches images(*split, {}, at::kCPU, 0, false);
      const Tensor index = at::tensor(at::ArrayRef<int64_t>(*number));
      image.name = fmt::format("test image {}", *number);
      image.label =
          model.context.class_names.at(static_cast<size_t>(split->labels[*number].item<int64_t>()));
      image.pixels = images.pixels(index);
    }
    image.input = input_of(model, image.pixels);
    out.push_back(std::move(image));
  }
  return out;
}

// "run 20261123-052130-1aabde of vit_digits, step 705", as far as the run tells.
std::string subject_of(const WeightsSource& source, const ModelFile& model) {
  if (fs::is_regular_file(source.path)) return source.path.string();
  const RunDirectory run = RunDirectory::open(source.path);
  std::string out = "run " + run.id(), checkpoint = fs::path(model.file).stem().string();
  try {
    const Metrics metrics = Metrics::read(run.metrics());
    out += " of " + metrics.name;
    if (!step_of_checkpoint(checkpoint)) checkpoint = metrics.test.value("checkpoint", "");
  } catch (const Error&) {
    // A picture of the weights needs no metrics.
  }
  const auto step = step_of_checkpoint(checkpoint);
  return step ? out + fmt::format(", step {}", *step) : out;
}

Json answer_of(const Tensor& probabilities, const Task& task) {
  const auto best = static_cast<size_t>(probabilities.argmax().item<int64_t>());
  Json all = Json::object();
  for (size_t i = 0; i < task.class_names.size(); ++i)
    all[task.class_names[i]] = probabilities[static_cast<int64_t>(i)].item<float>();
  return {{"task", task.name},
          {"class", task.class_names[best]},
          {"probability", all[task.class_names[best]]},
          {"probabilities", all}};
}

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

// Classes that were chosen among values that are not finite mean nothing.
// A metric may be undefined, as the ROC curve of a single class is.
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

}  // namespace

std::shared_ptr<const ResolvedConfig> resolve_tested(const ConfigSource& source, bool of_run) {
  const std::string file = shown_config(source.file);
  auto out = resolve(load_config(source, known_keys), file, /*loads_weights=*/!of_run);
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

Json test(const std::shared_ptr<const ResolvedConfig>& resolved,
          const std::optional<WeightsSource>& weights, Observer& observer) {
  const Config& config = *resolved->config;
  const auto stopped = [&] { return observer.stop_requested() != ExitCode::kDone; };
  const auto data = load_unless_stopped(config, observer);
  if (!data) return nullptr;
  Learner learner = build_learner(config, data->info, &observer);
  std::string from = "model.weights", file = escape(config.model_options().weights.file.value);
  refuse_fresh(learner.fresh, file);
  if (weights) {
    const RunDirectory run = RunDirectory::open(weights->path);
    const Place checkpoint =
        find_checkpoint(run, weights->checkpoint.empty() ? "best" : weights->checkpoint);
    file = checkpoint.shown();
    restore_weights(load_checkpoint(checkpoint), learner.modules, file);
    from = checkpoint.path().stem().string();
  }
  EvaluationOptions options;
  options.split = "test";
  options.details = true;
  const Batches train = data->train->as_evaluated();
  options.train = &train;
  options.batch_size = std::max<int64_t>(config.training.batch_size, 256);
  options.cancelled = stopped;
  const Evaluation result = learner.experiment->evaluate(*data->test, options);
  if (stopped()) return nullptr;
  refuse_nonfinite(learner.experiment->measures(), result.values, file);
  Json out = result.values;
  for (const Measure& measure : learner.experiment->measures()) {
    out["metrics"][measure.in("test")] = {{"goal", measure.info.goal}, {"unit", measure.info.unit}};
  }
  out["checkpoint"] = from;
  out["images"] = data->test->size();
  out["tasks"] = result.tasks;
  return out;
}

Json predict(const WeightsSource& source, const std::vector<std::string>& images, bool invert,
             Observer& observer) {
  const at::NoGradGuard no_grad;
  const ModelFile file = open_model(source);
  Json out = Json::array();
  for (const std::string& path : images) {
    const Tensor pixels = read_image(path, file.context, invert, observer);
    const std::vector<Tensor> outputs = file.backend->forward({input_of(file, pixels), {}, {}});
    Json tasks = Json::array();
    if (file.model->tasks().empty()) {
      throw Error(ExitCode::kUsage,
                  file.file +
                      ": the model predicts nothing: it was trained without labels, and "
                      "model.weights lets a classifier start from it");
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Task& task = file.model->tasks()[i];
      const Tensor probabilities = probabilities_of(outputs[i], task)[0];
      if (!probabilities.isfinite().all().item<bool>()) {
        throw Error(
            ExitCode::kCheckpoint,
            fmt::format("{}: its answer to {} is no finite number: the weights are damaged, "
                        "or of a training that diverged",
                        file.file, escape(path)));
      }
      tasks.push_back(answer_of(probabilities, task));
    }
    out.push_back({{"image", path}, {"tasks", tasks}});
  }
  return out;
}

Json summarize(const std::shared_ptr<const ResolvedConfig>& resolved) {
  const Config& config = *resolved->config;
  const DatasetInfo info = config.dataset.create({})->info();
  const auto model = build_model(config, info);
  Json layers = Json::array();
  int64_t flops = 0, parameters = 0;
  for (const LayerSummary& layer : layers_of(*model, {info.channels, info.height, info.width})) {
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"shape", layer.shape},
                      {"parameters", layer.parameters},
                      {"flops", layer.flops}});
    flops += layer.flops;
  }
  for (const auto& parameter : model->parameters()) parameters += parameter.numel();
  return {{"type", config.model.type()},
          {"image", {info.channels, info.height, info.width}},
          {"layers", layers},
          {"parameters", parameters},
          {"flops_per_image", flops}};
}

void export_weights(const WeightsSource& source, const fs::path& file, const std::string& layout) {
  const ModelFile model = open_model(source);
  std::vector<OwnedTensor> tensors;
  for (const auto& [name, tensor] : model.model->export_as(layout))
    tensors.push_back(to_owned(name, tensor));
  write_file_atomically(file, write_safetensors(views_of(tensors), {{"format", "pt"}}));
}

Picture plot(const std::string& name, Node options, const std::optional<WeightsSource>& weights,
             Observer& observer) {
  Node type = Node::string(name);
  type.key = "type";
  type.location = options.location;
  options.children.insert(options.children.begin(), std::move(type));
  if (weights) load_plugins_of(weights->path);  // the plot may be one of theirs
  Choice<Plot> choice;
  Problems problems;
  choice.read(options, "plot", problems);
  const auto refuse_problems = [&] {
    if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text("command line"));
  };
  refuse_problems();
  const at::NoGradGuard no_grad;
  ModelFile model;
  if (weights) model = open_model(*weights);
  const std::vector<int64_t> sizes = {model.context.channels, model.context.height,
                                      model.context.width};
  const PlotContext context = {model.model, sizes, [&](const std::vector<std::string>& names) {
                                 return load_images(*weights, model, names, observer);
                               }};
  choice.check(context, problems);
  refuse_problems();
  Picture out = choice.create(context)->draw();
  if (weights) out.subject = subject_of(*weights, model);
  return out;
}

}  // namespace vitrine
