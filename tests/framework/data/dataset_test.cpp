#include "framework/data/dataset.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "framework/config/yaml.h"
#include "framework/files/sha256.h"
#include "framework/images/planes.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

Split small() {
  return {at::arange(12, at::kByte).view({3, 1, 2, 2}), {at::tensor({0, 1, 2}, at::kLong)}, {}};
}

TEST_CASE("a fingerprint covers shapes, pixels and labels of both splits") {
  const std::string first = fingerprint_of(small(), small());
  const std::string labels(24, '\0');
  std::string expected = "3 images of [1, 2, 2]\n";
  for (char i = 0; i < 12; ++i) expected += i;
  for (char label = 0; label < 3; ++label) expected += label + std::string(7, '\0');
  CHECK(first == sha256_hex(expected + expected));
  for (const bool in_test : {false, true}) {
    Split pixels = small(), other_label = small(), shape = small();
    pixels.images.view({-1})[11] = 0;
    other_label.labels[0][2] = 1;
    shape.images = shape.images.view({3, 1, 1, 4});
    for (const Split& changed : {pixels, other_label, shape}) {
      CHECK((in_test ? fingerprint_of(small(), changed) : fingerprint_of(changed, small())) !=
            first);
    }
  }
}

// Images that are held, read one by one.
class OneByOne : public ImageSource {
 public:
  explicit OneByOne(Tensor images) : images_(std::move(images)) {}
  int64_t size() const override { return images_.size(0); }
  Image read(int64_t number) const override {
    return image_of(images_[number].const_data_ptr<uint8_t>(), 1, 2, 2);
  }

 private:
  Tensor images_;
};

TEST_CASE("a split that streams has the fingerprint of its images") {
  Split train{
      at::arange(5000 * 4).to(at::kByte).view({5000, 1, 2, 2}), {at::zeros({5000}, at::kLong)}, {}};
  const std::string expected = fingerprint_of(train, small());
  Split streamed = train;
  streamed.images = Tensor();
  streamed.source = std::make_shared<OneByOne>(train.images);
  CHECK(fingerprint_of(streamed, small()) == expected);
  streamed.rows = at::tensor({7, 3}, at::kLong);
  streamed.labels[0] = streamed.labels[0].narrow(0, 0, 2);
  Split held = streamed;
  held.source = nullptr;
  held.images = train.images;
  CHECK(fingerprint_of(streamed, small()) == fingerprint_of(held, small()));
}

