#pragma once

#include "framework/engine/data_view.h"
#include "framework/training/config.h"

namespace vitrine {

// See Engine::look_at_data.
std::optional<DataView> look_at_data(const Config& config, bool shows, Observer& observer);

}  // namespace vitrine
