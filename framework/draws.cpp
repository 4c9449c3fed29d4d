#include "framework/draws.h"

#include <initializer_list>

namespace vitrine {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * Draws::kFirstFactor;
  z = (z ^ (z >> 27)) * Draws::kSecondFactor;
  return z ^ (z >> 31);
}

}  // namespace

Draws::Draws(uint64_t seed, int64_t epoch, int64_t index, uint64_t salt)
    : state_(mix(seed + kGamma)) {
  for (const uint64_t word : {static_cast<uint64_t>(epoch), static_cast<uint64_t>(index), salt}) {
    state_ = mix((state_ ^ word) + kGamma);
  }
}

uint64_t Draws::next() { return mix(state_ += kGamma); }

double Draws::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Draws::between(double lowest, double highest) {
  return lowest + (highest - lowest) * uniform();
}

int64_t Draws::integer(int64_t lowest, int64_t highest) {
  const auto first = static_cast<uint64_t>(lowest);  // unsigned, so that no difference overflows
  const auto range = static_cast<unsigned __int128>(static_cast<uint64_t>(highest) - first) + 1;
  return static_cast<int64_t>(first + static_cast<uint64_t>(next() * range >> 64));
}

float Draws::uniform_at(uint64_t n) const {
  return static_cast<float>(mix(state_ + (n + 1) * kGamma) >> 40) * 0x1p-24F;
}

}  // namespace vitrine
