#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/data/batches.h"
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

Arrays columns();

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
  CHECK(info.columns[0].names == std::vector<std::string>{"0", "1", "2", "3"});
  const Split train = it->load_train(), test = it->load_test();
  CHECK(train.images.sizes() == at::IntArrayRef({3, 2, 2, 1}));
  CHECK(train.images.view({-1})[11].item<int>() == 11);
  CHECK(at::equal(train.labels[0], at::tensor({2, 0, 1}, at::kLong)));
  CHECK(test.images.view({-1})[3].item<int>() == 3);
  CHECK(at::equal(test.labels[0], at::tensor({3}, at::kLong)));
  CHECK(load_splits(*it, {}).fingerprint == fingerprint_of(train, test));
}

TEST_CASE_METHOD(Fixture, "tensors that are neither images nor labels are named") {
  dataset(small());
  std::string told;
  DataContext context;
  context.tell = [&](const std::string& message) { told += message + "\n"; };
  make<Dataset>("{type: arrays, path: " + path() + "}", context)->load_train();
  CHECK(told == path() + ": not used: another\n");
  Arrays arrays = columns();
  arrays.erase("another");
  dataset(arrays);
  told.clear();
  make<Dataset>("{type: arrays, path: " + path() + "}", context)->load_train();
  CHECK(told.empty());
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
    return dataset(arrays)->load_train().labels[0];
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
  CHECK(it->info().columns[0].names == std::vector<std::string>{"cat", "dog", "fox", "owl"});
  CHECK(failure(small(), ", class_names: [cat, dog]") ==
        "label 2 of training image 0 is beyond the 2 classes");
  CHECK(failure(small(), ", class_names: [cat, dog, fox]") ==
        "label 3 of test image 0 is beyond the 3 classes");
}

// Three training images and a test image with a column of each kind.
Arrays columns() {
  Arrays out = small();
  out.erase("train/labels");
  out.erase("test/labels");
  out["train/labels/kind"] = {DType::kU8, {3}, bytes_of<uint8_t>({2, 0, 1})};
  out["test/labels/kind"] = {DType::kU8, {1}, bytes_of<uint8_t>({1})};
  out["train/labels/parts"] = {DType::kBool, {3, 2}, bytes_of<uint8_t>({1, 0, 0, 0, 1, 1})};
  out["test/labels/parts"] = {DType::kI64, {1, 2}, bytes_of<int64_t>({0, 1})};
  out["train/labels/age"] = {DType::kF64, {3}, bytes_of<double>({1.5, -2, 3})};
  out["test/labels/age"] = {DType::kF32, {1}, bytes_of<float>({4})};
  out["train/labels/box"] = {DType::kF32, {3, 2}, bytes_of<float>({1, 2, 3, 4, 5, 6})};
  out["test/labels/box"] = {DType::kF32, {1, 2}, bytes_of<float>({7, 8})};
  return out;
}

std::vector<std::string> described(const DatasetInfo& info) {
  constexpr const char* kKinds[] = {"classes", "labels", "values"};
  std::vector<std::string> out;
  for (const LabelColumn& column : info.columns)
    out.push_back(fmt::format("{}: {} {}", column.name, kKinds[static_cast<size_t>(column.kind)],
                              fmt::join(column.names, " ")));
  return out;
}

TEST_CASE_METHOD(Fixture, "columns of labels have names, and are what their numbers say") {
  const auto it = dataset(columns());
  CHECK(described(it->info()) == std::vector<std::string>{"age: values age", "box: values 0 1",
                                                          "kind: classes 0 1 2",
                                                          "parts: labels 0 1"});
  const Split train = it->load_train();
  REQUIRE(train.labels.size() == 4);
  CHECK(at::equal(train.labels[0], at::tensor({1.5F, -2.F, 3.F}).view({3, 1})));
  CHECK(at::equal(train.labels[1], at::tensor({1.F, 2.F, 3.F, 4.F, 5.F, 6.F}).view({3, 2})));
  CHECK(at::equal(train.labels[2], at::tensor({2, 0, 1}, at::kLong)));
  CHECK(at::equal(train.labels[3], at::tensor({1.F, 0.F, 0.F, 0.F, 1.F, 1.F}).view({3, 2})));
  const std::string fingerprint = load_splits(*it, {}).fingerprint;
  Arrays with_label = columns();
  with_label["train/labels"] = small()["train/labels"];
  with_label["test/labels"] = small()["test/labels"];
  CHECK(described(dataset(with_label)->info())[0] == "label: classes 0 1 2 3");
  CHECK(load_splits(*dataset(with_label), {}).fingerprint != fingerprint);
}

