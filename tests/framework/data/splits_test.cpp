#include "framework/data/splits.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/tensor.h>

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

// Image i is one pixel with the value i.
Split numbered(const Tensor& labels) {
  return {at::arange(labels.size(0), at::kByte).view({-1, 1, 1, 1}), {labels}, {}};
}

Split cyclic(int64_t images, int64_t classes) {
  return numbered(at::remainder(at::arange(images, at::kLong), classes));
}

DatasetOptions with_validation(double value, int64_t split_seed = 0) {
  DatasetOptions options;
  options.validation.value = value;
  options.split_seed = split_seed;
  return options;
}

std::vector<int64_t> numbers(const Tensor& tensor) {
  const Tensor plain = tensor.to(at::kLong).contiguous();
  return {plain.data_ptr<int64_t>(), plain.data_ptr<int64_t>() + plain.numel()};
}

Tensor rows(const Split& split) { return split.rows_of(at::arange(split.size())); }

TEST_CASE("without options the splits are the data set's own") {
  const Split train = cyclic(20, 5), test = cyclic(6, 3);
  const Splits splits = make_splits(train, test, {});
  CHECK(splits.train.images.is_same(train.images));
  CHECK(splits.test.labels[0].is_same(test.labels[0]));
  CHECK_FALSE(splits.validation);
  CHECK(at::equal(rows(splits.train), at::arange(20)));
}

