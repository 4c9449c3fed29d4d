#pragma once

#include <cstdint>

namespace vitrine {

// Numbers for image `index`, the same on any machine: a counter-based generator over (seed, epoch,
// index, salt). `salt` tells apart what draws for the same image. Source: SplitMix64, Steele, Lea
// and Flood, 2014.
class Draws {
 public:
  Draws(uint64_t seed, int64_t epoch, int64_t index, uint64_t salt);
  double uniform();                                  // [0, 1)
  double between(double lowest, double highest);     // [lowest, highest)
  int64_t integer(int64_t lowest, int64_t highest);  // both included

  // The number that the n-th call of uniform would give from here on, n from 0 on, cut to 24 bits:
  // what a float can hold.
  float uniform_at(uint64_t n) const;
  // Adding kGamma (n + 1) times to it and mixing gives the n-th number's bits.
  uint64_t state() const { return state_; }
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
  static constexpr uint64_t kFirstFactor = 0xbf58476d1ce4e5b9, kSecondFactor = 0x94d049bb133111eb;

 private:
  uint64_t next();
  uint64_t state_;
};

// Salts of what a model draws are no transform's.
constexpr uint64_t model_salt(uint64_t site) { return (uint64_t{1} << 32) + site; }

}  // namespace vitrine
