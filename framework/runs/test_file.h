#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "framework/files/place.h"
#include "framework/images/image.h"

// What test.json holds, as people read it.
namespace vitrine {

// What an image is, or is taken for: the name of its class; of values "0.25", or of several "x
// 0.25, y 1".
std::string answer_text(const nlohmann::ordered_json& answer);

// Of a run: the images that its test went most wrong with.
inline constexpr const char* kWorstFolder = "worst";

// Where an image lies that an entry of "worst" names under "file", in that folder. Throws
// Error(kData) for a name that leads elsewhere.
Place worst_image(const Folder& folder, const nlohmann::ordered_json& entry);
// The bytes of this PNG. Throws Error(kData).
std::string read_worst_image(const std::filesystem::path& run, const nlohmann::ordered_json& entry);

}  // namespace vitrine
