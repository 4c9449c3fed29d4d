#pragma once

#include <string>

#include "framework/engine/engine.h"
#include "framework/training/model_file.h"

namespace vitrine {

struct OnnxFile {
  std::string bytes;
  std::string shown;  // what it takes and gives
};

// A model in evaluation mode as ONNX: an output for each task, with its name, and one of its
// probabilities; without tasks its features. Throws Error(kUsage) with the part that has no equal
// there.
OnnxFile to_onnx(const ModelFile& model, const OnnxOptions& options);

}  // namespace vitrine
