#pragma once

#include "framework/engine/engine.h"

namespace vitrine {

// Trains and tests as Engine::train says.
TrainResult train(const TrainRequest& request, Observer& observer);
std::shared_ptr<const ResolvedConfig> resolve_resumed(const std::filesystem::path& run,
                                                      ConfigSource source);

}  // namespace vitrine
