#include "framework/data/findings.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "tests/catch.h"

namespace vitrine {
namespace {

using Strings = std::vector<std::string>;

std::vector<std::string> numbered(int64_t classes) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < classes; ++i) out.push_back(std::to_string(i));
  return out;
}

// Images that differ from each other, with these labels.
Split images(const Tensor& labels, int64_t first = 0) {
  const Tensor numbers = at::arange(first, first + labels.size(0), at::kLong);
  Tensor pixels = at::zeros({labels.size(0), 1, 2, 2}, at::kByte);
  pixels.select(1, 0).select(1, 0).select(1, 0).copy_(numbers.remainder(256));
  pixels.select(1, 0).select(1, 1).select(1, 1).copy_(numbers.floor_divide(256));
  return {pixels, {labels}, {}};
}

Split cyclic(int64_t count, int64_t classes, int64_t first = 0) {
  return images(at::remainder(at::arange(count, at::kLong), classes), first);
}

DatasetInfo info(std::vector<std::string> classes) {
  DatasetInfo out;
  out.channels = 1;
  out.height = out.width = 2;
  out.columns = class_column(std::move(classes));
  return out;
}

Strings of(const Split& train, const DatasetInfo& about, const DatasetOptions& options = {},
           std::optional<int64_t> used = {}) {
  const Splits splits = make_splits(train, cyclic(4, 2, 1000), options);
  return data_findings(train, splits, about, used.value_or(splits.train.size()));
}

TEST_CASE("columns are told with their classes and how many images these have") {
  CHECK(shown_columns(cyclic(40, 4), class_column(numbered(4))) == "4 classes, 10 images each");
  CHECK(shown_columns(cyclic(42, 4), class_column(numbered(4))) ==
        "4 classes, 10 to 11 images each");
  Split two = cyclic(6, 2);
  two.labels.push_back(at::zeros({6, 1}));
  two.labels.push_back(at::zeros({6, 3}));
  CHECK(shown_columns(two, {{"kind", LabelColumn::Kind::kClasses, {"a", "b"}},
                            {"age", LabelColumn::Kind::kValues, {"age"}},
                            {"parts", LabelColumn::Kind::kLabels, {"x", "y", "z"}}}) ==
        "kind: 2 classes, 3 images each; age: 1 value; parts: 3 labels");
  two.labels.clear();
  CHECK(shown_columns(two, {}).empty());
}

TEST_CASE("data without a fault are told nothing about") {
  CHECK(of(cyclic(40, 4), info(numbered(4))).empty());
}

TEST_CASE("classes without training images are named") {
  CHECK(of(cyclic(40, 2), info({"cat", "dog", "emu", "fox"})) ==
        Strings{"2 of the 4 classes have no training images: emu, fox"});
  CHECK(of(cyclic(40, 2), info({"cat", "dog", "emu"})) ==
        Strings{"1 of the 3 classes has no training images: emu"});
}

TEST_CASE("a label that looks like void is told with what ignores it") {
  Tensor labels = at::remainder(at::arange(40, at::kLong), 4);
  labels.index_put_({labels.eq(3)}, at::tensor(255, at::kLong));
  CHECK(of(images(labels), info(numbered(256))) ==
        Strings{"10 images have the label 255, and no image one of the 252 before it: where it "
                "stands for no class, set loss: {type: cross_entropy, ignore_index: 255}"});
}

TEST_CASE("labels that begin at 1 are told") {
  CHECK(of(images(at::remainder(at::arange(40, at::kLong), 4) + 1), info(numbered(5))) ==
        Strings{"no image has the label 0, and all of 1 to 4 are there: labels that count from 1 "
                "make a class that is never seen; subtract 1 from them"});
}

TEST_CASE("limits that leave classes out are told") {
  const Tensor sorted = at::arange(40, at::kLong).floor_divide(10);
  DatasetOptions limited;
  limited.limit_train = 20;
  CHECK(of(images(sorted), info(numbered(4)), limited) ==
        Strings{"2 of the 4 classes have no training images: 2, 3; dataset.limit_train takes the "
                "first images: mix their order"});
  CHECK(of(images(sorted), info(numbered(4)), {}, 30) ==
        Strings{"1 of the 4 classes has no training images: 3; training.overfit_batches takes the "
                "first images: mix their order"});
}

// Images of one colour, or of two in the last one.
class Plain : public ImageSource {
 public:
  explicit Plain(bool ends) : ends_(ends) {}
  int64_t size() const override { return 3; }
  Image read(int64_t number) const override {
    const auto colour = static_cast<uint8_t>(number), other = static_cast<uint8_t>(number + 1);
    return {2, 1, 1, {colour, ends_ && number == 2 ? other : colour}};
  }

 private:
  bool ends_;
};

TEST_CASE("images of one colour are told where they are read one by one, too") {
  for (const bool ends : {false, true}) {
    Split train = cyclic(3, 2);
    train.images = Tensor();
    train.source = std::make_shared<Plain>(ends);
    const Strings wanted = {
        "each of the first 3 training images is of one colour: there is nothing to see in them"};
    CHECK(of(train, info({"a", "b"})) == (ends ? Strings{} : wanted));
  }
}

TEST_CASE("images of one colour, and channels that come last, are told") {
  Split train = cyclic(40, 4);
  train.images = at::full({40, 1, 2, 2}, 7, at::kByte);
  train.images.select(0, 39).zero_();
  CHECK(of(train, info(numbered(4))) ==
        Strings{"each of the first 32 training images is of one colour: there is nothing to see in "
                "them"});
  train.images[3][0][0][0] = 1;
  CHECK(of(train, info(numbered(4))).empty());
  DatasetInfo last = info(numbered(4));
  last.channels = last.height = 28;
  last.width = 3;
  CHECK(of(cyclic(40, 4), last) ==
        Strings{"images are 3 x 28 pixels of 28 channels: channels last, it seems; what is wanted "
                "is [N, C, H, W], in numpy images.transpose(0, 3, 1, 2).copy()"});
}

TEST_CASE("splits that share images are told") {
  const Split train = cyclic(300, 4);
  const auto found = [&](const Split& test, const DatasetOptions& options = {}) {
    const Splits splits = make_splits(train, test, options);
    return data_findings(train, splits, info(numbered(4)), splits.train.size());
  };
  CHECK(found(cyclic(4, 4, 300)).empty());
  CHECK(found(cyclic(4, 4, 298)) ==
        Strings{"2 of the 4 test images are among those to train on (the first is test image 0, "
                "training image 298): the test tells too much; take them out of one of the two"});
  Splits splits = make_splits(train, cyclic(4, 4, 300), {});
  splits.validation = cyclic(1, 4, 7);
  CHECK(data_findings(train, splits, info(numbered(4)), 300) ==
        Strings{"1 of the 1 validation images is among those to train on (the first is validation "
                "image 0, training image 7): what is best is chosen by images that were learned"});
}

}  // namespace
}  // namespace vitrine
