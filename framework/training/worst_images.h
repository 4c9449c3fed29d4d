#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/files/place.h"
#include "framework/tensor.h"

// The images that a test went most wrong with, in the folder `worst` of its run.
namespace vitrine {

// Writes those of each task as PNG, and names each under "file" in what test.json is to tell of the
// tasks: "worst/01-cat-taken-for-dog-image-123.png". Images of other than 1 or 3 channels are no
// PNG and have none. What test.json named until now stays as it is, so that it holds until the new
// one takes its place. Throws Error(kFailed).
void write_worst_images(const Folder& run, nlohmann::ordered_json& tasks,
                        const std::map<std::string, Tensor>& images);

// Removes those of earlier tests, and what writing them left where it was ended. Throws
// Error(kFailed).
void remove_other_worst_images(const Folder& run, const nlohmann::ordered_json& tasks);

}  // namespace vitrine
