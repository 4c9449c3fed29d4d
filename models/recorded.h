#pragma once

namespace vitrine {

// What a config calls the model that stands for a model file's program
// (framework/training/recorded.h).
inline constexpr const char* kRecordedModel = "recorded";

}  // namespace vitrine
