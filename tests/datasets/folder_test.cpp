#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <filesystem>

#include "framework/data/batches.h"
#include "framework/images/encode.h"
#include "tests/component.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A grey image of one brightness.
Image plain(int64_t width, int64_t height, uint8_t brightness) {
  Image out;
  out.width = width;
  out.height = height;
  out.pixels.assign(static_cast<size_t>(width * height), brightness);
  return out;
}

class Fixture {
 public:
  void add(const std::string& path, const Image& image = plain(4, 4, 7)) const {
    write(path, encode_png(image));
  }
  void write(const std::string& path, const std::string& bytes) const {
    fs::create_directories((root() / path).parent_path());
    write_plain(root() / path, bytes);
  }
  fs::path root() const { return folder_ / "photos"; }
  std::shared_ptr<Dataset> dataset(const std::string& options = "") {
    DataContext context;
    context.tell = [this](const std::string& text) { told_.push_back(text); };
    return make<Dataset>("{type: folder, path: " + root().string() + ", size: 4" + options + "}",
                         context);
  }
  // What is wrong with it, less its path.
  std::string failure(ExitCode code, const std::string& options = "") {
    std::string out = message_of(code, [&] { load_splits(*dataset(options), {}); });
    for (size_t at; (at = out.find(root().string())) != out.npos;)
      out.replace(at, root().string().size(), "ROOT");
    return out;
  }
  std::vector<std::string> told() const {
    std::vector<std::string> out = told_;
    for (std::string& text : out) {
      if (text.starts_with(root().string())) text.replace(0, root().string().size(), "ROOT");
    }
    return out;
  }

 private:
  TemporaryFolder folder_;
  std::vector<std::string> told_;
};

std::vector<std::string> names(const Split& split, const fs::path& root) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < split.size(); ++i)
    out.push_back(fs::path(split.source->name(i)).lexically_relative(root).string());
  return out;
}

std::vector<int64_t> labels(const Split& split) {
  const Tensor& of = split.labels.at(0);
  return {of.const_data_ptr<int64_t>(), of.const_data_ptr<int64_t>() + of.numel()};
}

using Strings = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "folders of splits and classes are read in the alphabet's order") {
  add("train/dog/b.png");
  add("train/dog/a.PNG");
  add("train/cat/deep/er/c.png");
  add("val/dog/v.png");
  add("test/cat/t.png");
  write("train/dog/notes.txt", "hello");
  write("train/dog/.DS_Store", "hidden");
  write("train/README", "hello");
  const auto it = dataset();
  const DatasetInfo info = it->info();
  CHECK(info.columns.at(0).names == Strings{"cat", "dog"});
  CHECK(info.channels == 3);
  CHECK(info.height == 4);
  CHECK(info.train == 3);
  CHECK(info.validation == 1);
  CHECK(info.test == 1);
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(names(splits.train, root()) ==
        Strings{"train/cat/deep/er/c.png", "train/dog/a.PNG", "train/dog/b.png"});
  CHECK(labels(splits.train) == std::vector<int64_t>{0, 1, 1});
  CHECK(names(*splits.validation, root()) == Strings{"val/dog/v.png"});
  CHECK(labels(*splits.validation) == std::vector<int64_t>{1});
  CHECK(labels(splits.test) == std::vector<int64_t>{0});
  CHECK(told() == Strings{"ROOT: passed over as no JPEG, PNG or WebP: .txt (1), no ending (1)"});
}

TEST_CASE_METHOD(Fixture, "a folder of validation alone is the test") {
  add("train/a/1.png");
  add("val/a/2.png");
  const LoadedSplits splits = load_splits(*dataset(), {});
  CHECK(names(splits.test, root()) == Strings{"val/a/2.png"});
  CHECK_FALSE(splits.validation);
  CHECK(told() == Strings{"ROOT/val is the test: there is no other"});
}

