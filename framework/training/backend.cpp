#include "framework/training/backend.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/kernel/kernel.h"
#include "framework/ranks/ranks.h"
#include "framework/simd/vectors.h"
#include "framework/training/rank_share.h"
#include "framework/training/threads.h"

namespace vitrine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// [B, tokens, columns] -> [B, tokens * columns]
std::vector<Tensor> flat(const std::vector<Tensor>& outputs) {
  std::vector<Tensor> out;
  for (const Tensor& output : outputs) out.push_back(output.flatten(1));
  return out;
}

}  // namespace

BackendChoice choose_backend(const Computation& computation, const std::string& device) {
  if (device != "cpu") return {kLayers, fmt::format("{} computes on the CPU alone", kFused)};
  const Recording recording = record(computation);
  if (!recording.is_recorded()) return {kLayers, recording.refusal};
  return {kFused, fmt::format("the model can be recorded, and is faster than in {}", kLayers)};
}

// A computation as it was recorded in one mode, with what executes it.
struct Backend::Prepared {
  Recording recording;
  Program for_libtorch;            // its outputs alone
  std::unique_ptr<Kernel> kernel;  // its outputs, then its losses
  Binding binding;

  // The kernel's outputs [B, tokens * columns] -> [B, tokens, columns].
  std::vector<Tensor> with_shapes(const std::vector<Tensor>& outputs) const {
    std::vector<Tensor> out;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Shape& shape = recording.program.steps[recording.outputs[i]].shape;
      out.push_back(outputs[i].view({outputs[i].size(0), static_cast<int64_t>(shape.tokens),
                                     static_cast<int64_t>(shape.columns)}));
    }
    return out;
  }
  bool runs_losses() const { return kernel && !recording.losses.empty(); }

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

Feed feed_of(const TorchFeed& from, const BatchPosition& position) {
  Feed feed;
  if (from.images.scalar_type() == at::kByte) {
    feed.bytes = from.images.const_data_ptr<uint8_t>();
  } else {
    feed.values = from.images.const_data_ptr<float>();
  }
  for (const Tensor& input : from.inputs) feed.inputs.push_back(input.const_data_ptr<float>());
  if (position.indices.defined()) {
    feed.image_numbers = position.indices.const_data_ptr<int64_t>();
    feed.seed = position.seed;
    feed.epoch = position.epoch;
  }
  return feed;
}

// In the form that the kernel reads. Throws Error(kInternal) where there are fewer rows of anything
// than images.
TorchFeed contiguous(const TorchFeed& from) {
  const auto require = [&](const Tensor& rows, const char* what) {
    if (!rows.defined() || rows.size(0) == from.images.size(0)) return;
    throw Error(ExitCode::kInternal,
                fmt::format("{} {} for {} images", rows.size(0), what, from.images.size(0)));
  };
  require(from.position.indices, "numbers of images");
  for (const Tensor& input : from.inputs) require(input, "rows of an input");
  TorchFeed out = {from.images.contiguous(), {}, from.position};
  for (const Tensor& input : from.inputs) out.inputs.push_back(input.to(at::kFloat).contiguous());
  return out;
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
    TorchFeed feed;
  };

  static variable_list forward(AutogradContext* context, const Tensor& /*trained*/,
                               const std::shared_ptr<Prepared>& prepared, const TorchFeed& feed) {
    auto saved = c10::make_intrusive<Saved>();
    saved->prepared = prepared;
    saved->feed = feed;
    const size_t count = prepared->recording.outputs.size();
    const int64_t batch = feed.images.size(0);
    const auto outputs = empty_outputs(prepared->kernel->program(), count, batch);
    std::vector<bool> begins(prepared->kernel->program().outputs.size());
    std::fill_n(begins.begin(), count, true);
    saved->kept = prepared->kernel->forward_and_keep(
        prepared->binding, feed_of(feed, feed.position), static_cast<size_t>(batch),
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
    prepared.kernel->backward(prepared.binding, feed_of(saved.feed, saved.feed.position),
                              static_cast<size_t>(saved.feed.images.size(0)), compute_threads(),
                              *saved.kept, by, sums.data_ptr<float>());
    prepared.accumulate(sums.const_data_ptr<float>());
    return {Tensor(), Tensor(), Tensor()};
  }
};

// Outputs in libtorch of this rank's images, with those of the others beside them. What has
// gradients is differentiated here, so that its gradients, and no others, are summed over ranks.
class Backend::OfRanks : public torch::autograd::Function<OfRanks> {
 public:
  struct Saved : torch::CustomClassHolder {
    RankShare share;
    std::vector<Tensor> outputs, parameters;  // of this rank's images, with their graph
    explicit Saved(const RankShare& share) : share(share) {}
  };

