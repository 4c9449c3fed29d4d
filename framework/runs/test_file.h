#pragma once

#include <nlohmann/json.hpp>
#include <string>

// What test.json holds, as people read it.
namespace vitrine {

// What an image is, or is taken for: the name of its class; of values "0.25", or of several "x
// 0.25, y 1".
std::string answer_text(const nlohmann::ordered_json& answer);

}  // namespace vitrine
