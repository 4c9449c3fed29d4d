#include "framework/model/recording.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/model/flops.h"
#include "framework/model/without_trace.h"

namespace vitrine {
namespace {

// Where a result is read last, so that it is kept no longer.
std::vector<size_t> last_readers(const Program& program) {
  std::vector<size_t> out(program.steps.size());
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const size_t input : program.steps[i].inputs) out[input] = i;
  }
  for (const size_t output : program.outputs) out[output] = program.steps.size();
  return out;
}

// A result of which all is read by columns, once and in order, is split at once: that has a cheaper
// gradient than each part by itself.
class ColumnSplits {
 public:
  explicit ColumnSplits(const Program& program) : parts_(program.steps.size()) {
    std::vector<size_t> next(program.steps.size());
    std::vector<bool> in_order(program.steps.size(), true);
    for (size_t i = 0; i < program.steps.size(); ++i) {
      const Step& step = program.steps[i];
      for (const size_t input : step.inputs) {
        const bool follows =
            step.operation == kColumnsPart && static_cast<size_t>(step.numbers[0]) == next[input];
        in_order[input] = in_order[input] && follows;
        if (!follows) continue;
        next[input] += step.shape.columns;
        parts_[input].push_back(static_cast<int64_t>(step.shape.columns));
      }
    }
    for (size_t i = 0; i < program.steps.size(); ++i) {
      const bool whole = in_order[i] && next[i] == program.steps[i].shape.columns;
      if (!whole || parts_[i].size() < 2) parts_[i].clear();
    }
  }

  bool has(size_t step) const { return !parts_[step].empty(); }
  const std::vector<int64_t>& of(size_t step) const { return parts_[step]; }

 private:
  std::vector<std::vector<int64_t>> parts_;
};

Tensor use(const ParameterUse& use, const std::vector<Tensor>& parameters) {
  if (use.index == ParameterUse::kNone) return {};
  const Tensor& whole = parameters[use.index];
  if (use.count == 0) return whole;
  return whole.narrow(0, static_cast<int64_t>(use.first), static_cast<int64_t>(use.count));
}

int64_t numbers_in(const torch::OrderedDict<std::string, Tensor>& tensors,
                   const std::string& layer) {
  int64_t count = 0;
  for (const auto& item : tensors) {
    if (item.key().starts_with(layer + ".")) count += item.value().numel();
  }
  return count;
}

struct Evaluating {
  explicit Evaluating(Model& model) : model(model), was_training(model.is_training()) {
    model.eval();
  }
  ~Evaluating() { model.train(was_training); }
  Model& model;
  bool was_training;
};

LayerSummary summary_of_whole(Model& model, const std::vector<int64_t>& images) {
  const Tensor parameter = model.parameters().empty() ? Tensor() : model.parameters()[0];
  const auto options = parameter.defined() ? parameter.options() : at::TensorOptions();
  std::vector<int64_t> sizes = images;
  sizes.insert(sizes.begin(), 1);
  const Tensor image = at::zeros(sizes, options.dtype(at::kByte));
  const TorchFeed feed{image, {}, {}};
  const WithFeed with_feed(feed);
  const WithoutTrace without_trace(
      {{"", std::static_pointer_cast<Model>(model.shared_from_this())}});
  const FlopCounter flops;
  LayerSummary whole{"model", "", {}};
  whole.shape = model(image).at(0).tensor().sizes().slice(1).vec();
  whole.flops = flops.count();
  for (const Tensor& each : model.parameters()) whole.parameters += each.numel();
  for (const Tensor& each : model.buffers()) whole.buffers += each.numel();
  return whole;
}

}  // namespace

Recording record(const Computation& computation) {
  // What is made of a parameter is told from a constant by its gradient.
  const at::AutoGradMode with_gradients(true);
  const auto steps_of = [](const std::vector<Value>& values) {
    std::vector<size_t> out;
    for (const Value& value : values) out.push_back(value.step());
    return out;
  };
  Recording out;
  const WithoutTrace without_trace(computation.modules);
  Recorder recorder(computation.modules, computation.images);
  try {
    const std::vector<Value> outputs = computation.outputs(recorder.images());
    out.outputs = steps_of(outputs);
    try {
      const Scope scope("loss", "");
      if (computation.losses) out.losses = steps_of(computation.losses(outputs));
    } catch (const NotRecorded& refused) {
      out.loss_refusal = refused.reason;
    }
  } catch (const NotRecorded& refused) {
    out.refusal = refused.reason;
    return out;
  }
  // A program's steps change nothing that the model keeps.
  if (const std::string changed = without_trace.changed(); !changed.empty()) {
    out.refusal = changed + " changes as the model computes, which no step of a program does";
    return out;
  }
  out.program = std::move(recorder.program());
  out.program.outputs = out.outputs;
  out.parameters = recorder.parameters();
  return out;
}

Computation outputs_of_tasks(const std::shared_ptr<Model>& model, std::vector<int64_t> images) {
  Computation out;
  out.modules = {{"", model}};
  out.images = std::move(images);
  out.outputs = [model = model.get()](const Value& pixels) { return (*model)(pixels); };
  return out;
}

Recording record(Model& model, const std::vector<int64_t>& images) {
  return record(
      outputs_of_tasks(std::static_pointer_cast<Model>(model.shared_from_this()), images));
}