  static variable_list forward(AutogradContext* context, const Tensor& /*trained*/,
                               const c10::intrusive_ptr<Saved>& saved) {
    variable_list out;
    for (const Tensor& output : saved->outputs) out.push_back(saved->share.gathered(output));
    context->saved_data["saved"] = c10::IValue::make_capsule(saved);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["saved"].toCapsule();
    const Saved& saved = static_cast<const Saved&>(*capsule);
    variable_list outputs, own;
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined() || !saved.outputs[i].requires_grad()) continue;
      outputs.push_back(saved.outputs[i]);
      own.push_back(saved.share.own(gradients[i]));
    }
    saved.share.add_gradients(torch::autograd::grad(outputs, saved.parameters, own, false, false,
                                                    /*allow_unused=*/true),
                              saved.parameters);
    return {Tensor(), Tensor()};
  }
};

std::vector<Tensor> Backend::forward_of_ranks(Prepared& prepared, const TorchFeed& feed) {
  const RankShare share(feed.images.size(0));
  TorchFeed own = {share.own_or_one(feed.images), {}, feed.position};
  for (const Tensor& input : feed.inputs) own.inputs.push_back(share.own_or_one(input));
  if (own.position.indices.defined()) own.position.indices = share.own_or_one(own.position.indices);
  auto saved = c10::make_intrusive<OfRanks::Saved>(share);
  {
    const OwnDraws own_draws(is_training(), device_);
    for (const Tensor& output : forward_in_libtorch(prepared, own))
      saved->outputs.push_back(share.without_stand_in(output).to(at::kFloat));
  }
  std::vector<Tensor> buffers;
  for (const NamedModule& each : computation_.modules) {
    for (const Tensor& parameter : each.module->parameters()) {
      if (parameter.requires_grad()) saved->parameters.push_back(parameter);
    }
    for (const Tensor& buffer : each.module->buffers()) buffers.push_back(buffer);
  }
  if (is_training()) average_over_ranks(buffers);
  const bool has_gradients = std::any_of(saved->outputs.begin(), saved->outputs.end(),
                                         [](const Tensor& t) { return t.requires_grad(); });
  if (has_gradients) return OfRanks::apply(saved->parameters.at(0), saved);
  std::vector<Tensor> out;
  for (const Tensor& output : saved->outputs) out.push_back(share.gathered(output));
  return out;
}

Backend::Backend(Computation computation, const std::string& way, const std::string& device)
    : computation_(std::move(computation)),
      way_(way),
      is_bfloat16_(PrecisionScope::is_bfloat16() && way == kLayers),
      device_(at::Device(device).type()) {
  if (way_ != kFused) return;
  const BackendChoice choice = choose_backend(computation_, device);
  if (choice.value == kFused) return;
  throw Error(ExitCode::kUsage, fmt::format("backend: {} cannot execute this model: {}; {} serves "
                                            "every model",
                                            kFused, choice.reason, kLayers));
}
Backend::Backend(const std::shared_ptr<Model>& model, const std::string& way,
                 std::vector<int64_t> images, const std::string& device)
    : Backend(outputs_of_tasks(model, std::move(images)), way, device) {}
Backend::~Backend() = default;

bool Backend::is_training() const { return computation_.modules.front().module->is_training(); }

std::shared_ptr<Backend::Prepared> Backend::prepare() {
  std::shared_ptr<Prepared>& prepared = prepared_[is_training()];
  if (prepared) return prepared;
  prepared = std::make_shared<Prepared>();
  prepared->recording = record(computation_);
  const Recording& recording = prepared->recording;
  if (!recording.is_recorded()) return prepared;
  prepared->for_libtorch = pruned(recording.program, recording.outputs, false);
  std::vector<size_t> wanted = recording.outputs;
  wanted.insert(wanted.end(), recording.losses.begin(), recording.losses.end());
  if (way_ == kFused)
    prepared->kernel = std::make_unique<Kernel>(pruned(recording.program, wanted));
  if (prepared->kernel) prepared->kernel->share(ranks());
  return prepared;
}

// Where nobody tells a position, what is random in training draws from libtorch's generator.
BatchPosition Backend::position_of(const TorchFeed& feed) const {
  if (feed.position.indices.defined() || !is_training()) return feed.position;
  const auto seed = at::empty({}, at::kLong).random_().item<int64_t>();
  return {static_cast<uint64_t>(seed), 0, at::arange(feed.images.size(0))};
}

