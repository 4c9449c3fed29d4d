#include "framework/model/flops.h"

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <memory>
#include <string_view>

namespace vitrine {
namespace {

thread_local int64_t flops_of_thread = 0;

// Carries the cost of one element of the output from the start of an operator, where its inputs can
// be read, to its end.
struct Cost : at::ObserverContext {
  explicit Cost(int64_t per_element) : per_element(per_element) {}
  int64_t per_element;
};

// Only operators that end in a kernel: aten::linear or aten::matmul would count a second time what
// they call. Attention's kernels multiply twice by the keys' number, once for the scores and once
// for the values.
int64_t cost_per_output_element(std::string_view name, c10::ArrayRef<const c10::IValue> inputs) {
  const auto size = [&](size_t input, int64_t dim) { return inputs[input].toTensor().size(dim); };
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv") return 2 * size(0, -1);
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::_addmm_activation")
    return 2 * size(1, -1);
  if (name == "aten::_convolution") return 2 * inputs[1].toTensor()[0].numel();
  const bool is_attention =
      name.starts_with("aten::_scaled_dot_product_") && name.find("_math") == name.npos;
  if (is_attention && name.find("backward") == name.npos) return 4 * size(1, -2);
  return 0;
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  return std::make_unique<Cost>(cost_per_output_element(function.name(), function.inputs()));
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  const int64_t cost = context ? static_cast<Cost*>(context)->per_element : 0;
  if (cost > 0 && !function.outputs().empty()) {
    flops_of_thread += cost * function.outputs()[0].toTensor().numel();
  }
}

}  // namespace

FlopCounter::FlopCounter() : start_(flops_of_thread) {
  callback_ = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::~FlopCounter() { at::removeCallback(callback_); }

void FlopCounter::add(int64_t flops) { flops_of_thread += flops; }

int64_t FlopCounter::count() const { return flops_of_thread - start_; }

}  // namespace vitrine