TEST_CASE_METHOD(Fixture, "each column's names may be given") {
  const auto names = [&](const std::string& given) {
    return described(dataset(columns(), ", class_names: " + given)->info());
  };
  CHECK(names("{kind: [a, b, c], parts: [x, y], box: [w, h]}") ==
        std::vector<std::string>{"age: values age", "box: values w h", "kind: classes a b c",
                                 "parts: labels x y"});
  CHECK(names("[years]")[0] == "age: values years");
  CHECK(failure(columns(), ", class_names: {kinds: [a]}") ==
        "class_names: it has no column kinds; it has age, box, kind, parts");
  CHECK(failure(columns(), ", class_names: {box: [a]}") ==
        "class_names: 1 names for the 2 columns of box");
  CHECK(failure(columns(), ", class_names: {kind: [a, b]}") ==
        "label 2 of training image 0 in the column kind is beyond the 2 classes");
}

TEST_CASE_METHOD(Fixture, "images that are read as they are wanted are the same") {
  for (const bool has_channels : {false, true}) {
    Arrays arrays = small();
    if (has_channels) arrays["train/images"] = {DType::kU8, {3, 2, 2, 3}, pixels(36)};
    if (has_channels) arrays["test/images"] = {DType::kU8, {1, 2, 2, 3}, pixels(12)};
    const LoadedSplits held = load_splits(*dataset(arrays), {});
    DataContext context;
    context.streams = true;
    const auto it = make<Dataset>("{type: arrays, path: " + path() + "}", context);
    const LoadedSplits streamed = load_splits(*it, {});
    CHECK(streamed.fingerprint == held.fingerprint);
    REQUIRE(streamed.train.source);
    const Batches images(streamed.train, {}, at::kCPU, 0, false);
    CHECK(at::equal(images.pixels(at::tensor({2, 0, 1}, at::kLong)),
                    held.train.images.index_select(0, at::tensor({2, 0, 1}, at::kLong))));
    std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 1);
    CHECK(message_of(ExitCode::kData, [&] {
            streamed.train.source->read(2);
          }).starts_with("cannot read " + path() + ": it ends after "));
  }
}

TEST_CASE_METHOD(Fixture, "labels far beyond their number are taken for names of classes") {
  Arrays arrays = small();
  arrays["train/labels"] = {DType::kI32, {3}, bytes_of<int32_t>({2000, 0, 1000})};
  arrays["test/labels"] = {DType::kI32, {1}, bytes_of<int32_t>({3000})};
  const auto it = dataset(arrays);
  CHECK(described(it->info())[0] == "label: classes 0 1000 2000 3000");
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(at::equal(splits.train.labels[0], at::tensor({2, 0, 1}, at::kLong)));
  CHECK(at::equal(splits.test.labels[0], at::tensor({3}, at::kLong)));
}

TEST_CASE_METHOD(
    Fixture,
    "labels below the number of classes that are named count these, however few there are") {
  Arrays arrays = small();
  arrays["train/labels"] = {DType::kI32, {3}, bytes_of<int32_t>({40, 0, 40})};
  arrays["test/labels"] = {DType::kI32, {1}, bytes_of<int32_t>({40})};
  CHECK(described(dataset(arrays)->info())[0] == "label: classes 0 40");
  std::vector<std::string> names;
  for (int i = 0; i <= 40; ++i) names.push_back("c" + std::to_string(i));
  const auto it = dataset(arrays, fmt::format(", class_names: [{}]", fmt::join(names, ", ")));
  CHECK(it->info().columns[0].names == names);
  CHECK(at::equal(load_splits(*it, {}).train.labels[0], at::tensor({40, 0, 40}, at::kLong)));
}