std::vector<Tensor> Backend::forward_in_libtorch(Prepared& prepared, const TorchFeed& feed) {
  std::vector<Tensor> out;
  {
    const InBfloat16 in_bfloat16(is_bfloat16_, device_);
    if (prepared.recording.is_recorded()) {
      out = interpret(prepared.for_libtorch, prepared.recording.parameters, feed);
    } else {
      const WithFeed with_feed(feed);
      for (const Value& output : computation_.outputs(feed.images))
        out.push_back(of_each_image(output.tensor(), feed.images));
    }
  }
  if (!is_bfloat16_) return out;
  for (Tensor& output : out) output = output.to(at::kFloat);
  return out;
}

// From the outputs, with gradients where they are enabled.
std::vector<Tensor> Backend::losses_in_libtorch(const std::vector<Tensor>& outputs,
                                                const TorchFeed& feed) {
  const WithFeed with_feed(feed);
  std::vector<Value> values;
  for (const Tensor& output : outputs) values.emplace_back(output);
  std::vector<Tensor> out;
  for (const Value& loss : computation_.losses(values)) out.push_back(loss.tensor().view({-1}));
  return out;
}

std::vector<Tensor> Backend::forward(const TorchFeed& feed) { return flat(forward_of(feed)); }

std::vector<Tensor> Backend::forward_of(const TorchFeed& given) {
  const std::shared_ptr<Prepared> prepared = prepare();
  TorchFeed feed = contiguous(given);
  if (!prepared->kernel && !ranks().is_alone()) return forward_of_ranks(*prepared, feed);
  if (!prepared->kernel) return forward_in_libtorch(*prepared, feed);
  prepared->bind(nullptr);
  feed.position = position_of(given);
  const Tensor trained = prepared->any_trained();
  if (at::GradMode::is_enabled() && trained.defined())
    return prepared->with_shapes(WithGradients::apply(trained, prepared, feed));
  const size_t count = prepared->recording.outputs.size();
  const int64_t batch = feed.images.size(0);
  const auto outputs = empty_outputs(prepared->kernel->program(), count, batch);
  if (batch > 0) {
    prepared->kernel->forward(prepared->binding, feed_of(feed, feed.position),
                              static_cast<size_t>(batch), compute_threads(),
                              addresses(outputs, prepared->kernel->program().outputs.size()));
  }
  return prepared->with_shapes(outputs);
}

// Outputs, losses and, with parameters, gradients in one go.
Backend::Outcome Backend::run_kernel(Prepared& prepared, const TorchFeed& given, double share,
                                     FlatParameters* parameters) {
  const at::NoGradGuard no_grad;
  const Program& program = prepared.kernel->program();
  const TorchFeed from = contiguous(given);
  const BatchPosition position = position_of(given);
  const Feed feed = feed_of(from, position);
  const int64_t batch = from.images.size(0);
  const auto size = static_cast<size_t>(batch);
  const size_t count = program.outputs.size(), outputs = prepared.recording.outputs.size();
  const auto all = empty_outputs(program, count, batch);
  if (parameters) {
    prepared.bind(&parameters->values());
    std::vector<float> seeds(count, 0.0F);
    for (size_t i = outputs; i < count; ++i) {
      seeds[i] = static_cast<float>(computation_.weights.at(i - outputs) * share /
                                    static_cast<double>(batch));
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
  Outcome out;
  out.outputs.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(outputs));
  for (size_t i = outputs; i < count; ++i) out.losses.push_back(all[i].view({-1}));
  return out;
}

Backend::Outcome Backend::evaluate(const TorchFeed& feed) {
  const at::NoGradGuard no_grad;
  const std::shared_ptr<Prepared> prepared = prepare();
  if (prepared->runs_losses() && feed.images.size(0) > 0)
    return run_kernel(*prepared, feed, 1, nullptr);
  const std::vector<Tensor> outputs = forward_of(feed);
  return {flat(outputs), losses_in_libtorch(outputs, contiguous(feed))};
}

Backend::Outcome Backend::differentiate(const TorchFeed& feed, double share,
                                        FlatParameters& parameters) {
  const std::shared_ptr<Prepared> prepared = prepare();
  if (prepared->runs_losses()) return run_kernel(*prepared, feed, share, &parameters);
  const std::vector<Tensor> outputs = forward_of(feed);
  const std::vector<Tensor> losses = losses_in_libtorch(outputs, contiguous(feed));
  Tensor sum;
  for (size_t i = 0; i < losses.size(); ++i) {
    const double weight = computation_.weights.at(i);
    const Tensor mean = losses[i].mean();
    const Tensor weighted = weight == 1 ? mean : mean * weight;
    sum = sum.defined() ? sum + weighted : weighted;
  }
  (share == 1 ? sum : sum * share).backward();
  Outcome out;
  for (const Tensor& output : flat(outputs)) out.outputs.push_back(output.detach());
  for (const Tensor& loss : losses) out.losses.push_back(loss.detach());
  return out;
}

}  // namespace vitrine
