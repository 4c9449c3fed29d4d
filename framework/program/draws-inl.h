// Random numbers, one for each image of a group. Included once for each instruction set.
#if defined(VITRINE_PROGRAM_DRAWS) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_PROGRAM_DRAWS
#undef VITRINE_PROGRAM_DRAWS
#else
#define VITRINE_PROGRAM_DRAWS
#endif

#include <algorithm>

#include "framework/draws.h"
#include "framework/program/operation.h"
#include "framework/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// What Draws::uniform_at gives for each image of a group.
class LaneDraws {
 public:
  LaneDraws(const ImageGroup& group, uint64_t site) {
    for (size_t lane = 0; lane < N; ++lane) {
      const Feed& feed = *group.feed;
      const int64_t number = feed.image_numbers[group.first + std::min(lane, group.count - 1)];
      (lane % 2 ? odd_ : even_)[lane / 2] =
          Draws(feed.seed, feed.epoch, number, model_salt(site)).state();
    }
  }

  HWY_INLINE V uniform(uint64_t n) const {
#if HWY_TARGET == HWY_SCALAR
    return all(static_cast<float>(mixed(even_[0] + (n + 1) * Draws::kGamma) >> 40) * 0x1p-24f);
#else
    const hn::RebindToSigned<Lanes> di;
    const auto steps = hn::Set(Wide(), (n + 1) * Draws::kGamma);
    const auto even = mixed(hn::Add(hn::Load(Wide(), even_), steps));
    const auto odd = mixed(hn::Add(hn::Load(Wide(), odd_), steps));
    // The upper halves, which are the better ones, in the order of the lanes.
    const auto halves =
        hn::Or(hn::ShiftRight<32>(even), hn::And(odd, hn::Set(Wide(), uint64_t{0xffffffff} << 32)));
    const hn::RebindToUnsigned<Lanes> du;
    const auto bits = hn::ShiftRight<8>(hn::BitCast(du, halves));
    return hn::Mul(hn::ConvertTo(Lanes(), hn::BitCast(di, bits)), all(0x1p-24f));
#endif
  }

 private:
#if HWY_TARGET == HWY_SCALAR
  static uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * Draws::kFirstFactor;
    z = (z ^ (z >> 27)) * Draws::kSecondFactor;
    return z ^ (z >> 31);
  }
  uint64_t even_[1], odd_[1];
#else
  using Wide = hn::ScalableTag<uint64_t>;
  using Bits = hn::Vec<Wide>;
  static HWY_INLINE Bits mixed(Bits z) {
    z = hn::Mul(hn::Xor(z, hn::ShiftRight<30>(z)), hn::Set(Wide(), Draws::kFirstFactor));
    z = hn::Mul(hn::Xor(z, hn::ShiftRight<27>(z)), hn::Set(Wide(), Draws::kSecondFactor));
    return hn::Xor(z, hn::ShiftRight<31>(z));
  }
  HWY_ALIGN uint64_t even_[N / 2], odd_[N / 2];
#endif
};

// What Draws::uniform_at gives for one image, for neighbouring numbers from n on.
class ImageDraws {
 public:
  ImageDraws(const ImageGroup& group, size_t image, uint64_t site)
      : draws_(group.feed->seed, group.feed->epoch, group.feed->image_numbers[group.first + image],
               model_salt(site)) {}

  HWY_INLINE V uniform(uint64_t n) const {
    HWY_ALIGN float lanes[N];
    for (size_t lane = 0; lane < N; ++lane) lanes[lane] = draws_.uniform_at(n + lane);
    return hn::Load(Lanes(), lanes);
  }

 private:
  Draws draws_;
};

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