Recording record_evaluating(Model& model, const std::vector<int64_t>& images) {
  const Evaluating evaluating(model);
  return record(model, images);
}

int64_t feature_width(Model& model, const std::vector<int64_t>& images) {
  const at::NoGradGuard no_grad;
  const Evaluating evaluating(model);  // so that nothing is drawn
  std::vector<int64_t> sizes = images;
  sizes.insert(sizes.begin(), 1);
  const auto parameters = model.parameters();
  const at::Device device = parameters.empty() ? at::Device(at::kCPU) : parameters[0].device();
  const TorchFeed feed{at::zeros(sizes, at::TensorOptions(device).dtype(at::kByte)), {}, {}};
  const WithFeed with_feed(feed);
  const Value features = model.features(feed.images);
  return features.tokens() * features.columns();
}

void freeze_unused(const Computation& computation) {
  const Recording recording = record(computation);
  if (!recording.is_recorded()) return;
  std::vector<size_t> wanted = recording.outputs;
  wanted.insert(wanted.end(), recording.losses.begin(), recording.losses.end());
  std::vector<bool> used(recording.parameters.size());
  for (const Step& step : pruned(recording.program, wanted).steps) {
    for (const ParameterUse& use : step.parameters) {
      if (use.index != ParameterUse::kNone) used[use.index] = true;
    }
  }
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i] && recording.parameters[i].is_leaf())
      Tensor(recording.parameters[i]).set_requires_grad(false);
  }
}

Tensor of_each_image(const Tensor& numbers, const Tensor& images) {
  return numbers.size(0) == 1 ? numbers.expand({images.size(0), -1, -1}) : numbers;
}

std::vector<Tensor> interpret(const Program& program, const std::vector<Tensor>& parameters,
                              const TorchFeed& feed) {
  const std::vector<size_t> last = last_readers(program);
  const ColumnSplits splits(program);
  std::vector<Tensor> results(program.steps.size());
  std::vector<std::vector<Tensor>> parts(program.steps.size());
  std::vector<size_t> taken(program.steps.size());
  std::vector<Tensor> inputs, used;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    inputs.clear();
    used.clear();
    if (!step.inputs.empty() && splits.has(step.inputs[0])) {
      const size_t input = step.inputs[0];
      if (parts[input].empty()) parts[input] = results[input].split_with_sizes(splits.of(input), 2);
      results[i] = parts[input][taken[input]++];
    } else {
      for (const size_t input : step.inputs) inputs.push_back(results[input]);
      for (const ParameterUse& each : step.parameters) used.push_back(use(each, parameters));
      results[i] = find_torch_form(step.operation)({inputs, used, step.numbers, &feed});
    }
    for (const size_t input : step.inputs) {
      if (last[input] == i) results[input] = Tensor(), parts[input].clear();
    }
  }
  std::vector<Tensor> out;
  for (const size_t output : program.outputs)
    out.push_back(of_each_image(results[output], feed.images));
  return out;
}

std::vector<std::pair<std::string, Tensor>> named_values(Model& model, const Tensor& images,
                                                         const std::string& name) {
  const at::NoGradGuard no_grad;
  const Evaluating evaluating(model);
  const Recording recording = record(model, images.sizes().slice(1).vec());
  if (!recording.is_recorded()) {
    throw Error(ExitCode::kUsage, "nobody can look into the model: " + recording.refusal);
  }
  std::vector<std::pair<std::string, size_t>> found;
  for (const auto& [full, step] : recording.program.names) {
    if (full == name || full.ends_with("." + name)) found.emplace_back(full, step);
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<size_t> steps;
  for (const auto& [full, step] : found) steps.push_back(step);
  const TorchFeed feed{images, {}, {}};
  const auto values =
      interpret(pruned(recording.program, steps, false), recording.parameters, feed);
  std::vector<std::pair<std::string, Tensor>> out;
  for (size_t i = 0; i < found.size(); ++i) out.emplace_back(found[i].first, values[i]);
  return out;
}

std::vector<LayerSummary> layers_of(Model& model, const std::vector<int64_t>& images) {
  const at::NoGradGuard no_grad;
  const Evaluating evaluating(model);
  const Recording recording = record(model, images);
  if (!recording.is_recorded()) return {summary_of_whole(model, images)};
  const Program& program = recording.program;
  std::vector<LayerSummary> out;
  for (const Step& step : program.steps) {
    const Program::Scope& scope = program.scopes[step.scope];
    if (out.empty() || out.back().name != scope.name)
      out.push_back({scope.name,
                     scope.type,
                     {},
                     numbers_in(model.named_parameters(), scope.name),
                     numbers_in(model.named_buffers(), scope.name)});
    out.back().shape = {static_cast<int64_t>(step.shape.tokens),
                        static_cast<int64_t>(step.shape.columns)};
  }
  // What no output needs costs nothing.
  const Program needed = pruned(program, recording.outputs);
  for (size_t i = 0; i < needed.steps.size(); ++i) {
    const std::string& name = needed.scopes[needed.steps[i].scope].name;
    const auto row = std::find_if(out.begin(), out.end(),
                                  [&](const LayerSummary& each) { return each.name == name; });
    row->flops += static_cast<int64_t>(needed.flops(i));
  }
  return out;
}

}  // namespace vitrine
