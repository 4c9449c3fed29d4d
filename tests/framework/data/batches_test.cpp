#include "framework/data/batches.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/tensor.h>

#include "tests/catch.h"

namespace vitrine {
namespace {

Split numbered() {
  return {at::arange(40, at::kByte).view({10, 1, 2, 2}),
          {at::remainder(at::arange(10, at::kLong), 3), at::arange(20, at::kFloat).view({10, 2})},
          {}};
}

// Adds the epoch; random or not.
class AddEpoch : public Transform {
 public:
  explicit AddEpoch(bool random) : random_(random) {}
  bool is_random() const override { return random_; }
  Tensor forward(const Tensor& images, const BatchPosition& position) override {
    seen = position;
    return images + static_cast<double>(position.epoch);
  }
  BatchPosition seen;

 private:
  bool random_;
};

const Tensor kIndices = at::tensor({7, 0, 7}, at::kLong);

TEST_CASE("without transforms a batch holds the stored bytes") {
  const Batches batches(numbered(), {}, at::kCPU, 0, true);
  const Batch batch = batches.gather(kIndices, 0);
  CHECK(batches.size() == 10);
  CHECK(batch.size() == 3);
  CHECK(batch.images.scalar_type() == at::kByte);
  CHECK(at::equal(batch.images, numbered().images.index_select(0, kIndices)));
  REQUIRE(batch.labels.size() == 2);
  CHECK(at::equal(batch.labels[0], at::tensor({1, 0, 1}, at::kLong)));
  CHECK(at::equal(batch.labels[1], at::tensor({14.F, 15.F, 0.F, 1.F, 14.F, 15.F}).view({3, 2})));
}

TEST_CASE("transforms are given pixels from 0 to 1 and their position") {
  const auto fixed = std::make_shared<AddEpoch>(false), random = std::make_shared<AddEpoch>(true);
  const Tensor pixels = numbered().images.index_select(0, kIndices).to(at::kFloat) / 255;
  const Batches training(numbered(), {fixed, random}, at::kCPU, 11, true);
  CHECK(at::equal(training.gather(kIndices, 4).images, pixels + 4 + 4));
  CHECK(random->seen.seed == 11);
  CHECK(random->seen.epoch == 4);
  CHECK(at::equal(random->seen.indices, kIndices));
  const Batches testing(numbered(), {fixed, random}, at::kCPU, 11, false);
  CHECK(at::equal(testing.gather(kIndices, 4).images, pixels + 4));
  const Batches untouched(numbered(), {random}, at::kCPU, 11, false);
  CHECK(at::equal(untouched.gather(kIndices, 4).images, pixels));
}

TEST_CASE("images without labels are batches as well") {
  Split split = numbered();
  split.labels.clear();
  CHECK(Batches(split, {}, at::kCPU, 0, true).size() == 10);
  CHECK(Batches(split, {}, at::kCPU, 0, true).gather(kIndices, 0).size() == 3);
  CHECK(Batches(split, {}, at::kCPU, 0, true).gather(kIndices, 0, 2).size() == 3);
  split.read = [images = split.images](const Tensor& indices) {
    return images.index_select(0, indices);
  };
  split.images = Tensor();
  split.count = 10;
  CHECK(Batches(split, {}, at::kCPU, 0, true).size() == 10);
}

TEST_CASE("a split that streams gives the same batches") {
  Split split = numbered();
  split.read = [images = split.images](const Tensor& indices) {
    return images.index_select(0, indices);
  };
  split.images = Tensor();
  const Batches batches(split, {}, at::kCPU, 0, true);
  CHECK(at::equal(batches.gather(kIndices, 0).images, numbered().images.index_select(0, kIndices)));
}

}  // namespace
}  // namespace vitrine
