#include "framework/files/gzip.h"
#include "tests/datasets/array_support.h"

namespace vitrine {
namespace {

using Numbers = std::vector<int64_t>;

std::string idx(const std::vector<char>& shape, const std::string& data, char type = 8) {
  std::string out = {0, 0, type, static_cast<char>(shape.size())};
  for (const char size : shape) out += std::string(3, '\0') + size;
  return out + data;
}

constexpr const char* kYaml =
    "{type: idx, train_images: $/a, train_labels: $/b, test_images: $/c, test_labels: $/d}";

struct Fixture : ArrayFixture {
  Fixture() {
    write("a", idx({2, 1, 3}, "abcdef"));
    write("b", gzip(idx({2}, "\1\2")) + std::string(8, '\0'));
    write("c", gzip(idx({1, 1, 3}, "ghi")));
    write("d", idx({1}, std::string("\0\0\0\3", 4), 0x0c));
  }
};

TEST_CASE_METHOD(Fixture, "any IDX files are read, raw or packed, bytes or ints") {
  const auto it = dataset(kYaml);
  CHECK(shape_in(it->info()) == Numbers{1, 1, 3, 2, 1});
  CHECK(it->info().classes() == 4);
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(values_of(splits.train.images) == Numbers{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(values_of(splits.train.labels[0]) == Numbers{1, 2});
  CHECK(values_of(splits.test.images) == Numbers{'g', 'h', 'i'});
  CHECK(values_of(splits.test.labels[0]) == Numbers{3});
  CHECK(told.empty());
}

TEST_CASE_METHOD(Fixture, "images of colour are read") {
  write("a", idx({2, 3, 1, 1}, "abcdef"));
  write("c", idx({1, 3, 1, 1}, "ghi"));
  CHECK(shape_in(dataset(kYaml)->info()) == Numbers{3, 1, 1, 2, 1});
}

TEST_CASE_METHOD(Fixture, "a test may have no labels, or be drawn") {
  const auto without =
      dataset("{type: idx, train_images: $/a, train_labels: $/b, test_images: $/c}");
  CHECK_FALSE(without->info().test_has_labels);
  CHECK(load_splits(*without, {}).test.labels.empty());
  write("b", idx({2}, "\1\1"));
  const auto drawn = dataset("{type: idx, train_images: $/a, train_labels: $/b, test_share: 1}");
  CHECK(shape_in(drawn->info()) == Numbers{1, 1, 3, 1, 1});
  CHECK(load_splits(*drawn, {}).test.size() == 1);
}

TEST_CASE_METHOD(Fixture, "what is wrong is named") {
  write("b", idx({3}, "\1\2\3"));
  CHECK(failure(kYaml) == "b: 3 labels, 2 images in a");
  write("b", "text");
  CHECK(failure(kYaml) == "b: not an IDX file: it begins with 74 65, not with 00 00");
  std::filesystem::remove(path("a"));
  CHECK(failure(kYaml) == "cannot read a: no such file");
  CHECK(problems_of<Dataset>("idx", {}) ==
        "test.yaml:1:5: dataset: idx needs train_images, train_labels, test_images and "
        "test_labels, a file each; test_share stands for those of the test\n"
        "    1 | it: idx\n"
        "      |     ^");
}

}  // namespace
}  // namespace vitrine
