#include "framework/files/npz.h"

#include <set>

#include "datasets/array_names.h"
#include "datasets/npy_arrays.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : HeldOptions {
  Path path, train, test, validation_file;
  ArrayNames names;

  void visit(Fields& field) {
    HeldOptions::visit(field);
    field("path", path, "file with all arrays, as NumPy's savez writes it")
        .words({"file", "data_path", "data_file"});
    field("train", train, "instead of path: the file with the training images and labels");
    field("test", test, "and that with the test images and labels");
    field("validation_file", validation_file,
          "and, where there is one, that with the validation images and labels");
    names.visit(field);
  }
  void check(Check& check) const {
    HeldOptions::check(check);
    if (!path.empty() && (!train.empty() || !test.empty() || !validation_file.empty())) {
      check.error({"path"}, "npz takes path, or train and test, not both");
    } else if (path.empty() && (train.empty() || (test.empty() && !draws_test()))) {
      check.error({},
                  "npz needs path, the file with the arrays, or train and test, one for each; "
                  "test_share stands for test");
    }
  }
};

std::shared_ptr<NpzFile> open_npz(const std::string& path) {
  const std::string start = read_file_start(require_there(path), 6).bytes;
  if (start == "\x93NUMPY")
    refuse_data(path, "this is a NumPy file of one array (.npy): dataset: {type: npy} reads it");
  return std::make_shared<NpzFile>(path);
}

// The arrays of one set in a file, and which of them were taken.
class SetFinder {
 public:
  SetFinder(const std::string& path, bool has_one_set)
      : path_(path), file_(open_npz(path)), has_one_set_(has_one_set) {}

  std::optional<ArraySets::Set> find(const char* what, const std::vector<std::string>& sets,
                                     const std::string& images, const std::string& labels) {
    const std::string option = what;
    const auto x = find_one(images, (option + "_images").c_str(), sets, image_words());
    const auto y = find_one(labels, (option + "_labels").c_str(), sets, label_words());
    if (!x && y) {
      refuse_data(path_, fmt::format("has {}, but no images for these labels; it has {}",
                                     escape(file_->names()[*y]), all()));
    }
    if (!x) return std::nullopt;
    ArraySets::Set out{array(*x), {}};
    if (y) out.labels = array(*y);
    return out;
  }
  std::string all() const { return escape(fmt::format("{}", fmt::join(file_->names(), ", "))); }
  const std::string& path() const { return path_; }

  // Empty where all are used.
  std::string unused() const {
    std::vector<std::string> out;
    for (size_t i = 0; i < file_->names().size(); ++i) {
      if (!used_.contains(i)) out.push_back(escape(file_->names()[i]));
    }
    return out.empty() ? "" : fmt::format("{}: not used: {}", escape(path_), fmt::join(out, ", "));
  }

 private:
  std::optional<size_t> find_one(const std::string& given, const char* option,
                                 const std::vector<std::string>& sets,
                                 const std::vector<std::string>& roles) const {
    auto found = find_array(file_->names(), given, option, sets, roles, path_);
    if (!found && has_one_set_) found = find_array(file_->names(), given, option, {}, roles, path_);
    return found;
  }
  NamedArray array(size_t index) {
    used_.insert(index);
    return named_array(file_->place(index), file_->header(index),
                       [file = file_, index] { return file->read(index); });
  }

  std::string path_;
  std::shared_ptr<NpzFile> file_;
  bool has_one_set_;  // a role alone names an array
  std::set<size_t> used_;
};

class Npz : public HeldArrays {
 public:
  Npz(const Options& options, const DataContext& context)
      : HeldArrays(options, context), options_(options) {}

 private:
  ArraySets find() const override {
    const ArrayNames& names = options_.names;
    const bool in_one = !options_.path.empty();
    SetFinder train(in_one ? options_.path.value : options_.train.value, !in_one);
    std::optional<SetFinder> own_test, own_validation;
    const bool has_test = in_one || !options_.test.empty();
    if (!options_.test.empty()) own_test.emplace(options_.test.value, true);
    if (!options_.validation_file.empty())
      own_validation.emplace(options_.validation_file.value, true);
    SetFinder& test = own_test ? *own_test : train;
    SetFinder& validation = own_validation ? *own_validation : train;

    ArraySets out;
    const auto in_train =
        train.find("train", train_words(), names.train_images, names.train_labels);
    std::optional<ArraySets::Set> in_test;
    if (has_test) in_test = test.find("test", test_words(), names.test_images, names.test_labels);
    if (!in_train) fail_missing(train, "training", "x_train", "train_images");
    if (!in_test && !draws_test())
      fail_missing(test, "test", "x_test", "test_images",
                   ", or have test_share take some of those to train on");
    out.train = *in_train;
    out.test = in_test;
    if (in_one || own_validation) {
      out.validation = validation.find("validation", validation_words(), names.validation_images,
                                       names.validation_labels);
    }
    out.said = {train.unused()};
    if (own_test) out.said.push_back(own_test->unused());
    if (own_validation) out.said.push_back(own_validation->unused());
    return out;
  }

  [[noreturn]] static void fail_missing(const SetFinder& file, const char* what, const char* name,
                                        const char* option, const char* advice = "") {
    refuse_data(file.path(),
                fmt::format("no array is called as {} images usually are ({}, {}, ...): say which "
                            "it is by {}{}; it has {}",
                            what, name, option, option, advice, file.all()));
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Npz, Options, "images and classes from NumPy's .npz files")

}  // namespace
}  // namespace vitrine
