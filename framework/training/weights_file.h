#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/engine/engine.h"
#include "framework/model/weights_options.h"

namespace vitrine {

// The file that is meant by a place of weights: itself, the tested model of a run's folder, or of
// an address its copy in the cache. None where it is not there.
std::optional<std::filesystem::path> local_weights(const std::string& place);

// Fetches weights from an address into the cache, unless they are there already. Throws
// Error(kData) where that fails, or where they have another SHA-256 than is asked for.
void fetch_weights(const WeightsOptions& weights, Observer& observer);

}  // namespace vitrine
