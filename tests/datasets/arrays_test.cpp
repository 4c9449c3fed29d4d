#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "framework/data/dataset.h"
#include "framework/files/file.h"
#include "framework/files/safetensors.h"
#include "tests/component.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

struct Array {
  DType dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};
using Arrays = std::map<std::string, Array>;

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

std::string pixels(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += static_cast<char>(i);
  return out;
}

Arrays small() {
  return {{"train/images", {DType::kU8, {3, 2, 2, 1}, pixels(12)}},
          {"train/labels", {DType::kI32, {3}, bytes_of<int32_t>({2, 0, 1})}},
          {"test/images", {DType::kU8, {1, 2, 2, 1}, pixels(4)}},
          {"test/labels", {DType::kU8, {1}, bytes_of<uint8_t>({3})}},
          {"another", {DType::kF64, {1}, std::string(8, 'x')}}};
}

struct Fixture {
  std::shared_ptr<Dataset> dataset(const Arrays& arrays, const std::string& more = "") {
    std::vector<TensorView> views;
    for (const auto& [name, array] : arrays)
      views.push_back({name, array.dtype, array.shape, array.bytes});
    write_plain(path(), write_safetensors(views, {}));
    return make<Dataset>("{type: arrays, path: " + path() + more + "}", {});
  }
  std::string path() const { return folder / "a.safetensors"; }
  // What loading says, less the path that it begins with.
  std::string failure(const Arrays& arrays, const std::string& more = "") {
    const auto it = dataset(arrays, more);
    const std::string out = message_of(ExitCode::kData, [&] {
      it->info();
      it->load_train();
      it->load_test();
    });
    return out.starts_with(path() + ": ") ? out.substr(path().size() + 2) : out;
  }

  TemporaryFolder folder;
};

TEST_CASE_METHOD(Fixture, "arrays reads four tensors of a safetensors file") {
  const auto it = dataset(small());
  const DatasetInfo info = it->info();
  CHECK(std::vector<int64_t>{info.channels, info.height, info.width, info.train, info.test} ==
        std::vector<int64_t>{2, 2, 1, 3, 1});
  CHECK(info.class_names == std::vector<std::string>{"0", "1", "2", "3"});
  const Split train = it->load_train(), test = it->load_test();
  CHECK(train.images.sizes() == at::IntArrayRef({3, 2, 2, 1}));
  CHECK(train.images.view({-1})[11].item<int>() == 11);
  CHECK(at::equal(train.labels, at::tensor({2, 0, 1}, at::kLong)));
  CHECK(test.images.view({-1})[3].item<int>() == 3);
  CHECK(at::equal(test.labels, at::tensor({3}, at::kLong)));
  CHECK(it->fingerprint() == fingerprint_of(train, test));
}

TEST_CASE_METHOD(Fixture, "images without channels have one") {
  Arrays arrays = small();
  arrays["train/images"].shape = {3, 2, 2};
  arrays["test/images"].shape = {1, 2, 2};
  const auto it = dataset(arrays);
  CHECK(it->info().channels == 1);
  CHECK(it->info().width == 2);
  CHECK(it->load_train().images.sizes() == at::IntArrayRef({3, 1, 2, 2}));
}

TEST_CASE_METHOD(Fixture, "labels may have any type of integer") {
  const auto labels = [&](DType dtype, const std::string& bytes) {
    Arrays arrays = small();
    arrays["train/labels"] = {dtype, {3}, bytes};
    return dataset(arrays)->load_train().labels;
  };
  const Tensor expected = at::tensor({2, 0, 1}, at::kLong);
  CHECK(at::equal(labels(DType::kU8, bytes_of<uint8_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kI8, bytes_of<int8_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kU16, bytes_of<uint16_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kI16, bytes_of<int16_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kU32, bytes_of<uint32_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kU64, bytes_of<uint64_t>({2, 0, 1})), expected));
  CHECK(at::equal(labels(DType::kI64, bytes_of<int64_t>({2, 0, 1})), expected));
}

TEST_CASE_METHOD(Fixture, "classes may be named") {
  const auto it = dataset(small(), ", class_names: [cat, dog, fox, owl]");
  CHECK(it->info().class_names == std::vector<std::string>{"cat", "dog", "fox", "owl"});
  CHECK(failure(small(), ", class_names: [cat, dog]") ==
        "label 2 of training image 0 is beyond the 2 classes");
  CHECK(failure(small(), ", class_names: [cat, dog, fox]") ==
        "label 3 of test image 0 is beyond the 3 classes");
}

TEST_CASE_METHOD(Fixture, "what is missing or wrong in the file is named") {
  Arrays missing = small(), floats = small(), flat = small(), few = small(), other = small(),
         negative = small(), empty = small(), real = small();
  missing.erase("test/labels");
  CHECK(failure(missing) ==
        "has no tensor test/labels; it has another, train/labels, test/images, train/images");
  floats["train/images"] = {DType::kF32, {1, 1, 3, 1}, std::string(12, 'x')};
  CHECK(failure(floats) ==
        "train/images is F32 [1, 1, 3, 1]; it must be U8 [N, C, H, W] or [N, H, W]");
  flat["train/images"].shape = {3, 4};
  CHECK(failure(flat) == "train/images is U8 [3, 4]; it must be U8 [N, C, H, W] or [N, H, W]");
  few["train/labels"] = {DType::kU8, {2}, "ab"};
  CHECK(failure(few) == "train/images has 3 images, train/labels 2 labels");
  real["train/labels"] = {DType::kF32, {3}, std::string(12, 'x')};
  CHECK(failure(real) == "train/labels is F32 [3]; it must be integers [N]");
  other["test/images"].shape = {1, 1, 2, 2};
  CHECK(failure(other) ==
        "train/images is [3, 2, 2, 1] and test/images is [1, 1, 2, 2]: their images must have one "
        "shape");
  negative["train/labels"] = {DType::kI8, {3}, bytes_of<int8_t>({0, -1, 1})};
  CHECK(failure(negative) == "label -1 of training image 1 is below 0");
  empty["test/images"] = {DType::kU8, {0, 2, 2, 1}, ""};
  empty["test/labels"] = {DType::kU8, {0}, ""};
  CHECK(failure(empty) == "test/images is U8 [0, 2, 2, 1]: it is empty");
}

TEST_CASE_METHOD(Fixture, "a file that is absent or cut short is named") {
  const auto it = dataset(small());
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 1);
  CHECK(message_of(ExitCode::kData, [&] { it->info(); }).starts_with(path() + ": "));
  std::filesystem::remove(path());
  CHECK(message_of(ExitCode::kData, [&] { it->info(); }).find(path()) != std::string::npos);
}

TEST_CASE("classes have different names") {
  CHECK(problems_of<Dataset>("{type: arrays, path: a.safetensors, class_names: [a, b, a]}", {}) ==
        "test.yaml:1:54: dataset: class_names: \"a\" stands there twice\n"
        "    1 | it: {type: arrays, path: a.safetensors, class_names: [a, b, a]}\n"
        "      |                                                      ^");
}

TEST_CASE("arrays needs a path") {
  CHECK(problems_of<Dataset>("arrays", {}) ==
        "test.yaml:1:5: dataset: arrays needs path, the safetensors file with the images\n"
        "    1 | it: arrays\n"
        "      |     ^");
}

}  // namespace
}  // namespace vitrine
