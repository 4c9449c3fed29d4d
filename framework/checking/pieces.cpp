#include "framework/checking/pieces.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include <cmath>

#include "framework/checking/read.h"
#include "framework/data/dataset.h"
#include "framework/model/layout.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/training/config.h"
#include "framework/training/inspect.h"
#include "framework/training/losses.h"
#include "framework/training/metric.h"
#include "framework/training/setup.h"
#include "framework/training/weights.h"

namespace vitrine {
namespace {

constexpr int64_t kImages = 7;

// The tasks of a tryout's model, whose labels are of one kind.
std::vector<Task> tasks_of(const Tryout& tryout) {
  const auto resolved = resolve_tryout(tryout);
  const auto info = info_of(resolved->config->dataset);
  return build_model(*resolved->config, info)->tasks();
}

// Outputs [7, K] of a task, and targets as metrics get them: int64 [7], or float [7, K].
struct Answers {
  Tensor outputs, targets;
};

Answers answers_of(const Task& task) {
  Answers out{at::randn({kImages, task.outputs()}), Tensor()};
  const Tensor numbers = at::linspace(-1, 2, kImages * task.outputs()).view_as(out.outputs);
  if (task.type == TaskType::kClassification) {
    out.targets = at::remainder(at::arange(kImages, at::kLong), task.outputs());
    // Right for the first five.
    for (int64_t i = 0; i < 5; ++i) out.outputs[i][out.targets[i].item<int64_t>()] += 9;
  }
  if (task.type == TaskType::kMultiLabel) out.targets = numbers.gt(0.5).to(at::kFloat);
  if (task.type == TaskType::kRegression) out.targets = numbers;
  return out;
}

}  // namespace

Finding try_options(const std::string& kind, const Node& component) {
  const Component& registered = *Registry::instance().find(kind, component.find("type")->scalar);
  const auto options = make_options(registered);
  std::vector<std::string> without_help;
  const Fields fields = fields_of(registered, options.get());
  for (const Field& field : fields.list()) {
    if (field.help.empty()) without_help.push_back(field.name);
  }
  ChoiceBase choice(kind, "");
  Problems problems;
  choice.read(component, kind, problems);
  if (!problems.empty())
    return Finding::not_tried("it needs options: " + first_line(problems.text("options")));
  const Node written = choice.write();
  ChoiceBase again(kind, "");
  again.read(written, kind, problems);
  if (!problems.empty())
    return Finding::fault("what it writes of its options is refused: " + problems.text("options"));
  if (to_flow_yaml(again.write()) != to_flow_yaml(written)) {
    return Finding::fault(fmt::format("options change as they are written and read: {}, then {}",
                                      to_flow_yaml(written), to_flow_yaml(again.write())));
  }
  if (!without_help.empty())
    return Finding::fault(fmt::format("nothing is said of {}", fmt::join(without_help, ", ")));
  return Finding::sound(to_flow_yaml(written));
}

Finding try_refusals(const std::string& kind, const Node& component) {
  const Component& registered = *Registry::instance().find(kind, component.find("type")->scalar);
  const auto options = make_options(registered);
  std::vector<std::string> names = {"no_such_option"};
  const Fields fields = fields_of(registered, options.get());
  for (const Field& field : fields.list()) names.push_back(field.name);
  Node nonsense = Node::mapping();
  nonsense.set("no_such_option", Node::sequence({Node::sequence({Node::string("?")})}));
  for (const std::string& name : names) {
    Node wrong = component;
    wrong.set(name, nonsense);
    ChoiceBase choice(kind, "");
    Problems problems;
    choice.read(wrong, kind, problems);
    const std::string text = problems.text("options");
    if (problems.empty())
      return Finding::fault(fmt::format("{}: {} is taken", name, to_flow_yaml(nonsense)));
    if (text.find(name) == text.npos)
      return Finding::fault(
          fmt::format("what is said of a wrong {} does not name it: {}", name, text));
  }
  return Finding::sound(fmt::format("{} options, each with what it cannot be", names.size() - 1));
}

std::vector<Node> other_options(const std::string& kind, const Node& component) {
  ChoiceBase choice(kind, "");
  Problems problems;
  choice.read(component, kind, problems);
  std::vector<Node> out;
  choice.below([&](const Fields& fields, const Fields&) {
    for (const Field& field : fields.list()) {
      const auto schema = field.value->schema();
      const std::string now = field.value->write().scalar;
      std::vector<std::string> values;
      const auto type = schema.value("type", nlohmann::ordered_json());
      if (type == "string" && schema.contains("enum"))
        values = schema.at("enum").get<std::vector<std::string>>();
      if (type == "boolean") values = {"true", "false"};
      for (const std::string& value : values) {
        if (value == now) continue;
        Node one = Node::mapping();
        one.set(field.name, Node::plain(value));
        out.push_back(std::move(one));
      }
    }
  });
  return out;
}

namespace {

Tensor normalized(const Tensor& images, const Normalization& by) {
  const auto of_channels = [](const std::vector<double>& numbers) {
    return at::tensor(numbers, at::kFloat).view({1, -1, 1, 1});
  };
  return (images - of_channels(by.mean)) / of_channels(by.std);
}

}  // namespace

Finding try_transform(const Node& component) {
  const auto choice = read<Transform>(component);
  std::vector<std::string> sizes;
  for (const TransformContext& context :
       {TransformContext{1, 28, 28, 0}, TransformContext{3, 16, 20, 0}}) {
    Problems problems;
    choice.check(context, problems);
    if (!problems.empty()) continue;
    const auto transform = choice.create(context);
    torch::manual_seed(0);
    const Tensor images = at::rand({kImages, context.channels, context.height, context.width});
    const BatchPosition position{3, 1, at::arange(kImages)};
    const Tensor before = images.clone(), made = (*transform)(images.clone(), position).clone();
    if (!made.isfinite().all().item<bool>())
      return Finding::fault("it makes numbers that are not finite");
    torch::manual_seed(1);
    const Tensor again = (*transform)(before.clone(), position);
    if (!made.equal(again)) {
      return Finding::fault(
          "the same images give other ones the second time: what is random must "
          "draw from the position");
    }
    std::vector<Tensor> alone;
    for (int64_t i = 0; i < kImages; ++i) {
      const BatchPosition own{3, 1, position.indices.narrow(0, i, 1)};
      alone.push_back((*transform)(before.narrow(0, i, 1).clone(), own).clone());
    }
    if (!at::cat(alone).allclose(made, 1e-5, 1e-6))
      return Finding::fault("what becomes of an image depends on the others of its batch");
    const Tensor later = (*transform)(before.clone(), {3, 2, position.indices});
    if (!told(*transform, "is_random", &Transform::is_random) && !later.equal(made))
      return Finding::fault("is_random says false, and another epoch gives other images");
    const auto said = told(*transform, "normalization", &Transform::normalization);
    if (said && !normalized(before, *said).allclose(made, 1e-5, 1e-6))
      return Finding::fault("normalization says otherwise than it makes images");
    sizes.push_back(fmt::format("{} x {} x {}", context.channels, context.height, context.width));
  }
  if (sizes.empty()) return Finding::not_tried("it takes no images of noise");
  return Finding::sound(fmt::format("images of {}", fmt::join(sizes, " and ")));
}

Finding try_loss(const Node& component, const Tryout& tryout) {
  const auto choice = read<Loss>(component);
  for (const Task& task : tasks_of(tryout)) {
    if (!suits(choice, task)) continue;
    const auto loss = choice.create({{task}});
    torch::manual_seed(0);
    const Answers answers = answers_of(task);
    const Tensor targets = answers.targets.to(at::kFloat).reshape({kImages, 1, -1});
    Tensor outputs = answers.outputs.unsqueeze(1).clone().requires_grad_();
    const Tensor made = (*loss)(outputs, targets, task).tensor();
    if (!made.isfinite().all().item<bool>())
      return Finding::fault("it is not finite for ordinary outputs");
    made.mean().backward();
    if (!outputs.grad().isfinite().all().item<bool>())
      return Finding::fault("its gradient is not finite for ordinary outputs");
    const at::NoGradGuard no_grad;
    const Tensor same = (*loss)(outputs.detach(), targets, task).tensor();
    if (!same.allclose(made.detach(), 1e-5, 1e-7))
      return Finding::fault("the same outputs give another loss the second time");
    for (int64_t i = 0; i < kImages; ++i) {
      const Tensor one =
          (*loss)(outputs.detach().narrow(0, i, 1), targets.narrow(0, i, 1), task).tensor();
      if (!one.allclose(made.detach().narrow(0, i, 1), 1e-5, 1e-6))
        return Finding::fault("the loss of an image depends on the others of its batch");
    }
  }
  return Finding::sound("finite, with a gradient, of each image by itself");
}

Finding try_metric(const Node& component, const Tryout& tryout) {
  const auto choice = read<Metric>(component);
  for (const Task& task : tasks_of(tryout)) {
    const auto metric = choice.create({task});
    torch::manual_seed(0);
    const Answers answers = answers_of(task);
    Tensor whole = at::zeros({metric->width()}, at::kDouble), parts = whole.clone();
    const Tensor outputs = answers.outputs.clone(), targets = answers.targets.clone();
    metric->add(answers.outputs, answers.targets, whole);
    if (!answers.outputs.equal(outputs) || !answers.targets.equal(targets))
      return Finding::fault("it changes the outputs or targets that it is given");
    for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 3}, {3, kImages - 3}}) {
      metric->add(answers.outputs.narrow(0, first, count), answers.targets.narrow(0, first, count),
                  parts);
    }
    if (!parts.allclose(whole, 1e-9, 1e-12)) {
      return Finding::fault(
          "its sums over a batch are not those over its parts: it would change "
          "with the size of batches");
    }
    const double value = metric->value(whole.data_ptr<double>(), kImages);
    if (std::isinf(value)) return Finding::fault("its value is infinite");
  }
  return Finding::sound("sums over images");
}

