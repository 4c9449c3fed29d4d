#include "framework/training/backend.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/kernel/kernel.h"
#include "framework/simd/vectors.h"
#include "framework/training/threads.h"

namespace vitrine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor flat_output(const Tensor& x) { return x.flatten(1); }  // [B, 1, classes] -> [B, classes]

}  // namespace

BackendChoice choose_backend(Model& model, const std::vector<int64_t>& images,
                             const std::string& device) {
  if (device != "cpu") return {kLayers, fmt::format("{} computes on the CPU alone", kFused)};
  const Recording recording = record(model, images);
  if (!recording.is_recorded()) return {kLayers, recording.refusal};
  return {kFused, fmt::format("the model can be recorded, and is faster than in {}", kLayers)};
}

// A model as it was recorded in one mode, with what executes it.
struct Backend::Prepared {
  bool is_training = false;
  std::shared_ptr<Loss> loss;  // held: another one must not take its address
  Recording recording;
  Program for_libtorch;            // its outputs alone
  std::unique_ptr<Kernel> kernel;  // its outputs, then its losses
  Binding binding;
  std::vector<Tensor> trained;  // parameters with gradients, which lie in the order of the program

  // Brings up to date where parameters lie, and which of them are trained: by their own order, or
  // where they lie in `flat`.
  void bind(const Tensor* flat) {
    binding.values.clear();
    binding.gradients.clear();
    binding.gradient_count = flat ? static_cast<size_t>(flat->numel()) : 0;
    for (const Tensor& parameter : recording.parameters) {
      binding.values.push_back(parameter.const_data_ptr<float>());
      size_t gradient = Binding::kFrozen;
      if (parameter.requires_grad() && flat) {
        gradient = static_cast<size_t>(binding.values.back() - flat->const_data_ptr<float>());
      } else if (parameter.requires_grad()) {
        gradient = binding.gradient_count;
        binding.gradient_count += static_cast<size_t>(parameter.numel());
      }
      binding.gradients.push_back(gradient);
    }
  }

  Tensor any_trained() const {
    for (const Tensor& parameter : recording.parameters) {
      if (parameter.requires_grad()) return parameter;
    }
    return {};
  }

  // Adds to the parameters' gradients from a buffer of all.
  void accumulate(const float* gradients) const {
    for (size_t i = 0; i < recording.parameters.size(); ++i) {
      const Tensor& parameter = recording.parameters[i];
      if (binding.gradients[i] == Binding::kFrozen) continue;
      Tensor& gradient = parameter.mutable_grad();
      if (!gradient.defined()) gradient = at::zeros_like(parameter);
      simd::add(gradients + binding.gradients[i], static_cast<size_t>(parameter.numel()),
                gradient.data_ptr<float>());
    }
  }
};

namespace {

Feed feed_of(const Tensor& images, const BatchPosition& position) {
  Feed feed;
  if (images.scalar_type() == at::kByte) {
    feed.bytes = images.const_data_ptr<uint8_t>();
  } else {
    feed.values = images.const_data_ptr<float>();
  }
  if (position.indices.defined()) {
    feed.image_numbers = position.indices.const_data_ptr<int64_t>();
    feed.seed = position.seed;
    feed.epoch = position.epoch;
  }
  return feed;
}

// Where nobody tells a position, what is random in training draws from libtorch's generator.
BatchPosition position_of(const BatchPosition* given, const Model& model, int64_t images) {
  if (given && given->indices.defined()) return *given;
  if (!model.is_training()) return {};
  const auto seed = at::empty({}, at::kLong).random_().item<int64_t>();
  return {static_cast<uint64_t>(seed), 0, at::arange(images)};
}

std::vector<Tensor> empty_outputs(const Program& program, size_t count, int64_t batch) {
  std::vector<Tensor> out;
  for (size_t i = 0; i < count; ++i) {
    const Shape& shape = program.steps[program.outputs[i]].shape;
    out.push_back(at::empty({batch, static_cast<int64_t>(shape.size())}, at::kFloat));
  }
  return out;
}

std::vector<float*> addresses(const std::vector<Tensor>& tensors, size_t count) {
  std::vector<float*> out(count);
  for (size_t i = 0; i < tensors.size(); ++i) out[i] = tensors[i].data_ptr<float>();
  return out;
}

}  // namespace