TEST_CASE_METHOD(Fixture, "of classes alone each gives its share to the test") {
  for (int i = 0; i < 10; ++i) {
    add("cat/" + std::to_string(i) + ".png");
    add("dog/" + std::to_string(i) + ".png");
  }
  const LoadedSplits splits = load_splits(*dataset(), {});
  CHECK(labels(splits.test) == std::vector<int64_t>{0, 0, 1, 1});
  CHECK(splits.train.size() == 16);
  CHECK(told() == Strings{"ROOT has no train/ and test/: 4 of its images are kept apart for the "
                          "test (dataset.test_share)"});
  CHECK(names(load_splits(*dataset(), {}).test, root()) == names(splits.test, root()));
  CHECK(names(load_splits(*dataset(", split_seed: 1"), {}).test, root()) !=
        names(splits.test, root()));
  CHECK(failure(ExitCode::kUsage, ", test_share: 20") ==
        "dataset.test_share (20) of 20 images leaves no training image");
}

TEST_CASE_METHOD(Fixture,
                 "a test that is drawn is the same whatever validation is, and apart from it") {
  for (int i = 0; i < 10; ++i) add("train/cat/" + std::to_string(i) + ".png");
  const auto drawn = [&](const std::string& more) {
    return names(load_splits(*dataset(", test_share: 0.3" + more), {}).test, root());
  };
  CHECK(drawn("").size() == 3);
  CHECK(drawn("") == drawn(", validation: 4"));
  CHECK(told() == Strings{"ROOT has no test/: 3 of its images are kept apart for the test "
                          "(dataset.test_share)",
                          "ROOT has no test/: 3 of its images are kept apart for the test "
                          "(dataset.test_share)",
                          "ROOT has no test/: 3 of its images are kept apart for the test "
                          "(dataset.test_share)"});
  const LoadedSplits splits = load_splits(*dataset(", test_share: 0.3"), {});
  Strings all = names(splits.train, root());
  for (const std::string& name : names(splits.test, root())) {
    CHECK(std::count(all.begin(), all.end(), name) == 0);
    all.push_back(name);
  }
  CHECK(all.size() == 10);
  add("test/cat/t.png");
  CHECK(failure(ExitCode::kUsage, ", test_share: 0.3") ==
        "dataset.test_share (0.3) would have no effect: ROOT/test is the test");
  CHECK(load_splits(*dataset(), {}).test.size() == 1);
}

TEST_CASE_METHOD(Fixture, "test images without folders of classes have no labels") {
  add("train/a/1.png");
  add("train/b/2.png");
  add("test/y.png");
  add("test/x.png");
  write("test/readme.txt", "");
  const auto it = dataset();
  CHECK_FALSE(it->info().test_has_labels);
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(names(splits.test, root()) == Strings{"test/x.png", "test/y.png"});
  CHECK(splits.test.labels.empty());
  CHECK(told() == Strings{"ROOT: passed over as no JPEG, PNG or WebP: .txt (1)"});
}

struct WithTable : Fixture {
  WithTable() {
    for (const char* name : {"a", "b", "deep/c"}) add("train/" + std::string(name) + ".png");
    add("test/d.png");
    write("test/metadata.csv", "file_name,kind,age\nd.png,cat,2\n");
  }
  // What is wrong with the table of the training images.
  std::string refused(const std::string& table, const std::string& options = "") {
    write("train/metadata.csv", table);
    return failure(ExitCode::kData, options);
  }
};

TEST_CASE_METHOD(WithTable, "metadata.csv tells labels, classes and values, in place of folders") {
  write("train/metadata.csv",
        "age,file_name,kind\n1.5,deep/c.png,dog\n3,./a.png,\"cat\"\r\n-2e1,b.png,dog\n");
  write("test/metadata.csv", "age,file_name,kind\n2,d.png,cat\n");
  const auto it = dataset();
  const DatasetInfo info = it->info();
  REQUIRE(info.columns.size() == 2);
  CHECK(info.columns[0].name == "age");
  CHECK(info.columns[0].kind == LabelColumn::Kind::kValues);
  CHECK(info.columns[1].name == "kind");
  CHECK(info.columns[1].names == Strings{"cat", "dog"});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(names(splits.train, root()) == Strings{"train/a.png", "train/b.png", "train/deep/c.png"});
  CHECK(at::equal(splits.train.labels[0], at::tensor({3.F, -20.F, 1.5F}).view({3, 1})));
  CHECK(at::equal(splits.train.labels[1], at::tensor({0, 1, 1}, at::kLong)));
  CHECK(at::equal(splits.test.labels[0], at::tensor({2.F}).view({1, 1})));
  CHECK(told().empty());
}

