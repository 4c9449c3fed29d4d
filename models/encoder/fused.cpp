#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <set>

#include "framework/registry/register.h"
#include "framework/training/threads.h"
#include "models/encoder/fused/batch.h"
#include "models/encoder/fused/binding.h"
#include "models/parts.h"

namespace vitrine {
namespace {

using Names = std::set<std::string>;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Whether it can start at the pixels; else it starts at the tokens that the embedding gives.
bool knows_embedding(const Node& choices) {
  return Names{"linear_patches", "conv_patches"}.contains(
      choices.find("embedding")->find("type")->scalar);
}

struct Options {
  void visit(Fields&) {}

  // Embedding and positions may be any.
  void check(const EncoderContext& context, Check& check) const {
    std::string wrong = context.device == "cpu" ? "" : "device " + context.device;
    const auto require = [&](const char* part, const char* option, const Names& known) {
      const Node* found = context.parts.choices.find(part)->find(option);
      if (!found || known.contains(to_flow_yaml(*found))) return;
      const bool is_type = option == std::string("type");
      wrong += fmt::format("{}{}{} {}", wrong.empty() ? "" : ", ", part,
                           is_type ? "" : fmt::format(".{}", option), to_flow_yaml(*found));
    };
    require("block", "type", {"pre_norm"});
    require("block", "drop_path", {"0"});
    require("block", "dropout", {"0"});
    require("block", "layer_scale", {"null"});
    require("attention", "type", {"per_head", "multi_head"});
    require("attention", "dropout", {"0"});
    require("mlp", "type", {"gelu"});
    require("mlp", "dropout", {"0"});
    require("norm", "type", {"layer"});
    require("pooling", "type", {"class_token", "mean", "attention"});
    if (!wrong.empty()) check.error({}, "fused knows no " + wrong + "; layers serves every model");
  }
};

// The kernel over a model's parameters, with its memory.
struct Machine {
  Machine(const EncoderContext& context, bool from_pixels) : binding(context, from_pixels) {}

  // Memory for what backward needs, not in use by a batch that is still waiting for it.
  std::shared_ptr<fused::Memory> free_memory() {
    for (const auto& memory : kept) {
      if (memory.use_count() == 1) return memory;
    }
    return kept.emplace_back(std::make_shared<fused::Memory>());
  }

  fused::Binding binding;
  fused::Batches batches;
  std::vector<std::shared_ptr<fused::Memory>> kept;
  fused::Memory gradients;
};

// `input` as the kernel takes it; it must outlive the result.
fused::Input input_of(const Tensor& input) {
  fused::Input out;
  if (input.scalar_type() == at::kByte) {
    out.bytes = input.data_ptr<uint8_t>();
  } else if (input.dim() == 4) {
    out.values = input.data_ptr<float>();
  } else {
    out.tokens = input.data_ptr<float>();
  }
  return out;
}

Tensor run_forward(Machine& machine, const Tensor& input, const Tensor& positions,
                   fused::Memory* kept) {
  const fused::Network& network = machine.binding.network(positions);
  const Tensor pooled = at::empty(
      {input.size(0), static_cast<int64_t>(network.tasks), static_cast<int64_t>(network.d)},
      at::kFloat);
  if (input.size(0) > 0) {
    machine.batches.forward(network, input_of(input), static_cast<size_t>(input.size(0)),
                            compute_threads(), pooled.data_ptr<float>(), kept);
  }
  return pooled;
}

// What backward finds again.
struct Saved : torch::CustomClassHolder {
  std::shared_ptr<Machine> machine;
  std::shared_ptr<fused::Memory> kept;
  Tensor input, positions;
};

// `trained` stands for all parameters, whose gradients backward adds to them itself: a node of
// autograd's for each would cost as much as the kernel does for a small model.
class Fused : public torch::autograd::Function<Fused> {
 public:
  static Tensor forward(AutogradContext* context, const std::optional<Tensor>& /*trained*/,
                        const Tensor& input, const std::optional<Tensor>& positions,
                        const std::shared_ptr<Machine>& machine) {
    auto saved = c10::make_intrusive<Saved>();
    saved->machine = machine;
    saved->kept = machine->free_memory();
    saved->input = input;
    if (positions) saved->positions = *positions;
    const Tensor pooled = run_forward(*machine, input, saved->positions, saved->kept.get());
    context->saved_data["saved"] = c10::IValue::make_capsule(std::move(saved));
    return pooled;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["saved"].toCapsule();
    const Saved& saved = static_cast<const Saved&>(*capsule);
    Machine& machine = *saved.machine;
    const fused::Network& network = machine.binding.network(saved.positions);
    const Tensor pooled = gradients[0].contiguous();
    const bool has_tokens = saved.input.is_floating_point() && saved.input.dim() == 3;
    const Tensor tokens = has_tokens ? at::empty_like(saved.input) : Tensor();
    machine.gradients.reserve(network.gradient_count);
    float* sums = machine.gradients.at(0);
    machine.batches.backward(network, input_of(saved.input),
                             static_cast<size_t>(saved.input.size(0)), compute_threads(),
                             *saved.kept, pooled.data_ptr<float>(), sums,
                             has_tokens ? tokens.data_ptr<float>() : nullptr);
    machine.binding.accumulate(sums);
    const bool wants_positions = saved.positions.defined() && saved.positions.requires_grad();
    return {Tensor(), tokens, wants_positions ? machine.binding.position_gradient(sums) : Tensor(),
            Tensor()};
  }
};

class FusedEncoder : public Encoder {
 public:
  FusedEncoder(const Options&, const EncoderContext& context)
      : parts_(context.parts),
        from_pixels_(knows_embedding(context.parts.choices)),
        machine_(std::make_shared<Machine>(context, from_pixels_)) {}

  Tensor forward(const Tensor& images) override {
    const Tensor input =
        (from_pixels_ ? images : parts_.embedding->forward(to_float(images))).contiguous();
    Tensor positions = parts_.position->table(input.device());
    if (positions.defined()) positions = positions.contiguous();
    const Tensor trained = machine_->binding.any_trained();
    const auto needs_gradient = [](const Tensor& x) { return x.defined() && x.requires_grad(); };
    if (at::GradMode::is_enabled() &&
        (trained.defined() || needs_gradient(input) || needs_gradient(positions))) {
      const auto or_none = [](const Tensor& x) {
        return x.defined() ? std::optional(x) : std::nullopt;
      };
      return Fused::apply(or_none(trained), input, or_none(positions), machine_);
    }
    return run_forward(*machine_, input, positions, nullptr);
  }

  std::string name() const override { return "fused"; }
  bool has_own_threads() const override { return from_pixels_; }

 private:
  Parts parts_;
  bool from_pixels_;
  std::shared_ptr<Machine> machine_;
};

VITRINE_REGISTER(Encoder, FusedEncoder, Options,
                 "one CPU kernel, one image in each lane of a vector; for models of common parts")

}  // namespace
}  // namespace vitrine