TEST_CASE_METHOD(Fixture, "a file may have a validation split, and tell what its numbers mean") {
  Arrays arrays = small();
  arrays["validation/images"] = {DType::kU8, {2, 2, 2, 1}, pixels(8)};
  arrays["validation/labels"] = {DType::kI32, {2}, bytes_of<int32_t>({1, 3})};
  const auto it = dataset(arrays);
  CHECK(it->info().validation == 2);
  const LoadedSplits splits = load_splits(*it, {});
  REQUIRE(splits.validation);
  CHECK(at::equal(splits.validation->labels[0], at::tensor({1, 3}, at::kLong)));
  CHECK(splits.validation->images.sizes() == at::IntArrayRef({2, 2, 2, 1}));
  arrays.erase("validation/labels");
  CHECK(failure(arrays).starts_with("has no tensor validation/labels"));
}

TEST_CASE_METHOD(Fixture, "test images may have no labels, of any column") {
  Arrays arrays = small();
  arrays.erase("test/labels");
  const auto it = dataset(arrays);
  CHECK_FALSE(it->info().test_has_labels);
  CHECK(it->info().columns[0].names == std::vector<std::string>{"0", "1", "2"});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(splits.test.labels.empty());
  CHECK(splits.test.size() == 1);
  CHECK(load_splits(*dataset(small()), {}).fingerprint != splits.fingerprint);
  Arrays some = columns();
  some.erase("test/labels/age");
  CHECK(failure(some) ==
        "has no tensor test/labels/age; it has another, test/labels/parts, train/labels/age, "
        "test/labels/box, train/labels/box, test/images, test/labels/kind, train/images, "
        "train/labels/kind, train/labels/parts");
}

TEST_CASE_METHOD(Fixture, "images may have no labels") {
  Arrays arrays = small();
  arrays.erase("train/labels");
  arrays.erase("test/labels");
  const auto it = dataset(arrays);
  CHECK(it->info().columns.empty());
  CHECK(it->load_train().size() == 3);
  CHECK(load_splits(*it, {}).fingerprint.size() == 64);
  CHECK(failure(arrays, ", class_names: [a]") == "class_names: it has no labels");
}

TEST_CASE_METHOD(Fixture, "a label that a run ignores need not be of a class") {
  Arrays arrays = small();
  arrays["train/labels"] = {DType::kI8, {3}, bytes_of<int8_t>({0, -1, 1})};
  dataset(arrays);
  DataContext context;
  context.uses = LabelUses{{kLabel, {-1, false}}};
  const auto it = make<Dataset>("{type: arrays, path: " + path() + "}", context);
  CHECK(it->info().columns[0].size() == 4);
  CHECK(at::equal(it->load_train().labels[0], at::tensor({0, -1, 1}, at::kLong)));
}

TEST_CASE_METHOD(Fixture, "what is missing or wrong in the file is named") {
  Arrays floats = small(), flat = small(), few = small(), other = small(), negative = small(),
         empty = small(), real = small(), cube = small();
  floats["train/images"] = {DType::kF32, {1, 1, 3, 1}, std::string(12, 'x')};
  CHECK(failure(floats) ==
        "train/images is F32 [1, 1, 3, 1]; it must be U8 [N, C, H, W] or [N, H, W]");
  flat["train/images"].shape = {3, 4};
  CHECK(failure(flat) == "train/images is U8 [3, 4]; it must be U8 [N, C, H, W] or [N, H, W]");
  few["train/labels"] = {DType::kU8, {2}, "ab"};
  CHECK(failure(few) == "train/images has 3 images, train/labels 2 labels");
  real["train/labels"] = {DType::kF32, {3}, std::string(12, 'x')};
  CHECK(failure(real) ==
        "train/labels is F32 [3] and test/labels is U8 [1]: both must be of one kind");
  cube["train/labels"] = {DType::kI8, {3, 1, 1}, bytes_of<int8_t>({0, 1, 1})};
  CHECK(failure(cube) ==
        "train/labels is I8 [3, 1, 1]; it must be whole numbers [N], the numbers of classes; whole "
        "numbers or bool [N, K] of 0 and 1, labels of which an image may have several; or real "
        "numbers [N] or [N, K]");
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