Finding try_schedule(const Node& component) {
  const auto choice = read<Schedule>(component);
  constexpr int64_t kSteps = 200, kPerEpoch = 10;
  const auto shorter = choice.create({kSteps, kPerEpoch}),
             longer = choice.create({2 * kSteps, kPerEpoch});
  bool follows_total = false;
  for (int64_t step = 0; step < kSteps; ++step)
    follows_total |= shorter->factor(step) != longer->factor(step);
  if (follows_total && !shorter->depends_on_total()) {
    return Finding::fault(
        "depends_on_total says false, and a longer run has other learning rates: "
        "a run that is taken further would not be exact");
  }
  const auto fresh = choice.create({kSteps, kPerEpoch});
  for (int64_t step = kSteps - 1; step >= 0; --step) {
    if (fresh->factor(step) != shorter->factor(step)) {
      return Finding::fault(
          fmt::format("its factor at step {} depends on what was asked before", step));
    }
  }
  return Finding::sound(follows_total ? "a function of step and total" : "a function of the step");
}

namespace {

// The options that a layout asks for, set in a model's config.
void set_path(Node& config, const std::string& path, const nlohmann::ordered_json& value) {
  const size_t dot = path.find('.');
  if (dot == path.npos) {
    config.set(path, Node::from_json(value));
    return;
  }
  const std::string key = path.substr(0, dot);
  if (!config.find(key) || !config.find(key)->is_mapping()) config.set(key, Node::mapping());
  set_path(*config.find(key), path.substr(dot + 1), value);
}

std::shared_ptr<Model> model_for(const Layout* layout, const std::string& type) {
  Node config = Node::mapping();
  config.set("type", Node::string(type));
  for (const auto& fits : {layout ? layout->fits() : std::vector<Fits>(),
                           layout ? layout->usual() : std::vector<Fits>()}) {
    for (const Fits& one : fits) {
      if (one.values.empty()) continue;
      const bool is_type = one.option.ends_with(".type");
      set_path(config, one.option, one.values[0]);
      if (is_type) continue;
    }
  }
  const ModelContext context = {1, 28, 28, class_column({"0", "1", "2", "3"})};
  return read<Model>(config).create(context);
}

}  // namespace

