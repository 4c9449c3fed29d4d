#include "framework/training/weight_average.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include "framework/torch.h"
#include "tests/component.h"

namespace vitrine {
namespace {

struct Net {
  torch::nn::Linear model{3, 2};
  FlatParameters parameters{*model};

  void set(float value) {
    const at::NoGradGuard no_grad;
    model->weight.fill_(value);
  }
  float weight() const { return model->weight[0][0].item<float>(); }
};

TEST_CASE("the decay grows to what is asked for") {
  CHECK(WeightAverage::decay_at(0.999, 0) == 0.1);
  CHECK(WeightAverage::decay_at(0.999, 90) == 0.91);
  CHECK(WeightAverage::decay_at(0.999, 8989) == 8990.0 / 8999);
  CHECK(WeightAverage::decay_at(0.999, 8990) == 0.999);
  CHECK(WeightAverage::decay_at(0.5, 8) == 0.5);
}

TEST_CASE("the average follows the weights, and takes their place for a while") {
  Net net;
  net.set(0);
  WeightAverage average(net.parameters, 0.5);
  net.set(1);
  average.update(0);  // decay 0.1
  net.set(2);
  average.update(1);  // decay 2 / 11
  const float wanted = 0.9F + (2 - 0.9F) * (1 - 2.0F / 11);
  {
    const WeightAverage::InUse in_use(average);
    CHECK(net.weight() == Approx(wanted));
  }
  CHECK(net.weight() == 2);
}

TEST_CASE("without a decay there is no average") {
  Net net;
  net.set(3);
  WeightAverage average(net.parameters, std::nullopt);
  CHECK_FALSE(average.exists());
  average.update(0);
  const WeightAverage::InUse in_use(average);
  CHECK(net.weight() == 3);
}

}  // namespace
}  // namespace vitrine
