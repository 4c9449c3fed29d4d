#include "framework/training/setup.h"

#include <ATen/ops/arange.h>

#include "framework/config/yaml.h"
#include "tests/component.h"
#include "tests/framework/training/quiet.h"

namespace vitrine {
namespace {

TEST_CASE("two transforms of a kind draw different numbers") {
  const auto resolved =
      resolve(parse_yaml("device: cpu\nmodel: vit\n"
                         "dataset: {type: digits, train: 20, test: 1,\n"
                         "          transforms: [{type: random_shift, pixels: 1}, "
                         "{type: random_shift, pixels: 1}]}\n",
                         "test.yaml"),
              "test.yaml");
  Quiet observer;
  const Data data = load_data(*resolved->config, observer);
  const Tensor indices = at::arange(20), images = data.train->gather(indices, 0).images;
  const Tensor plain = data.train->pixels(indices).to(at::kFloat).div(255);
  const BatchPosition position{static_cast<uint64_t>(resolved->config->seed), 0, indices};
  const auto shifted = [&](uint64_t first, uint64_t second) {
    Tensor out = plain;
    for (const uint64_t salt : {first, second}) {
      out = make<Transform>("{type: random_shift, pixels: 1}", {1, 28, 28, salt})
                ->forward(out, position);
    }
    return out;
  };
  CHECK(images.equal(shifted(0, 1)));
  CHECK_FALSE(images.equal(shifted(0, 0)));
}

}  // namespace
}  // namespace vitrine