TEST_CASE_METHOD(WithTable,
                 "whole numbers are classes by their order, unless they are named values") {
  write("train/metadata.csv", "file_name,kind,age\na.png,cat,10\nb.png,cat,9\ndeep/c.png,cat,2\n");
  CHECK(dataset()->info().columns[1].names == Strings{"2", "9", "10"});
  CHECK(labels({{}, {load_splits(*dataset(), {}).train.labels[1]}}) ==
        std::vector<int64_t>{2, 1, 0});
  const auto it = dataset(", values: age");
  CHECK(it->info().columns[1].kind == LabelColumn::Kind::kValues);
  CHECK(at::equal(it->load_train().labels[1], at::tensor({10.F, 9.F, 2.F}).view({3, 1})));
  CHECK(failure(ExitCode::kData, ", values: [kind]") ==
        "ROOT/train/metadata.csv: line 2: \"cat\" in the column kind is no number");
  CHECK(failure(ExitCode::kData, ", values: [size]") ==
        "ROOT/train/metadata.csv: has no column size, which dataset.values names; it has kind, "
        "age");
}

TEST_CASE_METHOD(WithTable,
                 "a table of all images stands in the folder itself, and gives a test its share") {
  fs::rename(root() / "train", root() / "all");
  fs::remove_all(root() / "test");
  for (int i = 0; i < 7; ++i) add("all/" + std::to_string(i) + ".png");
  std::string table = "file_name,kind\nall/a.png,x\nall/b.png,x\nall/deep/c.png,x\n";
  for (int i = 0; i < 7; ++i) table += "all/" + std::to_string(i) + ".png," + "xy"[i % 2] + "\n";
  write("metadata.csv", table);
  const LoadedSplits splits = load_splits(*dataset(), {});
  CHECK(splits.train.size() == 8);
  std::vector<int64_t> drawn = labels(splits.test);
  std::sort(drawn.begin(), drawn.end());
  CHECK(drawn == std::vector<int64_t>{0, 1});
}

TEST_CASE_METHOD(WithTable, "test images that no table tells of have no labels, others must") {
  write("train/metadata.csv", "file_name,kind\na.png,x\nb.png,y\ndeep/c.png,x\n");
  fs::remove(root() / "test/metadata.csv");
  CHECK(load_splits(*dataset(), {}).test.labels.empty());
  add("val/e.png");
  CHECK(failure(ExitCode::kData) ==
        "ROOT/val/metadata.csv: no such file: it has to tell of these images as that of the "
        "training images does");
}

TEST_CASE_METHOD(WithTable, "what is wrong in a table is named, with its line") {
  CHECK(refused("file_name,kind,age\na.png,cat,1\nb.png,dog,2\n") ==
        "ROOT/train/metadata.csv: 1 of the 3 images of its folder is not in it: deep/c.png");
  CHECK(refused("file_name,kind,age\na.png,cat,1\nx.png,dog,2\n") ==
        "ROOT/train/metadata.csv: line 3: there is no image x.png in ROOT/train");
  CHECK(refused("file_name,kind,age\na.png,cat,1\na.png,dog,2\n") ==
        "ROOT/train/metadata.csv: line 3: a.png stands in line 2 already");
  CHECK(refused("file_name,kind,age\na.png,cat\n") ==
        "ROOT/train/metadata.csv: line 2: 2 cells, the first line has 3");
  CHECK(refused("file_name,kind,age\na.png,,1\n") ==
        "ROOT/train/metadata.csv: line 2: the column kind has no text");
  CHECK(refused("file,kind\na.png,cat\n") ==
        "ROOT/train/metadata.csv: has no column file_name, which names the images; it has file, "
        "kind");
  CHECK(refused("file_name,kind,kind\na.png,cat,1\n") ==
        "ROOT/train/metadata.csv: the column kind stands there twice");
  CHECK(refused("") == "ROOT/train/metadata.csv: the table is empty");
  CHECK(refused("file_name,kind\na.png,cat\nb.png,dog\ndeep/c.png,dog\n") ==
        "ROOT/test/metadata.csv: its columns are kind, age, those of ROOT/train/metadata.csv are "
        "kind");
  CHECK(refused("file_name,kind,age\na.png,owl,2\nb.png,dog,2\ndeep/c.png,dog,2\n") ==
        "ROOT/test/metadata.csv: line 2: there is no class cat to train on in the column kind; the "
        "classes are dog, owl");
  fs::rename(root() / "train/metadata.csv", root() / "metadata.csv");
  CHECK(failure(ExitCode::kData) ==
        "ROOT/metadata.csv: it is not read where there is train/: each of train, val and test has "
        "a table of its own");
}

