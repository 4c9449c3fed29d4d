#include "framework/training/precision.h"

#include <ATen/autocast_mode.h>

namespace vitrine {
namespace {

bool wanted = false;

}  // namespace

PrecisionScope::PrecisionScope(const std::string& precision) : before_(wanted) {
  wanted = precision == kBfloat16;
}
PrecisionScope::~PrecisionScope() { wanted = before_; }
bool PrecisionScope::is_bfloat16() { return wanted; }

InBfloat16::InBfloat16(bool is_wanted, c10::DeviceType device)
    : is_wanted_(is_wanted), device_(device) {
  if (!is_wanted_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  dtype_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::increment_nesting();
}

InBfloat16::~InBfloat16() {
  if (!is_wanted_) return;
  // Weights that were rounded are kept for one pass: they change afterwards.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, dtype_);
}

}  // namespace vitrine
