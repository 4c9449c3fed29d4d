#include "framework/data/dataset.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "framework/config/yaml.h"
#include "framework/files/sha256.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

Split small() {
  return {at::arange(12, at::kByte).view({3, 1, 2, 2}), at::tensor({0, 1, 2}, at::kLong), {}};
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
    other_label.labels[2] = 1;
    shape.images = shape.images.view({3, 1, 1, 4});
    for (const Split& changed : {pixels, other_label, shape}) {
      CHECK((in_test ? fingerprint_of(small(), changed) : fingerprint_of(changed, small())) !=
            first);
    }
  }
}

TEST_CASE("a split that streams has the fingerprint of its images") {
  Split train{
      at::arange(5000 * 4).to(at::kByte).view({5000, 1, 2, 2}), at::zeros({5000}, at::kLong), {}};
  const std::string expected = fingerprint_of(train, small());
  train.read = [images = train.images](const Tensor& indices) {
    return images.index_select(0, indices);
  };
  train.images = Tensor();
  CHECK(fingerprint_of(train, small()) == expected);
}

TEST_CASE("labels beyond the classes are named") {
  Split split{{}, at::zeros({50}, at::kLong), {}};
  check_labels(split, 10, "training image");
  split.labels[40] = 11;
  split.labels[37] = 12;
  CHECK(message_of(ExitCode::kData, [&] { check_labels(split, 10, "training image"); }) ==
        "label 12 of training image 37 is beyond the 10 classes");
  split.labels[3] = -1;
  CHECK(message_of(ExitCode::kData, [&] {
          check_labels(split, 10, "test image", "a.safetensors");
        }) == "a.safetensors: label -1 of test image 3 is below 0");
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
