#pragma once

#include <optional>

#include "framework/engine/engine.h"

namespace vitrine {

// What Engine::predict returns, by the program in the model's file: loads libvitrine_predict.so in
// place of the engine and libtorch. None where that cannot be: the engine can then, or says why
// not. Throws as Engine::predict does.
std::optional<nlohmann::ordered_json> predict_by_program(const PredictRequest& request,
                                                         Observer& observer);

using PredictByProgram = decltype(predict_by_program);
// Called by that library as it is loaded.
void provide_predictor(PredictByProgram* predictor);

}  // namespace vitrine
