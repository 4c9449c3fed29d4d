#include "framework/training/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "framework/error.h"
#include "framework/training/torch.h"

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
    const size_t shown = std::min<size_t>(wrong.size(), 8);
    const std::string rest =
        wrong.size() > shown ? fmt::format(" and {} more", wrong.size() - shown) : "";
    wrong.resize(shown);
    throw Error(code, fmt::format("{}: the weights do not fit the model: {}{}", what,
                                  fmt::join(wrong, "; "), rest));
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : target) Tensor(tensor).copy_(values.at(name));
}

}  // namespace vitrine
