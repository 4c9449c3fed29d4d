#pragma once

#include <filesystem>

#include "framework/training/config.h"

namespace vitrine {

// Writes the images and labels that runs of a config are given, resized, into one safetensors file,
// which the data set `arrays` reads; what is random is left out. A file that is there is replaced
// when all is written. Throws Error(kData) for data that cannot be read.
void pack(const Config& config, const std::filesystem::path& file, Observer& observer);

}  // namespace vitrine