Finding try_layout(const std::string& name) {
  std::vector<std::string> fitting;
  std::string refusal;
  for (const std::string& type : Registry::instance().names(Model::kKind)) {
    try {
      Choice<Layout> choice(name);
      Problems problems;
      choice.read_default(Layout::kKind, problems);
      torch::manual_seed(0);
      const auto first = model_for(nullptr, type);
      const auto layout = choice.create(first->layout_context());
      const auto model = model_for(layout.get(), type), other = model_for(layout.get(), type);
      WeightsOptions options;
      std::vector<OwnedTensor> owned;
      for (const auto& [tensor, values] : model->export_as(name))
        owned.push_back(to_owned(tensor, values));
      const Place file = std::filesystem::temp_directory_path() /
                         fmt::format("vitrine-layout-{}.safetensors", getpid());
      write_file_atomically(file, write_safetensors(views_of(owned), {{"format", "pt"}}));
      options.file.value = file.path().string();
      options.layout = name;
      load_weights(*other, options);
      std::filesystem::remove(file.path());
      const auto values = state_of(*model), loaded = state_of(*other);
      for (const auto& [tensor, value] : values) {
        if (!value.equal(loaded.at(tensor))) {
          return Finding::fault(
              fmt::format("{} of {} is another one after it was written and read", tensor, type));
        }
      }
      fitting.push_back(type);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUsage) throw;
      refusal = first_line(error.what());
    }
  }
  if (fitting.empty()) return Finding::not_tried("it fits no model here: " + refusal);
  return Finding::sound(
      fmt::format("{} written and read, the same bits", fmt::join(fitting, ", ")));
}

Finding try_plot(const std::string& name, const Node& options, const Tryout& tryout) {
  Nobody nobody;
  std::string refusal;
  for (const bool has_run : {true, false}) {
    std::optional<WeightsSource> source;
    if (has_run) source = WeightsSource{tryout.run("whole"), ""};
    try {
      const Picture picture = plot(name, options, source, nobody);
      const Picture again = plot(name, options, source, nobody);
      if (to_svg(picture).empty()) return Finding::fault("it draws nothing");
      const bool is_same = to_svg(picture) == to_svg(again) &&
                           (!picture.numbers || to_json(picture) == to_json(again));
      if (!is_same)
        return Finding::fault("drawn again it is another picture: it depends on more than the run");
      return Finding::sound(has_run ? "of a run" : "without a run");
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUsage) throw;
      if (has_run) refusal = first_line(error.what());
    }
  }
  return Finding::not_tried(refusal);
}

}  // namespace vitrine
