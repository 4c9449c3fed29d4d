#pragma once

#include <string>
#include <vector>

#include "framework/model/model.h"
#include "framework/model/weights_options.h"

namespace vitrine {

// What became of weights from elsewhere.
struct LoadedWeights {
  std::vector<std::string> messages;  // what was recognised or converted, a line each
  std::vector<std::string> fresh;     // the model's names that keep their new values
};

// Fills a model with the weights of a file that is here, whose names and shapes are a layout's.
// Heads for other classes stay new, positions of another grid are interpolated, and another number
// of channels is summed or repeated. Throws Error(kCheckpoint) for a file that is damaged, not the
// one whose hash is given, or does not fit, with both sides of each mismatch; Error(kUsage) for a
// pattern or prefix that fits nothing, and for a layout that has no equal of the model.
LoadedWeights load_weights(Model& model, const WeightsOptions& options);

// Takes the gradients of parameters that fit a pattern; returns how many these are.
size_t freeze(Model& model, const std::vector<std::string>& patterns);

// What is wrong with patterns of parameters that are to be frozen; empty where nothing is.
std::string freeze_problem(const Model& model, const std::vector<std::string>& patterns);

}  // namespace vitrine
