#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/program/normalization.h"
#include "framework/program/program.h"

namespace vitrine {

constexpr int64_t kLeastOnnxOpset = 17, kMostOnnxOpset = 23;

// A program as a model is to have it. Without torch.
struct OnnxModel {
  // The input "images", [batch, channels, height, width].
  struct Images {
    size_t channels = 0, height = 0, width = 0;
    bool are_bytes = true;  // uint8, 255 is 1; else float, as the program takes them
    std::vector<Normalization> normalizations;  // of bytes, one after the other
  };
  // float [batch, numbers of an image]
  struct Output {
    std::string name;
    size_t step = 0;  // of the program
  };

  Program program;
  std::vector<const float*> parameters;  // of the program, in rows
  Images images;
  std::vector<Output> outputs;
  std::vector<std::pair<std::string, std::string>> metadata;
  int64_t opset = kLeastOnnxOpset;
};

// The bytes of a file for https://onnx.ai: always the same for the same model. Weights that the
// outputs need are initialisers with the names of the parameters; an output whose name the input
// has is called "images_2". Throws Error(kUsage) with the part for an operation that has no equal
// in ONNX, and for weights of more than 2 GB.
std::string onnx_model(const OnnxModel& model);

}  // namespace vitrine