// Outputs of the kernel whose gradients libtorch gives back. `trained` stands for all parameters,
// whose gradients backward adds to them itself.
class Backend::WithGradients : public torch::autograd::Function<WithGradients> {
 public:
  struct Saved : torch::CustomClassHolder {
    std::shared_ptr<Prepared> prepared;
    std::shared_ptr<Kernel::Kept> kept;
    Tensor images;
    BatchPosition position;
  };

  static variable_list forward(AutogradContext* context, const Tensor& /*trained*/,
                               const std::shared_ptr<Prepared>& prepared, const Tensor& images,
                               const BatchPosition& position) {
    auto saved = c10::make_intrusive<Saved>();
    saved->prepared = prepared;
    saved->images = images;
    saved->position = position;
    const size_t tasks = prepared->recording.outputs.size();
    const auto outputs = empty_outputs(prepared->kernel->program(), tasks, images.size(0));
    std::vector<bool> begins(prepared->kernel->program().outputs.size());
    std::fill_n(begins.begin(), tasks, true);
    saved->kept = prepared->kernel->forward_and_keep(
        prepared->binding, feed_of(images, saved->position), static_cast<size_t>(images.size(0)),
        compute_threads(), addresses(outputs, begins.size()), begins);
    context->saved_data["saved"] = c10::IValue::make_capsule(std::move(saved));
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["saved"].toCapsule();
    const Saved& saved = static_cast<const Saved&>(*capsule);
    Prepared& prepared = *saved.prepared;
    prepared.bind(nullptr);
    std::vector<Tensor> held;
    std::vector<const float*> by(prepared.kernel->program().outputs.size());
    for (size_t i = 0; i < gradients.size(); ++i) {
      held.push_back(gradients[i].contiguous());
      by[i] = held.back().const_data_ptr<float>();
    }
    const Tensor sums =
        at::empty({static_cast<int64_t>(prepared.binding.gradient_count)}, at::kFloat);
    prepared.kernel->backward(prepared.binding, feed_of(saved.images, saved.position),
                              static_cast<size_t>(saved.images.size(0)), compute_threads(),
                              *saved.kept, by, sums.data_ptr<float>());
    prepared.accumulate(sums.const_data_ptr<float>());
    return {Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Backend::Backend(std::shared_ptr<Model> model, const std::string& way, std::vector<int64_t> images,
                 const std::string& device)
    : model_(std::move(model)), way_(way), image_sizes_(std::move(images)) {
  if (way_ != kFused) return;
  const BackendChoice choice = choose_backend(*model_, image_sizes_, device);
  if (choice.value == kFused) return;
  throw Error(ExitCode::kUsage, fmt::format("backend: {} cannot execute this model: {}; {} serves "
                                            "every model",
                                            kFused, choice.reason, kLayers));
}
Backend::~Backend() = default;

Backend::Prepared& Backend::prepare(const std::shared_ptr<Loss>& loss) {
  for (const auto& prepared : prepared_) {
    if (prepared->loss == loss && prepared->is_training == model_->is_training()) return *prepared;
  }
  auto made = std::make_shared<Prepared>();
  made->is_training = model_->is_training();
  made->loss = loss;
  made->recording = record(*model_, image_sizes_, loss.get());
  if (made->recording.is_recorded()) {
    const Recording& recording = made->recording;
    made->for_libtorch = pruned(recording.program, recording.outputs, false);
    std::vector<size_t> wanted = recording.outputs;
    wanted.insert(wanted.end(), recording.losses.begin(), recording.losses.end());
    if (way_ == kFused) made->kernel = std::make_unique<Kernel>(pruned(recording.program, wanted));
  }
  prepared_.push_back(std::move(made));
  return *prepared_.back();
}

std::vector<Tensor> Backend::outputs_in_libtorch(Prepared& prepared, const Tensor& images,
                                                 const BatchPosition* position) {
  const TorchFeed feed{images, {}, position};
  std::vector<Tensor> out;
  if (prepared.recording.is_recorded()) {
    for (const Tensor& output :
         interpret(prepared.for_libtorch, prepared.recording.parameters, feed))
      out.push_back(flat_output(output));
    return out;
  }
  const WithFeed with_feed(feed);
  for (const Value& output : model_->forward(images)) out.push_back(flat_output(output.tensor()));
  return out;
}

std::vector<Tensor> Backend::forward(const Tensor& given, const BatchPosition* position) {
  Prepared& prepared = prepare(nullptr);
  const Tensor images = given.contiguous();
  if (!prepared.kernel) return outputs_in_libtorch(prepared, images, position);
  prepared.bind(nullptr);
  const BatchPosition here = position_of(position, *model_, images.size(0));
  const Tensor trained = prepared.any_trained();
  if (at::GradMode::is_enabled() && trained.defined()) {
    const auto found = std::find_if(prepared_.begin(), prepared_.end(),
                                    [&](const auto& each) { return each.get() == &prepared; });
    return WithGradients::apply(trained, *found, images, here);
  }
  const size_t tasks = prepared.recording.outputs.size();
  const auto outputs = empty_outputs(prepared.kernel->program(), tasks, images.size(0));
  if (images.size(0) > 0) {
    prepared.kernel->forward(prepared.binding, feed_of(images, here),
                             static_cast<size_t>(images.size(0)), compute_threads(),
                             addresses(outputs, prepared.kernel->program().outputs.size()));
  }
  return outputs;
}

// Outputs, losses and, with parameters, gradients in one go.
Objective::Result Backend::run_kernel(Prepared& prepared, const Batch& batch,
                                      const Objective& objective, double share,
                                      FlatParameters* parameters, std::vector<Tensor>& outputs) {
  const at::NoGradGuard no_grad;
  const Kernel& kernel = *prepared.kernel;
  const Tensor images = batch.images.contiguous();
  const BatchPosition here = position_of(&batch.position, *model_, batch.size());
  Feed feed = feed_of(images, here);
  const std::vector<Tensor> targets = objective.targets(batch.labels);
  for (const Tensor& target : targets) feed.targets.push_back(target.const_data_ptr<int64_t>());
  const size_t count = kernel.program().outputs.size(), tasks = objective.tasks().size();
  auto all = empty_outputs(kernel.program(), count, batch.size());
  const auto size = static_cast<size_t>(batch.size());
  if (parameters) {
    prepared.bind(&parameters->values());
    std::vector<float> seeds(count, 0.0F);
    for (size_t i = 0; i < tasks; ++i) {
      seeds[tasks + i] = static_cast<float>(objective.tasks()[i].weight * share /
                                            static_cast<double>(batch.size()));
    }
    const Tensor sums = at::empty({parameters->gradients().numel()}, at::kFloat);
    prepared.kernel->train(prepared.binding, feed, size, compute_threads(), addresses(all, count),
                           seeds, sums.data_ptr<float>());
    simd::add(sums.const_data_ptr<float>(), static_cast<size_t>(sums.numel()),
              parameters->gradients().data_ptr<float>());
  } else {
    prepared.bind(nullptr);
    prepared.kernel->forward(prepared.binding, feed, size, compute_threads(),
                             addresses(all, count));
  }
  const std::vector<Tensor> losses(all.begin() + static_cast<ptrdiff_t>(tasks), all.end());
  all.resize(tasks);
  outputs = std::move(all);
  return {Tensor(), objective.sums(outputs, losses, targets)};
}

Backend::Outcome Backend::evaluate(const Batch& batch, const Objective& objective) {
  Prepared& prepared = prepare(objective.shared_loss());
  Outcome out;
  if (prepared.kernel && prepared.recording.loss_refusal.empty() && batch.size() > 0) {
    out.result = run_kernel(prepared, batch, objective, 1, nullptr, out.outputs);
    return out;
  }
  out.outputs = forward(batch.images, &batch.position);
  out.result = objective(out.outputs, batch.labels);
  return out;
}

Objective::Result Backend::differentiate(const Batch& batch, const Objective& objective,
                                         double share, FlatParameters& parameters) {
  Prepared& prepared = prepare(objective.shared_loss());
  if (prepared.kernel && prepared.recording.loss_refusal.empty()) {
    std::vector<Tensor> outputs;
    return run_kernel(prepared, batch, objective, share, &parameters, outputs);
  }
  const Objective::Result result = objective(forward(batch.images, &batch.position), batch.labels);
  (share == 1 ? result.loss : result.loss * share).backward();
  return result;
}

}  // namespace vitrine
