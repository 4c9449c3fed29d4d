#include "framework/data/transform.h"

namespace vitrine {
namespace {

constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<std::shared_ptr<Transform>> make_transforms(
    const std::vector<Choice<Transform>>& choices, TransformContext context) {
  std::vector<std::shared_ptr<Transform>> out;
  for (const Choice<Transform>& choice : choices) {
    out.push_back(choice.create(context));
    ++context.salt;
  }
  return out;
}

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
  const uint64_t first =
      static_cast<uint64_t>(lowest);  // unsigned, so that no difference overflows
  const auto range = static_cast<unsigned __int128>(static_cast<uint64_t>(highest) - first) + 1;
  return static_cast<int64_t>(first + static_cast<uint64_t>(next() * range >> 64));
}

}  // namespace vitrine