TEST_CASE("of many images some are looked at, evenly spaced, the first and the last among them") {
  CHECK(looked_at(3, 100) == std::vector<int64_t>{0, 1, 2});
  CHECK(looked_at(256, 1 << 20).size() == 256);
  const std::vector<int64_t> some = looked_at(1000, 1 << 20);
  CHECK(some.size() == 64);
  CHECK(some[1] == 15);
  CHECK(some.front() == 0);
  CHECK(some.back() == 999);
  CHECK(looked_at(1'000'000, 1 << 10).size() == 32'768);
  CHECK(looked_at(50, int64_t{1} << 30).size() == 50);
}

// Many images of a mebibyte, none of which is held: each has one brightness.
class Large : public ImageSource {
 public:
  int64_t size() const override { return 300; }
  Image read(int64_t number) const override {
    ++reads;
    Image out{1024, 1024, 1, {}};
    out.pixels.assign(1 << 20, static_cast<uint8_t>(number == changed ? 255 : number % 200));
    return out;
  }
  mutable int64_t reads = 0;
  int64_t changed = -1;
};

TEST_CASE("a fingerprint of many images reads some, one of their contents all") {
  const auto source = std::make_shared<Large>();
  const Split split{{}, {at::zeros({300}, at::kLong)}, source};
  const std::string quick = fingerprint_of(split);
  CHECK(source->reads <= 65);
  const std::string full = contents_fingerprint(split, small(), {});
  CHECK(source->reads >= 300);
  source->changed = 1;  // between two that are looked at
  CHECK(fingerprint_of(split) == quick);
  CHECK(contents_fingerprint(split, small(), {}) != full);
  source->changed = 299;
  CHECK(fingerprint_of(split) != quick);
  source->changed = -1;
  Split other = split;
  other.labels = {at::zeros({300}, at::kLong).index_fill(0, at::tensor({150}, at::kLong), 1)};
  CHECK(fingerprint_of(other) != quick);
  // Held, the same images have the same.
  Split held{at::empty({300, 1, 1024, 1024}, at::kByte), split.labels, {}};
  for (int64_t i = 0; i < 300; ++i) held.images[i].fill_(i % 200);
  CHECK(fingerprint_of(held) == quick);
  CHECK(contents_fingerprint(held, small(), {}) == full);
}

TEST_CASE("a part of a source has its images, names and fingerprint") {
  const Tensor images = at::arange(40, at::kByte).view({10, 1, 2, 2});
  const auto whole = std::make_shared<OneByOne>(images);
  const Split part{{}, {}, std::make_shared<PartOfSource>(whole, std::vector<int64_t>{7, 3})};
  CHECK(part.size() == 2);
  CHECK(part.source->read(1).pixels == std::vector<uint8_t>{12, 13, 14, 15});
  CHECK(part.source->name(0) == "image 7");
  const Split held{images.index_select(0, at::tensor({7, 3}, at::kLong)), {}, {}};
  CHECK(fingerprint_of(part) == fingerprint_of(held));
}

TEST_CASE("labels beyond the classes are named") {
  Split split{{}, {at::zeros({50}, at::kLong)}, {}};
  const auto ten = class_column({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  check_labels(split, ten, "training image");
  split.labels[0][40] = 11;
  split.labels[0][37] = 12;
  CHECK(message_of(ExitCode::kData, [&] { check_labels(split, ten, "training image"); }) ==
        "label 12 of training image 37 is beyond the 10 classes");
  split.labels[0][3] = -1;
  CHECK(message_of(ExitCode::kData, [&] {
          check_labels(split, ten, "test image", "a.safetensors");
        }) == "a.safetensors: label -1 of test image 3 is below 0");
}

TEST_CASE("of several columns the one with a wrong label is named") {
  using Kind = LabelColumn::Kind;
  const std::vector<LabelColumn> columns = {{"digit", Kind::kClasses, {"a", "b"}},
                                            {"parts", Kind::kLabels, {"x", "y"}},
                                            {"age", Kind::kValues, {"age"}},
                                            {"soft", Kind::kValues, {"a", "b"}}};
  const auto said = [&](auto change, const LabelUses& uses = {}) {
    Split split{
        {},
        {at::zeros({3}, at::kLong), at::zeros({3, 2}), at::zeros({3, 1}), at::full({3, 2}, 0.5)},
        {}};
    change(split.labels);
    check_labels(split, columns, "image", "", uses.empty() ? std::nullopt : std::optional(uses));
  };
  using Labels = std::vector<Tensor>;
  said([](Labels&) {}, {{"soft", {{}, true}}});
  said([](Labels& labels) { labels[0][1] = -1; }, {{"digit", {-1, false}}});
  CHECK(message_of(ExitCode::kData, [&] {
          said([](Labels& labels) { labels[0][1] = 7; }, {{"digit", {-1, false}}});
        }) == "label 7 of image 1 in the column digit is beyond the 2 classes");
  CHECK(message_of(ExitCode::kData, [&] { said([](Labels& labels) { labels[1][2][0] = 2; }); }) ==
        "a label of image 2 in the column parts is neither 0 nor 1");
  CHECK(message_of(ExitCode::kData, [&] { said([](Labels& labels) { labels[2][0] = NAN; }); }) ==
        "a value of image 0 in the column age is no finite number");
  const auto unequal = [](Labels& labels) { labels[3][1][0] = 0.75; };
  said(unequal);
  CHECK(message_of(ExitCode::kData,
                   [&] {
                     said(unequal, {{"soft", {{}, true}}});
                   }) ==
        "the values of image 1 in the column soft sum to 1.25, and a task takes them for shares of "
        "classes: none may be below 0, and their sum must be 1");
}

TEST_CASE("what no task reads is not looked at") {
  const Split split{{}, {at::tensor({0, -1}, at::kLong), at::tensor({0, 9}, at::kLong)}, {}};
  std::vector<LabelColumn> columns = class_column({"a", "b"});
  columns.push_back({"other", LabelColumn::Kind::kClasses, {"a", "b"}});
  CHECK(message_of(ExitCode::kData, [&] { check_labels(split, columns, "image"); }) ==
        "label -1 of image 1 is below 0");
  CHECK(message_of(ExitCode::kData, [&] {
          check_labels(split, columns, "image", "", LabelUses{{"other", {}}});
        }) == "label 9 of image 1 in the column other is beyond the 2 classes");
  check_labels(split, columns, "image", "", LabelUses{});
}

TEST_CASE("labels are told in words") {
  using Kind = LabelColumn::Kind;
  CHECK(label_text(at::tensor({1, -1}, at::kLong), 0, {"a", Kind::kClasses, {"cat", "dog"}}) ==
        "dog");
  CHECK(label_text(at::tensor({1, -1}, at::kLong), 1, {"a", Kind::kClasses, {"cat", "dog"}}) ==
        "-1");
  const Tensor rows = at::tensor({1.F, 1.F, 0.F, 0.F}).view({2, 2});
  CHECK(label_text(rows, 0, {"a", Kind::kLabels, {"cat", "dog"}}) == "cat, dog");
  CHECK(label_text(rows, 1, {"a", Kind::kLabels, {"cat", "dog"}}) == "none");
  CHECK(label_text(rows * 2.5, 0, {"a", Kind::kValues, {"x", "y"}}) == "2.5, 2.5");
}

TEST_CASE("every data set takes the same options") {
  DatasetOptions options;
  Problems problems;
  read_fields(
      fields_of(options),
      parse_yaml("{validation: 0.1, split_seed: 3, limit_train: 100, limit_test: null}", "a.yaml"),
      "dataset", problems);
  CHECK(problems.empty());
  CHECK(options.validation.of(1000) == 100);
  CHECK(options.split_seed == 3);
  CHECK(options.limit_train == 100);
  CHECK_FALSE(options.limit_test);
  read_fields(fields_of(options), parse_yaml("{limit_train: 0, split_seed: -1}", "a.yaml"),
              "dataset", problems);
  CHECK(problems.size() == 2);
}

}  // namespace
}  // namespace vitrine
