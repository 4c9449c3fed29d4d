#include "framework/training/mix.h"

#include <fmt/format.h>

#include "framework/data/tensor_words.h"
#include "framework/data/upload.h"

namespace vitrine {
namespace {

// What is drawn for a batch is no transform's and no model's.
constexpr uint64_t kBatchSalt = uint64_t{1} << 33;

double named_share(const std::vector<Choice<Mix>>& choices) {
  double out = 0;
  for (const Choice<Mix>& choice : choices) out += choice.options<MixOptions>().prob.value_or(0);
  return out;
}

// Of each; those that name none have what is left in equal parts.
std::vector<double> shares_of(const std::vector<Choice<Mix>>& choices) {
  double unnamed = 0;
  for (const Choice<Mix>& choice : choices) unnamed += choice.options<MixOptions>().prob ? 0 : 1;
  const double each = (1 - named_share(choices)) / unnamed;
  std::vector<double> out;
  for (const Choice<Mix>& choice : choices)
    out.push_back(choice.options<MixOptions>().prob.value_or(each));
  return out;
}

bool is_numbers(const Tensor& tensor, at::ScalarType type, int64_t count) {
  return tensor.defined() && tensor.is_cpu() && tensor.scalar_type() == type && tensor.dim() == 1 &&
         tensor.size(0) == count;
}

}  // namespace

Mix::Mixed Mix::operator()(const Tensor& images, Draws& draws) {
  return in("mix", [&] {
    Mixed out = mix(images, draws);
    const int64_t count = images.size(0);
    const bool is_kept = out.images.defined() && out.images.sizes() == images.sizes() &&
                         out.images.scalar_type() == images.scalar_type() &&
                         out.images.device() == images.device();
    require(is_kept, "mix", [&] {
      return fmt::format("of images {} it made {}: it must keep shape, type and device",
                         type_and_shape(images), type_and_shape(out.images));
    });
    const Tensor &partners = out.mixture.partners, &shares = out.mixture.shares;
    const bool is_told =
        is_numbers(partners, at::kLong, count) && is_numbers(shares, at::kFloat, count);
    require(is_told, "mix", [&] {
      return fmt::format("partners are {} and shares {}: they must be {} and {}, on the CPU",
                         type_and_shape(partners), type_and_shape(shares),
                         type_and_shape(at::kLong, {count}), type_and_shape(at::kFloat, {count}));
    });
    const bool is_within = partners.ge(0).logical_and(partners.lt(count)).all().item<bool>() &&
                           shares.ge(0).logical_and(shares.le(1)).all().item<bool>();
    require(is_within, "mix", [&] {
      return fmt::format("partners must be from 0 to {} and shares from 0 to 1", count - 1);
    });
    return out;
  });
}

Mixer::Mixer(const std::vector<Choice<Mix>>& choices, uint64_t seed)
    : shares_(shares_of(choices)), seed_(seed) {
  for (const Choice<Mix>& choice : choices) mixes_.push_back(choice.create({}));
}

void Mixer::mix(Batch& batch, int64_t number) const {
  if (mixes_.empty()) return;
  Draws draws(seed_, batch.position.epoch, number, kBatchSalt);
  double drawn = draws.uniform();
  for (size_t i = 0; i < mixes_.size(); drawn -= shares_[i++]) {
    if (drawn >= shares_[i]) continue;
    auto [images, mixture] = (*mixes_[i])(batch.images, draws);
    const at::Device device = images.device();
    batch.images = std::move(images);
    batch.mixture = {upload(mixture.partners, device), upload(mixture.shares, device)};
    return;
  }
}

void check_mix(const std::vector<Choice<Mix>>& choices, Check& training) {
  const size_t before = training.problems().size();
  for (const Choice<Mix>& choice : choices) choice.check({}, training.problems());
  if (training.problems().size() > before || choices.empty()) return;
  const double named = named_share(choices);
  constexpr double kRounding = 1e-9;
  if (named > 1 + kRounding) {
    training.error({"mix"},
                   fmt::format("mix: prob is {:.4g} of all batches together: at most 1", named));
  }
  for (const Choice<Mix>& choice : choices) {
    if (named > 1 - kRounding && !choice.options<MixOptions>().prob) {
      training.problems().add(choice.node().location,
                              choice.path() + ": prob of the others leaves it no batch");
    }
  }
}

}  // namespace vitrine
