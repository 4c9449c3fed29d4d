#include "framework/model/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "framework/error.h"
#include "framework/torch.h"

namespace vitrine {
namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {
    {DType::kBool, at::kBool}, {DType::kU8, at::kByte},       {DType::kI8, at::kChar},
    {DType::kI16, at::kShort}, {DType::kI32, at::kInt},       {DType::kI64, at::kLong},
    {DType::kF16, at::kHalf},  {DType::kBF16, at::kBFloat16}, {DType::kF32, at::kFloat},
    {DType::kF64, at::kDouble}};

DType dtype_of(const Tensor& tensor) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == tensor.scalar_type()) return ours;
  }
  throw Error(ExitCode::kInternal,
              fmt::format("cannot save a tensor of type {}", c10::toString(tensor.scalar_type())));
}

Tensor from_bytes(DType dtype, const std::vector<int64_t>& shape, std::string_view bytes,
                  const std::string& name) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours != dtype) continue;
    Tensor out = at::empty(shape, theirs);
    if (!bytes.empty()) std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
    return out;
  }
  throw Error(ExitCode::kData,
              "the tensor " + escape(name) + " has an element type that cannot be used here");
}

}  // namespace

OwnedTensor to_owned(const std::string& name, const Tensor& tensor) {
  const Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  OwnedTensor out{name, dtype_of(plain), plain.sizes().vec(), std::string(plain.nbytes(), '\0')};
  if (!out.bytes.empty()) std::memcpy(out.bytes.data(), plain.data_ptr(), plain.nbytes());
  return out;
}

Tensor to_tensor(const TensorView& view) {
  return from_bytes(view.dtype, view.shape, view.bytes, view.name);
}
Tensor to_tensor(const OwnedTensor& tensor) {
  return from_bytes(tensor.dtype, tensor.shape, tensor.bytes, tensor.name);
}

std::vector<TensorView> views_of(const std::vector<OwnedTensor>& tensors) {
  std::vector<TensorView> out;
  for (const OwnedTensor& tensor : tensors)
    out.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes});
  return out;
}

std::map<std::string, Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, Tensor> out;
  for (const auto& item : module.named_parameters()) out[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) out[item.key()] = item.value();
  return out;
}

std::map<std::string, Tensor> state_of(const Modules& modules) {
  std::map<std::string, Tensor> out;
  for (const auto& [name, tensor] : named_tensors(modules)) out[name] = tensor;
  return out;
}

namespace {

// "has NaN in 1 of 80 values"; empty where all are finite.
std::string nonfinite_values(const Tensor& tensor) {
  const int64_t nan = tensor.isnan().sum().item<int64_t>();
  const int64_t infinite = tensor.isinf().sum().item<int64_t>();
  if (nan + infinite == 0) return "";
  return fmt::format("has {} in {} of {} values",
                     infinite == 0 ? "NaN"
                     : nan == 0    ? "infinity"
                                   : "NaN or infinity",
                     nan + infinite, tensor.numel());
}

bool is_finite(const Tensor& tensor) { return tensor.isfinite().all().item<bool>(); }

}  // namespace

std::string nonfinite_weights(const torch::nn::Module& module,
                              const std::map<std::string, Tensor>& values,
                              const std::string& prefix) {
  std::map<std::string, Tensor> wanted;
  for (const auto& item : module.named_parameters()) wanted[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) {
    if (is_finite(item.value())) wanted[item.key()] = item.value();
  }
  std::vector<std::string> wrong;
  for (const auto& [name, target] : wanted) {
    const auto value = values.find(name);
    if (value == values.end()) continue;
    const std::string what = nonfinite_values(value->second.to(target.scalar_type()));
    if (!what.empty()) wrong.push_back(fmt::format("{}{} {}", prefix, escape(name), what));
  }
  if (wrong.empty()) return "";
  return fmt::format(
      "the weights are not finite: {}. They are damaged, or of a training that diverged",
      some_of(std::move(wrong)));
}

std::string nonfinite_weights(const Modules& modules, const std::map<std::string, Tensor>& values,
                              const std::string& prefix) {
  for (const auto& [of_module, module] : modules) {
    std::map<std::string, Tensor> below;
    for (const auto& [name, value] : values) {
      if (name.starts_with(of_module)) below[name.substr(of_module.size())] = value;
    }
    const std::string wrong = nonfinite_weights(*module, below, prefix + of_module);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

void copy_state(const std::map<std::string, Tensor>& target,
                const std::map<std::string, Tensor>& values, ExitCode code,
                const std::string& what) {
  std::vector<std::string> wrong;
  for (const auto& [name, tensor] : target) {
    const auto value = values.find(name);
    if (value == values.end()) {
      wrong.push_back(escape(name) + " is missing");
    } else if (value->second.sizes() != tensor.sizes()) {
      wrong.push_back(fmt::format("{} is [{}], the model has [{}]", escape(name),
                                  fmt::join(value->second.sizes(), ", "),
                                  fmt::join(tensor.sizes(), ", ")));
    }
  }
  for (const auto& [name, tensor] : values) {
    if (!target.contains(name)) wrong.push_back(escape(name) + " is not in the model");
  }
  if (!wrong.empty()) {
    throw Error(code, fmt::format("{}: the weights do not fit the model: {}", what,
                                  some_of(std::move(wrong))));
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : target) Tensor(tensor).copy_(values.at(name));
}

}  // namespace vitrine