TEST_CASE("limits take the first images") {
  DatasetOptions options;
  options.limit_train = 7;
  options.limit_test = 2;
  const Splits splits = make_splits(cyclic(20, 5), cyclic(6, 3), options);
  CHECK(numbers(rows(splits.train)) == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(numbers(splits.test.labels[0]) == std::vector<int64_t>{0, 1});
}

TEST_CASE("each class gives its share of the validation split, and orders are kept") {
  const Splits splits = make_splits(cyclic(200, 4), cyclic(4, 4), with_validation(0.2));
  CHECK(numbers(splits.validation->labels[0].bincount()) == std::vector<int64_t>{10, 10, 10, 10});
  CHECK(splits.train.size() == 160);
  CHECK((rows(splits.train).diff() > 0).all().item<bool>());
  CHECK((rows(*splits.validation).diff() > 0).all().item<bool>());
  const Tensor all = at::cat({rows(splits.train), rows(*splits.validation)});
  CHECK(at::equal(std::get<0>(all.sort()), at::arange(200)));
}

TEST_CASE("a test split is drawn as validation is, but other images, whatever validation takes") {
  const Split all = cyclic(200, 4);
  const auto columns = class_column({"a", "b", "c", "d"});
  const DrawnTest drawn = draw_test(200, all.labels, columns, Amount{0.2}, 0);
  CHECK(drawn.test.size(0) == 40);
  CHECK(numbers(all.labels[0].index_select(0, drawn.test).bincount()) ==
        std::vector<int64_t>{10, 10, 10, 10});
  CHECK(at::equal(std::get<0>(at::cat({drawn.train, drawn.test}).sort()), at::arange(200)));
  CHECK((drawn.train.diff() > 0).all().item<bool>());
  const Splits validated = make_splits(all, cyclic(4, 4), with_validation(0.2));
  CHECK_FALSE(at::equal(rows(*validated.validation), drawn.test));
  CHECK_FALSE(at::equal(draw_test(200, all.labels, columns, Amount{0.2}, 1).test, drawn.test));
  CHECK(draw_test(10, {}, {}, Amount{3}, 0).test.size(0) == 3);
  const auto refused = [&](double share) {
    return message_of(ExitCode::kUsage, [&] {
      draw_test(4, {at::tensor({0, 0, 0, 1}, at::kLong)}, class_column({"cat", "dog"}),
                Amount{share}, 0);
    });
  };
  CHECK(refused(0.1) == "dataset.test_share (0.1) of 4 images is less than one image");
  CHECK(refused(4) == "dataset.test_share (4) of 4 images leaves no training image");
  CHECK(refused(3) ==
        "dataset.test_share (3) takes all 1 images of the class dog: none is left to train on");
}

TEST_CASE("the shares are rounded so that the count is exact") {
  const Tensor labels = at::tensor({0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3}, at::kLong);  // 7, 3, 0 and 1
  const auto shares = [&](int64_t count) {
    std::vector<int64_t> out(4);
    const auto flags = chosen_share(labels, count, 0, ShareOf::kValidation);
    for (size_t i = 0; i < flags.size(); ++i)
      out[static_cast<size_t>(labels[static_cast<int64_t>(i)].item<int64_t>())] += flags[i];
    return out;
  };
  CHECK(shares(1) == std::vector<int64_t>{1, 0, 0, 0});
  CHECK(shares(4) == std::vector<int64_t>{3, 1, 0, 0});   // 2.55, 1.09, 0.36
  CHECK(shares(5) == std::vector<int64_t>{3, 1, 0, 1});   // 3.18, 1.36, 0.45
  CHECK(shares(10) == std::vector<int64_t>{6, 3, 0, 1});  // 6.36, 2.73, 0.91
}

TEST_CASE(
    "shares are those of the first column of classes; labels that no class has are one more") {
  Split train = numbered(at::remainder(at::arange(40, at::kLong), 4) - 1);
  train.labels.insert(train.labels.begin(), at::rand({40, 2}));
  const Splits splits = make_splits(train, cyclic(4, 4), with_validation(8));
  CHECK(numbers((splits.validation->labels[1] + 1).bincount()) == std::vector<int64_t>{2, 2, 2, 2});
  CHECK(splits.validation->labels[0].sizes() == at::IntArrayRef({8, 2}));
}

TEST_CASE("without classes any image may go to validation") {
  Split train = cyclic(40, 2);
  train.labels.clear();
  const Splits splits = make_splits(train, cyclic(4, 2), with_validation(10));
  CHECK(splits.validation->size() == 10);
  CHECK(splits.train.size() == 30);
  CHECK(splits.validation->labels.empty());
}

TEST_CASE("the choice depends on split_seed alone") {
  const auto chosen = [](int64_t seed) {
    const Splits splits = make_splits(cyclic(40, 2), cyclic(2, 2), with_validation(10, seed));
    return numbers(rows(*splits.validation));
  };
  at::manual_seed(1);
  const Tensor state = at::detail::getDefaultCPUGenerator().get_state();
  const auto first = chosen(0);
  CHECK(at::equal(at::detail::getDefaultCPUGenerator().get_state(), state));
  at::manual_seed(2);
  CHECK(chosen(0) == first);
  CHECK(chosen(1) != first);
  CHECK(first ==
        std::vector<int64_t>{1, 4, 10, 12, 17, 19, 20, 29, 32, 37});  // the same on any machine
}

TEST_CASE("the splits of a set share its images") {
  const Split train = cyclic(40, 2);
  const Splits splits = make_splits(train, cyclic(2, 2), with_validation(10));
  CHECK(splits.train.images.is_same(train.images));
  CHECK(splits.validation->images.is_same(train.images));
  CHECK(splits.validation->size() == 10);
  CHECK(splits.validation->stored() == 40);
}

TEST_CASE("a validation split that would leave no image of a class is refused") {
  const Tensor labels = at::tensor({0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3}, at::kLong);
  CHECK(message_of(ExitCode::kUsage, [&] {
          make_splits(numbered(labels), cyclic(1, 1), with_validation(5));
        }) == "dataset.validation (5) takes all 1 images of the class 3: none is left to train on");
  CHECK(make_splits(numbered(labels), cyclic(1, 1), with_validation(4)).train.size() == 7);
}

TEST_CASE("splits that the data set is too small for are refused") {
  const auto message = [](const DatasetOptions& options) {
    return message_of(ExitCode::kUsage, [&] { make_splits(cyclic(20, 2), cyclic(4, 2), options); });
  };
  CHECK(message(with_validation(20)) ==
        "dataset.validation (20) of 20 training images leaves no training image");
  CHECK(message(with_validation(21)) ==
        "dataset.validation (21) of 20 training images is larger than the set");
  CHECK(message(with_validation(0.01)) ==
        "dataset.validation (0.01) of 20 training images is less than one image");
  DatasetOptions limited;
  limited.limit_train = 21;
  CHECK(message(limited) == "dataset.limit_train (21) is larger than the training set (20 images)");
  limited.limit_train = 20;
  limited.limit_test = 5;
  CHECK(message(limited) == "dataset.limit_test (5) is larger than the test set (4 images)");
}

}  // namespace
}  // namespace vitrine
