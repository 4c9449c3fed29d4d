#include "framework/training/rank_share.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <mutex>

#include "framework/ranks/ranks.h"
#include "framework/training/device_sum.h"

namespace vitrine {
namespace {

// Float, where the values are. They are contiguous, and of no use any more.
Tensor sum_over_ranks(const Tensor& values) {
  const Tensor own = values.to(at::kFloat);
  if (DeviceSum* sum = device_sum(own.device())) {
    sum->add_up(own);
    return own;
  }
  const Tensor here = own.cpu();
  ranks().sum(here.data_ptr<float>(), static_cast<size_t>(here.numel()));
  return here.to(own.device());
}

}  // namespace

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
  if (DeviceSum* sum = device_sum(own.device())) {
    const Tensor all = at::zeros(shape, own.options().dtype(at::kFloat));
    all.narrow(0, first_, count_).copy_(own);
    sum->add_up(all);
    return all;
  }
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
  const Tensor sums = sum_over_ranks(at::cat(flat));
  int64_t at = 0;
  for (const Tensor& parameter : parameters) {
    Tensor& gradient = parameter.mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(parameter);
    gradient.add_(sums.narrow(0, at, parameter.numel()).view_as(parameter));
    at += parameter.numel();
  }
}

void average_over_ranks(const std::vector<Tensor>& buffers) {
  const at::NoGradGuard no_grad;
  for (const Tensor& buffer : buffers) {
    if (!buffer.is_floating_point() || buffer.numel() == 0) continue;
    buffer.copy_(sum_over_ranks(buffer.contiguous().clone()) /
                 static_cast<double>(ranks().count()));
  }
}

OwnDraws::OwnDraws(bool is_wanted, c10::DeviceType device) {
  if (!is_wanted) return;
  const auto seed = at::empty({}, at::kLong).random_().item<int64_t>();
  states_.emplace_back(at::detail::getDefaultCPUGenerator(), Tensor());
  if (device == at::kCUDA)
    states_.emplace_back(at::globalContext().defaultGenerator(at::Device(device)), Tensor());
  for (auto& [generator, state] : states_) {
    const std::lock_guard lock(generator.mutex());
    state = generator.get_state();
    generator.set_current_seed(static_cast<uint64_t>(seed) + ranks().index());
  }
}

OwnDraws::~OwnDraws() {
  for (auto& [generator, state] : states_) {
    const std::lock_guard lock(generator.mutex());
    generator.set_state(state);
  }
}

}  // namespace vitrine