TEST_CASE_METHOD(Fixture, "images of any size and colour are made as the model wants them") {
  Image red = plain(1, 1, 0);
  red.channels = 3;
  red.pixels = {200, 0, 0};
  add("train/a/1.png", red);
  add("train/a/2.png", plain(9, 5, 100));
  add("test/a/1.png");
  const auto pixels = [&](const std::string& options, const ImageSize& size) {
    const LoadedSplits splits = load_splits(*dataset(options), {});
    Preparation preparation;
    preparation.size = size;
    return Batches(splits.train, preparation, at::kCPU, 0, false)
        .pixels(at::tensor({0, 1}, at::kLong));
  };
  const Tensor coloured = pixels("", {3, 4, 4});
  CHECK(coloured.sizes() == at::IntArrayRef({2, 3, 4, 4}));
  CHECK(coloured[0][0].eq(200).all().item<bool>());
  CHECK(coloured[0].slice(0, 1).eq(0).all().item<bool>());
  CHECK(coloured[1].eq(100).all().item<bool>());
  const Tensor grey = pixels(", channels: 1", {1, 4, 4});
  CHECK(grey[0].eq(60).all().item<bool>());  // 0.299 of 200
}

TEST_CASE_METHOD(Fixture, "paths, sizes and labels tell a folder from another, wherever it lies") {
  add("train/a/1.png");
  add("train/b/2.png");
  add("test/a/1.png");
  const std::string fingerprint = load_splits(*dataset(), {}).fingerprint;
  CHECK(load_splits(*dataset(", channels: 1"), {}).fingerprint == fingerprint);
  fs::rename(root() / "train/b/2.png", root() / "train/b/3.png");
  CHECK(load_splits(*dataset(), {}).fingerprint != fingerprint);
  fs::rename(root() / "train/b/3.png", root() / "train/b/2.png");
  CHECK(load_splits(*dataset(), {}).fingerprint == fingerprint);
  add("train/b/2.png", plain(40, 4, 3));
  CHECK(load_splits(*dataset(), {}).fingerprint != fingerprint);
}

TEST_CASE_METHOD(Fixture, "what is no data set is told in words") {
  CHECK(failure(ExitCode::kData).starts_with("ROOT: no such folder"));
  write("train/a/x.txt", "");
  CHECK(failure(ExitCode::kData) ==
        "ROOT/train: there are no images: a folder is wanted for each class, with JPEG, PNG or "
        "WebP files");
  add("train/a/1.png");
  add("test/b/1.png");
  CHECK(failure(ExitCode::kData) ==
        "ROOT/test/b: there is no class b to train on; the classes are a");
}

TEST_CASE_METHOD(Fixture, "a broken image ends the run, or is left out") {
  add("train/a/1.png");
  write("train/a/2.png", "no image");
  add("train/a/3.png");
  add("test/a/1.png");
  const LoadedSplits splits = load_splits(*dataset(), {});
  CHECK(message_of(ExitCode::kData, [&] {
          splits.train.source->read(1);
        }).starts_with((root() / "train/a/2.png").string() + ": "));
  const auto it = dataset(", on_error: skip");
  CHECK(it->info().train == 2);
  CHECK(names(load_splits(*it, {}).train, root()) == Strings{"train/a/1.png", "train/a/3.png"});
  REQUIRE(told().size() == 1);
  CHECK(told()[0].starts_with("ROOT: 1 of 4 images cannot be read and is left out: "));
}

}  // namespace
}  // namespace vitrine
