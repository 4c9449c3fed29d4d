#include "framework/data/label_ids.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "tests/catch.h"

namespace vitrine {
namespace {

Tensor labels(std::initializer_list<int64_t> numbers) {
  return at::tensor(at::ArrayRef<int64_t>(numbers.begin(), numbers.size()));
}

TEST_CASE("labels far beyond their number are IDs of classes") {
  const auto ids = LabelIds::of({labels({2000, 0, -100, 1000}), labels({0, 3000})});
  REQUIRE(ids);
  CHECK(ids->names() == std::vector<std::string>{"0", "1000", "2000", "3000"});
  CHECK(at::equal(ids->places(labels({1000, -100, 3000, 0})), labels({1, -100, 3, 0})));
  CHECK(ids->words() ==
        "4 different labels up to 3000 are taken for as many classes, which are called by them");
}

TEST_CASE("labels that count classes are none, nor is what stands for no class") {
  CHECK_FALSE(LabelIds::of({labels({0, 1, 2})}));
  CHECK_FALSE(LabelIds::of({labels({0, 29, 7})}));
  CHECK(LabelIds::of({labels({0, 30, 7})}));
  CHECK_FALSE(LabelIds::of({labels({0, 1, 255})}));
  CHECK_FALSE(LabelIds::of({labels({-1, -2})}));
}

}  // namespace
}  // namespace vitrine
