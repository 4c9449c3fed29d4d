#include "framework/training/adapted_channels.h"

namespace vitrine {

Tensor adapted_channels(const Tensor& weight, int64_t from, int64_t to) {
  const Tensor channels = weight.reshape({weight.size(0), from, -1});
  if (to == 1) return channels.sum(1);
  const Tensor repeated = channels.repeat({1, (to + from - 1) / from, 1}).slice(1, 0, to);
  return (repeated * (static_cast<double>(from) / static_cast<double>(to))).flatten(1);
}

}  // namespace vitrine
