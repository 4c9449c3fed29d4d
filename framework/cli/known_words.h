#pragma once

#include <nlohmann/json.hpp>

namespace vitrine {

// What a shell completes from: {"schema": that of configs, "components": {kind: {name: help}}},
// those of the program itself. The build writes it beside the libraries, so that neither libtorch
// nor the engine is loaded for a key; where that file is older than a library, or is not there, the
// engine is asked.
const nlohmann::ordered_json& known_words();

// The JSON Schema of configs, those of sweeps among them, by the engine.
nlohmann::ordered_json schema_of_engine();
// What is written to that file.
nlohmann::ordered_json words_of_engine();

}  // namespace vitrine
