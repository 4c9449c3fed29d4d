#pragma once

#include <functional>

#include "framework/files/safetensors.h"
#include "framework/files/sealed.h"
#include "tests/framework/cli/support.h"

// Model files whose programs are changed.
namespace vitrine {

// A copy of a model's file, with other metadata and some of its tensors, sealed again.
inline void change_model(const std::filesystem::path& from, const std::filesystem::path& to,
                         const std::function<void(std::map<std::string, std::string>&)>& change,
                         const std::function<bool(const TensorView&)>& keeps = {}) {
  const Safetensors file = Safetensors::load(from, 1 << 26);
  auto metadata = file.metadata();
  metadata.erase("sha256");
  change(metadata);
  std::vector<TensorView> tensors = file.tensors();
  if (keeps) std::erase_if(tensors, [&](const TensorView& one) { return !keeps(one); });
  write_plain(to, write_sealed_safetensors(tensors, metadata));
}

inline void remove_program(const std::filesystem::path& from, const std::filesystem::path& to) {
  change_model(
      from, to, [](auto& metadata) { metadata.erase("program"); },
      [](const TensorView& tensor) { return !tensor.name.starts_with("program."); });
}

}  // namespace vitrine
