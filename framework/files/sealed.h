#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/safetensors.h"

// Safetensors files that hold the SHA-256 of all their bytes, computed with its own 64 digits as
// zeros, as "sha256" in their metadata.
namespace vitrine {

// Throws as write_safetensors does.
std::string write_sealed_safetensors(const std::vector<TensorView>& tensors,
                                     std::map<std::string, std::string> metadata);

bool is_sealed(std::string_view file);

// Throws Error(kData) where there is no digest, or that of another file; `name`, where there is
// one, begins the message.
void verify_seal(std::string_view file, std::string_view name = {});

}  // namespace vitrine
