#include "framework/training/waiting.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <set>

namespace vitrine {
namespace {

// libtorch calls functions without an object: there is one listener at a time.
std::mutex mutex;
std::map<std::string, int64_t> calls;
// Of fused optimizers, which on a CPU look at their counter and rate, and on a GPU do not.
thread_local int inside_fused = 0;

struct Fused : at::ObserverContext {};

bool lies_on_several_devices(const at::RecordFunction& function) {
  std::set<c10::DeviceType> devices;
  for (const c10::IValue& input : function.inputs()) {
    // A number that is a tensor may lie anywhere.
    const bool counts = input.isTensor() && input.toTensor().defined() &&
                        !input.toTensor().unsafeGetTensorImpl()->is_wrapped_number();
    if (counts) devices.insert(input.toTensor().device().type());
  }
  return devices.size() > 1;
}

std::unique_ptr<at::ObserverContext> note(const at::RecordFunction& function) {
  const std::string name = function.name();
  if (name.starts_with("aten::_fused_")) {
    ++inside_fused;
    return std::make_unique<Fused>();
  }
  if (inside_fused > 0) return nullptr;
  static const std::set<std::string> kWaiting = {"aten::_local_scalar_dense",
                                                 "aten::nonzero",
                                                 "aten::masked_select",
                                                 "aten::_unique2",
                                                 "aten::equal",
                                                 "aten::is_nonzero"};
  const bool copies = name == "aten::copy_" && lies_on_several_devices(function);
  if (!copies && !kWaiting.contains(name)) return nullptr;
  const std::lock_guard lock(mutex);
  ++calls[copies ? "a copy from one device to another" : name];
  return nullptr;
}

void leave(const at::RecordFunction& /*function*/, at::ObserverContext* context) {
  if (dynamic_cast<Fused*>(context)) --inside_fused;
}

}  // namespace

WaitingOperators::WaitingOperators() {
  {
    const std::lock_guard lock(mutex);
    calls.clear();
  }
  handle_ = at::addGlobalCallback(
      at::RecordFunctionCallback(note, leave)
          .needsInputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

WaitingOperators::~WaitingOperators() { at::removeCallback(handle_); }

std::map<std::string, int64_t> WaitingOperators::found() const {
  const std::lock_guard lock(mutex);
  return calls;
}

}  // namespace vitrine
