#pragma once

#include "framework/training/backend.h"
#include "framework/training/config.h"

// How what a config leaves open of device, backend and threads is decided, with the reason. What an
// earlier part of the run derived (`before`) is taken again where it can be.
namespace vitrine {

inline constexpr const char* kAskedFor = "asked for";  // an Execution::why

// Throws Error(kUsage), with the place in `written`, for a device that is not here.
Execution pick_device(const std::string& wanted, const Node& written, const Derived& before);
// Throws ConfigError where the one that is asked for cannot execute what the config describes.
Execution pick_backend(const Config& config, const BackendChoice& choice, const Node& written,
                       const Derived& before, const std::string& file);
// Of a config whose device and backend are decided.
Execution pick_threads(const Config& config, Model& model, const std::vector<int64_t>& images,
                       const Derived& before);

// Whether the images of a data set are held or read as they are wanted; either way they are the
// same.
Execution pick_memory(const Config& config, const DatasetInfo& info);

}  // namespace vitrine
