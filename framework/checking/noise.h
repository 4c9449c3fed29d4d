#pragma once

#include <string>
#include <vector>

namespace vitrine {

// The data set that components are tried on: images of noise with columns of labels. It is
// registered when it is first asked for, so that nobody else meets it.
void register_noise();

inline constexpr const char* kNoise = "noise";
// What its column of labels may hold.
inline constexpr const char* kNoiseLabels[] = {"ten_classes", "two_classes", "labels", "values"};

}  // namespace vitrine
