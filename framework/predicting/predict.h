#pragma once

#include <functional>

#include "framework/infer/task.h"
#include "framework/predicting/image_input.h"

// Answers to image files, whatever computes them: the program of a model's file, or libtorch.
// Without torch.
namespace vitrine {

struct Predictor {
  std::string file;  // what messages call the model's
  WantedImages images;
  std::vector<infer::Task> tasks;
  // What the heads give of an image as image_input makes it, all tasks side by side.
  std::function<std::vector<float>(const std::vector<uint8_t>& planes)> outputs;
};

// What Engine::predict returns. Throws Error(kUsage) for a model without tasks, and
// Error(kCheckpoint) for answers that are not finite.
nlohmann::ordered_json predict(const Predictor& predictor, const PredictRequest& request,
                               Observer& observer);

}  // namespace vitrine
