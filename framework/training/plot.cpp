#include "framework/model/plot.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "framework/config/scalar.h"
#include "framework/data/batches.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/training/inspect.h"
#include "framework/training/model_input.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The test images as the model is given them, before transforms, and their labels.
struct TestSet {
  Split split;
  Batches images;
};

TestSet load_test_set(const fs::path& source, Observer& observer) {
  if (fs::is_regular_file(source))
    throw Error(ExitCode::kUsage, escape(source.string()) +
                                      " tells nothing of a test set: give its run, or image files");
  const RunDirectory run = RunDirectory::open(source);
  const auto resolved =
      resolve(load_config({run.config().path(), {"device=cpu"}, {}}), run.config().path().string());
  const auto dataset = resolved->config->dataset.create(data_context(*resolved->config, observer));
  Preparation preparation = preparation_of(*resolved->config, info_of(resolved->config->dataset));
  preparation.transforms.clear();
  const Split split = load_test_split(*dataset);
  return {split, Batches(split, preparation, at::kCPU, 0, false)};
}

// Images of the run's test set by their numbers, and image files.
std::vector<PlotImage> load_images(const WeightsSource& source, const ModelFile& model,
                                   const std::vector<std::string>& names, Observer& observer) {
  std::optional<TestSet> test;
  std::vector<PlotImage> out;
  for (const std::string& name : names) {
    PlotImage image;
    const auto number = parse_integer(name);
    if (!number) {
      image.name = fs::path(name).filename().string();
      ReadImage read = read_image(name, model, {});
      for (const ImageNote& note : read.notes) observer.warning(note.text);
      image.pixels = std::move(read.pixels);
    } else {
      if (!test) test = load_test_set(source.path, observer);
      const Split& split = test->split;
      if (*number < 0 || *number >= split.size())
        throw Error(ExitCode::kUsage, fmt::format("there is no test image {}: the {} of the run's "
                                                  "test set are numbered from 0 to {}",
                                                  *number, split.size(), split.size() - 1));
      const Tensor index = at::tensor(at::ArrayRef<int64_t>(*number));
      image.name = fmt::format("test image {}", *number);
      const auto& columns = model.context.columns;  // none where nothing is predicted
      for (size_t i = 0; i < std::min(columns.size(), split.labels.size()); ++i)
        image.labels.push_back(label_text(split.labels[i], *number, columns[i]));
      image.pixels = test->images.pixels(index);
    }
    image.input = input_of(model, image.pixels);
    out.push_back(std::move(image));
  }
  return out;
}

std::shared_ptr<Experiment> load_experiment(const std::optional<WeightsSource>& source) {
  if (!source) throw Error(ExitCode::kUsage, "this picture is of a run: give one after its name");
  if (fs::is_regular_file(source->path)) {
    throw Error(ExitCode::kUsage, escape(source->path.string()) +
                                      " holds the model alone: give its run, whose checkpoints "
                                      "have what was trained beside it");
  }
  const RunDirectory run = RunDirectory::open(source->path);
  const auto resolved = resolve(load_config({run.config().path(), {"device=cpu"}, {}}),
                                run.config().path().string(), /*loads_weights=*/false);
  const Config& config = *resolved->config;
  const auto learner = std::make_shared<Learner>(build_learner(config, info_of(config.dataset)));
  const Place file = find_checkpoint(run, source->checkpoint.empty() ? "best" : source->checkpoint);
  restore_weights(load_checkpoint(file), learner->modules, file.shown());
  return {learner, learner->experiment.get()};
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

}  // namespace

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
  const PlotContext context = {model.model, sizes,
                               [&](const std::vector<std::string>& names) {
                                 return load_images(*weights, model, names, observer);
                               },
                               [&] { return load_experiment(weights); }};
  choice.check(context, problems);
  refuse_problems();
  const auto plot = choice.create(context);
  const Component* component = plot->component();
  Picture out = in_component(component, "draw", [&] { return plot->draw(); });
  if (!out.draw) fail(*component, "draw", "it made a picture that draws nothing");
  if (out.numbers) {
    out.numbers = [component, plot, numbers = std::move(out.numbers)] {
      return in_component(component, "numbers", numbers);
    };
  }
  if (weights) out.subject = subject_of(*weights, model);
  return out;
}

}  // namespace vitrine
