#include <algorithm>
#include <set>

#include "datasets/array_names.h"
#include "datasets/npy_arrays.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : HeldOptions {
  Path path;
  Path train_images, train_labels, test_images, test_labels, validation_images, validation_labels;

  void visit(Fields& field) {
    HeldOptions::visit(field);
    field("path", path,
          "folder with a file for each array under a usual name: x_train.npy, y_train.npy, "
          "x_test.npy, y_test.npy")
        .words({"root", "folder", "dir", "data_path"});
    field("train_images", train_images, "instead of path: the file with them");
    field("train_labels", train_labels, "the file with them");
    field("test_images", test_images, "the file with them");
    field("test_labels", test_labels, "the file with them");
    field("validation_images", validation_images,
          "the file with them, where there is a validation split of its own");
    field("validation_labels", validation_labels, "the file with them");
  }
  void check(Check& check) const {
    HeldOptions::check(check);
    if (path.empty() && (train_images.empty() || (test_images.empty() && !draws_test()))) {
      check.error({},
                  "npy needs path, the folder with the arrays, or train_images, train_labels, "
                  "test_images and test_labels, a file for each; test_share stands for those of "
                  "the test");
    }
  }
};

NamedArray array_in(const std::string& path) {
  const FileStart start = read_file_start(require_there(path), kNpyStart);
  if (start.bytes.starts_with("PK"))
    refuse_data(path, "this is a file of several arrays (.npz): dataset: {type: npz} reads it");
  const NpyHeader header = parse_npy_header(start.bytes, start.size, path);
  NamedArray out = named_array(path, header, [path] { return parse_npy(read_whole(path), path); });
  if (out.type == "uint8" && !header.is_fortran) {
    out.file = path;
    out.offset = header.offset;
  }
  return out;
}

class Npy : public HeldArrays {
 public:
  Npy(const Options& options, const DataContext& context)
      : HeldArrays(options, context), options_(options) {}

 private:
  // The folder's files, and which of them were taken.
  struct FolderOfArrays {
    std::string path;
    std::vector<std::string> names;  // without .npy
    std::set<std::string> used;
  };

  ArraySets find() const override {
    FolderOfArrays folder = list();
    ArraySets out;
    const auto train =
        find_set(folder, options_.train_images, options_.train_labels, train_words());
    const auto test = find_set(folder, options_.test_images, options_.test_labels, test_words());
    if (!train) fail_missing(folder, "training", "x_train", "train_images");
    if (!test && !draws_test())
      fail_missing(folder, "test", "x_test", "test_images",
                   ", or have test_share take some of those to train on");
    out.train = *train;
    out.test = test;
    out.validation = find_set(folder, options_.validation_images, options_.validation_labels,
                              validation_words());
    std::vector<std::string> unused;
    for (const std::string& name : folder.names) {
      if (!folder.used.contains(name)) unused.push_back(escape(name) + ".npy");
    }
    if (!unused.empty())
      out.said = {fmt::format("{}: not used: {}", escape(folder.path), fmt::join(unused, ", "))};
    return out;
  }

  FolderOfArrays list() const {
    FolderOfArrays out{options_.path.value, {}, {}};
    if (out.path.empty()) return out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(require_there(out.path), error)) {
      if (entry.path().extension() == ".npy") out.names.push_back(entry.path().stem().string());
    }
    if (error) refuse_data(out.path, error.message());
    std::sort(out.names.begin(), out.names.end());
    return out;
  }

  static std::optional<NamedArray> find_one(FolderOfArrays& folder, const Path& given,
                                            const std::vector<std::string>& sets,
                                            const std::vector<std::string>& roles) {
    if (!given.empty()) return array_in(given.value);
    const auto found =
        find_array(folder.names, "", "a path for each array", sets, roles, folder.path);
    if (!found) return std::nullopt;
    const std::string& name = folder.names[*found];
    folder.used.insert(name);
    return array_in((std::filesystem::path(folder.path) / (name + ".npy")).string());
  }

  static std::optional<ArraySets::Set> find_set(FolderOfArrays& folder, const Path& images,
                                                const Path& labels,
                                                const std::vector<std::string>& sets) {
    const auto x = find_one(folder, images, sets, image_words());
    const auto y = find_one(folder, labels, sets, label_words());
    if (!x && y) refuse_data(y->name, "there are no images for these labels");
    if (!x) return std::nullopt;
    return ArraySets::Set{*x, y};
  }

  [[noreturn]] static void fail_missing(const FolderOfArrays& folder, const char* what,
                                        const char* name, const char* option,
                                        const char* advice = "") {
    refuse_data(
        folder.path,
        fmt::format("no file is called as {} images usually are ({}.npy, {}.npy, ...): say "
                    "which it is by {}{}; it has {}",
                    what, name, option, option, advice,
                    folder.names.empty()
                        ? "none"
                        : escape(fmt::format("{}.npy", fmt::join(folder.names, ".npy, ")))));
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Npy, Options, "images and classes from NumPy's .npy files")

}  // namespace
}  // namespace vitrine
