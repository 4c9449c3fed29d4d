#include "framework/training/rank_share.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <mutex>

#include "framework/ranks/ranks.h"

namespace vitrine {
RankShare::RankShare(int64_t batch)
    : batch_(batch),
      first_(ranks().first_of(batch, ranks().index())),
      count_(ranks().first_of(batch, ranks().index() + 1) - first_) {}

Tensor RankShare::own(const Tensor& rows) const { return rows.narrow(0, first_, count_); }

Tensor RankShare::own_or_one(const Tensor& rows) const {
  return count_ > 0 ? own(rows) : rows.narrow(0, 0, std::min<int64_t>(1, batch_));
}

Tensor RankShare::without_stand_in(const Tensor& rows) const {
  return count_ > 0 ? rows : rows.narrow(0, 0, 0);
}

Tensor RankShare::gathered(const Tensor& own) const {
  const at::NoGradGuard no_grad;
  std::vector<int64_t> shape = own.sizes().vec();
  shape[0] = batch_;
  Tensor all = at::empty(shape, at::kFloat);
  all.narrow(0, first_, count_).copy_(own);
  const auto row = static_cast<size_t>(all.stride(0)) * sizeof(float);
  std::vector<size_t> starts;
  for (size_t i = 0; i <= ranks().count(); ++i)
    starts.push_back(static_cast<size_t>(ranks().first_of(batch_, i)) * row);
  ranks().gather(all.data_ptr<float>(), starts);
  return all.to(own.device());
}

void RankShare::add_gradients(const std::vector<Tensor>& gradients,
                              const std::vector<Tensor>& parameters) const {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> flat;
  for (size_t i = 0; i < parameters.size(); ++i) {
    flat.push_back(gradients[i].defined() ? gradients[i].flatten()
                                          : at::zeros_like(parameters[i]).flatten());
  }
  if (flat.empty()) return;
  const Tensor sums = at::cat(flat).to(at::kFloat).cpu();
  ranks().sum(sums.data_ptr<float>(), static_cast<size_t>(sums.numel()));
  int64_t at = 0;
  for (const Tensor& parameter : parameters) {
    Tensor& gradient = parameter.mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(parameter);
    gradient.add_(sums.narrow(0, at, parameter.numel()).view_as(parameter).to(gradient.device()));
    at += parameter.numel();
  }
}

void average_over_ranks(const std::vector<Tensor>& buffers) {
  const at::NoGradGuard no_grad;
  for (const Tensor& buffer : buffers) {
    if (!buffer.is_floating_point() || buffer.numel() == 0) continue;
    const Tensor sum = buffer.to(at::kFloat).cpu().contiguous().clone();
    ranks().sum(sum.data_ptr<float>(), static_cast<size_t>(sum.numel()));
    buffer.copy_(sum / static_cast<double>(ranks().count()));
  }
}

OwnDraws::OwnDraws(bool is_wanted) {
  if (!is_wanted) return;
  const auto seed = at::empty({}, at::kLong).random_().item<int64_t>();
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  state_ = generator.get_state();
  generator.set_current_seed(static_cast<uint64_t>(seed) + ranks().index());
}

OwnDraws::~OwnDraws() {
  if (!state_.defined()) return;
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state_);
}

}  // namespace vitrine
