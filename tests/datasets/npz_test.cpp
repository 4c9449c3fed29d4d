#include "tests/datasets/array_support.h"

namespace vitrine {
namespace {

using Numbers = std::vector<int64_t>;

struct Fixture : ArrayFixture {
  // Files of the folder that are to be packed.
  void write_set(const std::string& images, const std::string& labels, int count) const {
    const std::string n = std::to_string(count);
    write(images + ".npy", npy("|u1", "(" + n + ", 1, 2)", std::string("abcdefgh", 2 * count)));
    write(labels + ".npy", npy("|u1", "(" + n + ",)", std::string("\0\1\2\3", count)));
  }
};

TEST_CASE_METHOD(Fixture, "Keras' files are read as they are") {
  write_set("x_train", "y_train", 3);
  write_set("x_test", "y_test", 1);
  write_npz("mnist.npz", "x_train.npy y_train.npy x_test.npy y_test.npy");
  const auto it = dataset("{type: npz, path: $/mnist.npz}");
  CHECK(shape_in(it->info()) == Numbers{1, 1, 2, 3, 1});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(values_of(splits.train.images) == Numbers{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(values_of(splits.train.labels[0]) == Numbers{0, 1, 2});
  CHECK(values_of(splits.test.images) == Numbers{'a', 'b'});
  CHECK(told.empty());
}

TEST_CASE_METHOD(Fixture, "MedMNIST's files have a validation split") {
  write_set("train_images", "train_labels", 3);
  write_set("val_images", "val_labels", 2);
  write_set("test_images", "test_labels", 1);
  write_npz("med.npz", "*.npy");
  const auto it = dataset("{type: npz, path: $/med.npz}");
  CHECK(it->info().validation == 2);
  const LoadedSplits splits = load_splits(*it, {});
  REQUIRE(splits.validation);
  CHECK(values_of(splits.validation->labels[0]) == Numbers{0, 1});
}

TEST_CASE_METHOD(Fixture, "training and test images may have files of their own") {
  write_set("x", "y", 3);
  write_npz("train.npz", "x.npy y.npy");
  write_set("images", "labels", 1);
  write("more.npy", npy("|u1", "(1,)", "a"));
  write_npz("test.npz", "images.npy labels.npy more.npy");
  const auto it = dataset("{type: npz, train: $/train.npz, test: $/test.npz}");
  CHECK(shape_in(it->info()) == Numbers{1, 1, 2, 3, 1});
  CHECK(load_splits(*it, {}).train.size() == 3);
  CHECK(told == "test.npz: not used: more\n");
}

TEST_CASE_METHOD(Fixture, "arrays may be named") {
  write_set("a", "b", 3);
  write_set("c", "d", 1);
  write_npz("a.npz", "a.npy b.npy c.npy d.npy");
  const std::string yaml = "{type: npz, path: $/a.npz, train_images: a, train_labels: b, ";
  CHECK(load_splits(*dataset(yaml + "test_images: c, test_labels: d}"), {}).test.size() == 1);
  CHECK(failure(yaml + "test_images: c, test_labels: e}") ==
        "a.npz: has no array e; it has a, b, c, d");
  CHECK(failure(yaml + "test_labels: d}") ==
        "a.npz: has d, but no images for these labels; it has "
        "a, b, c, d");
  CHECK(failure("{type: npz, path: $/a.npz}") ==
        "a.npz: no array is called as training images usually are (x_train, train_images, ...): "
        "say which it is by train_images; it has a, b, c, d");
}

TEST_CASE_METHOD(Fixture, "what is wrong is named") {
  write_set("x_train", "y_train", 3);
  write_set("train_images", "y_test", 1);
  write_npz("a.npz", "x_train.npy train_images.npy");
  CHECK(failure("{type: npz, path: $/a.npz}") ==
        "a.npz: x_train and train_images may be meant: say which by train_images");
  write_npz("a.npz", "x_train.npy y_train.npy");
  CHECK(failure("{type: npz, path: $/a.npz}") ==
        "a.npz: no array is called as test images usually are (x_test, test_images, ...): say "
        "which it is by test_images, or have test_share take some of those to train on; it has "
        "x_train, "
        "y_train");
  CHECK(message_of(ExitCode::kUsage, [&] {
          dataset("{type: npz, path: $/a.npz, test_share: 1}")->info();
        }) == "dataset.test_share (1) takes all 1 images of the class 0: none is left to train on");
  write("x_test.npy", npy("|O", "(1,)", "pickle"));
  write_npz("a.npz", "x_train.npy y_train.npy x_test.npy");
  CHECK(failure("{type: npz, path: $/a.npz}") ==
        "a.npz: x_test: its elements are of the type \"|O\": Python objects, which are not read, "
        "since that would run code of the file");
  CHECK(failure("{type: npz, path: $/x_train.npy}") ==
        "x_train.npy: this is a NumPy file of one array (.npy): dataset: {type: npy} reads it");
  write("text.npz", "text");
  CHECK(failure("{type: npz, path: $/text.npz}") == "text.npz: Not a zip archive");
  CHECK(failure("{type: npz, path: $/none.npz}") == "cannot read none.npz: no such file");
}

TEST_CASE("npz needs one file, or two") {
  CHECK(problems_of<Dataset>("npz", {}) ==
        "test.yaml:1:5: dataset: npz needs path, the file with the arrays, or train and test, one "
        "for each; test_share stands for test\n"
        "    1 | it: npz\n"
        "      |     ^");
  CHECK(problems_of<Dataset>("{type: npz, path: a.npz, test: b.npz}", {}) ==
        "test.yaml:1:23: dataset: npz takes path, or train and test, not both\n"
        "    1 | it: {type: npz, path: a.npz, test: b.npz}\n"
        "      |                       ^");
}

}  // namespace
}  // namespace vitrine
