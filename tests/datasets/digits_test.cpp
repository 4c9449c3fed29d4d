#include <ATen/Parallel.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>

#include "framework/data/dataset.h"
#include "tests/component.h"

namespace vitrine {
namespace {

std::shared_ptr<Dataset> digits(const std::string& options) {
  return make<Dataset>("{type: digits, " + options + "}", {});
}

TEST_CASE("digits are the same on any machine") {
  CHECK(load_splits(*digits("train: 1000, test: 200"), {}).fingerprint ==
        "e85fe89f6c65b0c936a8a44fcaa8d43818353dfe861f8c80f050fe0b5db84d94");
}

TEST_CASE("an image of digits depends on the seed and its number alone") {
  const Split few = digits("train: 100, test: 50")->load_train(),
              many = digits("train: 300, test: 7")->load_train();
  CHECK(at::equal(many.images.narrow(0, 0, 100), few.images));
  CHECK(at::equal(many.labels[0].narrow(0, 0, 100), few.labels[0]));
  const Split tests = digits("train: 300, test: 50")->load_test();
  CHECK(at::equal(tests.images.narrow(0, 0, 7), digits("train: 2, test: 7")->load_test().images));
  CHECK_FALSE(at::equal(tests.images.narrow(0, 0, 50), few.images.narrow(0, 0, 50)));
  CHECK_FALSE(at::equal(digits("train: 100, seed: 1")->load_train().images, few.images));
}

TEST_CASE("the number of threads does not change digits") {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Tensor one = digits("train: 301")->load_train().images;
  at::set_num_threads(3);
  const Tensor three = digits("train: 301")->load_train().images;
  at::set_num_threads(threads);
  CHECK(at::equal(one, three));
}

TEST_CASE("each digit is about as frequent as the others, and is drawn") {
  const Split train = digits("train: 10000")->load_train();
  const Tensor counts = train.labels[0].bincount();
  CHECK(counts.size(0) == 10);
  CHECK(counts.min().item<int64_t>() > 900);
  CHECK(counts.max().item<int64_t>() < 1100);
  const Tensor ink = train.images.to(at::kFloat).mean({1, 2, 3});
  CHECK(ink.min().item<float>() > 5);
  CHECK(ink.max().item<float>() < 128);
}

}  // namespace
}  // namespace vitrine
