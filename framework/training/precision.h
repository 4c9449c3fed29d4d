#pragma once

#include <ATen/core/ATen_fwd.h>
#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace vitrine {

// What products are computed in, as configs name it.
inline constexpr const char* kFloat32 = "float32";
inline constexpr const char* kBfloat16 = "bfloat16";

// While it lives, whatever executes a model in libtorch is made for this precision.
class PrecisionScope {
 public:
  explicit PrecisionScope(const std::string& precision);
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;
  ~PrecisionScope();
  static bool is_bfloat16();  // of the one that lives now; false where none does

 private:
  bool before_;
};

// While it lives, libtorch computes products in bfloat16 and the rest in what suits it (autocast).
// Weights stay as they are.
class InBfloat16 {
 public:
  InBfloat16(bool is_wanted, c10::DeviceType device);
  InBfloat16(const InBfloat16&) = delete;
  InBfloat16& operator=(const InBfloat16&) = delete;
  ~InBfloat16();

 private:
  bool is_wanted_;
  c10::DeviceType device_;
  bool was_enabled_ = false;
  c10::ScalarType dtype_ = c10::ScalarType::BFloat16;
};

}  // namespace vitrine
