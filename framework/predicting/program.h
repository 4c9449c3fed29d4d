#pragma once

#include <optional>

#include "framework/predicting/predict.h"

namespace vitrine {

// What answers by the program in the model's file. None where that cannot be, for whatever reason:
// the engine can then, or says why not. So nothing is loaded that another plug-in, or a file that
// does not hold together, would answer for.
std::optional<Predictor> open_program(const WeightsSource& source);

}  // namespace vitrine
