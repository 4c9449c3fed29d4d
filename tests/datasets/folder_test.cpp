#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

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
                          "test (dataset.test)"});
  CHECK(names(load_splits(*dataset(), {}).test, root()) == names(splits.test, root()));
  CHECK(names(load_splits(*dataset(", split_seed: 1"), {}).test, root()) !=
        names(splits.test, root()));
  CHECK(failure(ExitCode::kUsage, ", test: 20") ==
        "dataset.test (20) of 20 images leaves no training image");
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
