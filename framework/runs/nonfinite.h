#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vitrine {

// JSON has no NaN and no infinity: makes each such value in `object` null and names it in an array
// "nonfinite", by a path such as "history[0].train/loss".
void name_nonfinite(nlohmann::ordered_json& object);

// Undoes name_nonfinite, with NaN for whatever it was. Throws Error(kData), which begins with
// `where`, when a path names no null.
void restore_nonfinite(nlohmann::ordered_json& object, const std::string& where);

}  // namespace vitrine
