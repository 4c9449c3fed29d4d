#pragma once

#include <vector>

namespace vitrine {

// Pixels less a mean, divided by a deviation: one number each for all channels, or one a channel.
struct Normalization {
  std::vector<double> mean, std;
};

}  // namespace vitrine
