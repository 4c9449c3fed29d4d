#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <set>

#include "framework/data/dataset.h"
#include "framework/error.h"
#include "framework/files/paths.h"
#include "framework/files/safetensors.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : DatasetOptions {
  Path path;
  std::vector<std::string> class_names;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("path", path,
          "safetensors file with train/images, train/labels, test/images and test/labels")
        .words({"file", "data_path", "data_file"});
    field("class_names", class_names, "names of the labels 0, 1, ...; numbers where none are given")
        .words({"classes", "label_names"});
  }
  void check(const DataContext&, Check& check) const {
    if (path.empty()) check.error({}, "arrays needs path, the safetensors file with the images");
    std::set<std::string> seen;
    for (const std::string& name : class_names) {
      if (seen.insert(name).second) continue;
      check.error({"class_names"},
                  fmt::format("class_names: \"{}\" stands there twice", escape(name)));
      break;
    }
  }
};

template <class T>
void widen(const std::string& bytes, int64_t* out) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<int64_t>(value);
  }
}

bool is_integer(DType type) {
  return type != DType::kBool && type != DType::kF16 && type != DType::kBF16 &&
         type != DType::kF32 && type != DType::kF64;
}

void widen(DType type, const std::string& bytes, int64_t* out) {
  switch (type) {
    case DType::kU8:
      return widen<uint8_t>(bytes, out);
    case DType::kI8:
      return widen<int8_t>(bytes, out);
    case DType::kI16:
      return widen<int16_t>(bytes, out);
    case DType::kU16:
      return widen<uint16_t>(bytes, out);
    case DType::kI32:
      return widen<int32_t>(bytes, out);
    case DType::kU32:
      return widen<uint32_t>(bytes, out);
    case DType::kU64:
      return widen<uint64_t>(bytes,
                             out);  // beyond int64 turns negative, which check_labels refuses
    default:
      return widen<int64_t>(bytes, out);
  }
}

const std::string& require_there(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) || error) return path;
  throw Error(ExitCode::kData,
              "cannot read " + escape(path) + ": no such file" + counted_from_here(path));
}

// The four tensors of the file, each read on its own.
class ArraysFile {
 public:
  explicit ArraysFile(const std::string& path)
      : path_(path), file_(Safetensors::header_only(require_there(path))) {
    for (const char* set : {"train", "test"}) check_set(set);
    const auto train = shape_of("train"), test = shape_of("test");
    if (!std::equal(train.begin() + 1, train.end(), test.begin() + 1, test.end())) {
      fail(fmt::format(
          "train/images is [{}] and test/images is [{}]: their images must have one shape",
          fmt::join(train, ", "), fmt::join(test, ", ")));
    }
  }

  // [N, C, H, W]; of one channel where the file has [N, H, W]
  std::vector<int64_t> shape_of(const std::string& set) const {
    std::vector<int64_t> shape = tensor(set + "/images").shape;
    if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
    return shape;
  }

  Tensor read_images(const std::string& set) const {
    Tensor out = at::empty(shape_of(set), at::kByte);
    read(tensor(set + "/images"), static_cast<char*>(out.data_ptr()), out.nbytes());
    return out;
  }

  Tensor read_labels(const std::string& set) const {
    const TensorView& view = tensor(set + "/labels");
    std::string bytes(view.shape[0] * dtype_size(view.dtype), '\0');
    read(view, bytes.data(), bytes.size());
    Tensor out = at::empty({view.shape[0]}, at::kLong);
    widen(view.dtype, bytes, out.data_ptr<int64_t>());
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ExitCode::kData, escape(path_) + ": " + problem);
  }

  const TensorView& tensor(const std::string& name) const {
    if (const TensorView* view = file_.find(name)) return *view;
    std::vector<std::string> names;
    for (const TensorView& view : file_.tensors()) names.push_back(escape(view.name));
    fail(fmt::format("has no tensor {}; it has {}", name,
                     names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  void check_set(const std::string& set) const {
    const TensorView& images = tensor(set + "/images");
    const TensorView& labels = tensor(set + "/labels");
    const auto found = [](const TensorView& view) {
      return fmt::format("{} [{}]", dtype_name(view.dtype), fmt::join(view.shape, ", "));
    };
    if (images.dtype != DType::kU8 || (images.shape.size() != 3 && images.shape.size() != 4)) {
      fail(fmt::format("{}/images is {}; it must be U8 [N, C, H, W] or [N, H, W]", set,
                       found(images)));
    }
    if (!is_integer(labels.dtype) || labels.shape.size() != 1) {
      fail(fmt::format("{}/labels is {}; it must be integers [N]", set, found(labels)));
    }
    if (images.shape[0] != labels.shape[0]) {
      fail(fmt::format("{}/images has {} images, {}/labels {} labels", set, images.shape[0], set,
                       labels.shape[0]));
    }
    if (c10::multiply_integers(images.shape) == 0)
      fail(fmt::format("{}/images is {}: it is empty", set, found(images)));
  }

  static uint64_t size_of(const TensorView& view) {
    return static_cast<uint64_t>(c10::multiply_integers(view.shape) * dtype_size(view.dtype));
  }

  // The data are the end of the file, without gaps.
  void read(const TensorView& wanted, char* out, size_t count) const {
    std::ifstream in(path_, std::ios::binary);
    uint64_t from_end = 0;
    for (const TensorView& view : file_.tensors()) {
      from_end = &view == &wanted || from_end > 0 ? from_end + size_of(view) : 0;
    }
    in.seekg(-static_cast<std::streamoff>(from_end), std::ios::end);
    if (!in.read(out, static_cast<std::streamsize>(count))) fail("cannot read " + wanted.name);
  }

  std::string path_;
  Safetensors file_;
};

class Arrays : public Dataset {
 public:
  Arrays(const Options& options, const DataContext&) : options_(options) {}

  DatasetInfo info() const override {
    const ArraysFile file(options_.path.value);
    const auto train = file.shape_of("train");
    return {train[1], train[2], train[3], class_names(file), train[0], file.shape_of("test")[0]};
  }

  Split load_train() override { return train_ = load("train", "training image"); }
  Split load_test() override { return test_ = load("test", "test image"); }

  std::string fingerprint() override {
    if (!train_.labels.defined()) load_train();
    if (!test_.labels.defined()) load_test();
    return fingerprint_of(train_, test_);
  }

 private:
  std::vector<std::string> class_names(const ArraysFile& file) const {
    if (!options_.class_names.empty()) return options_.class_names;
    const int64_t largest = std::max(file.read_labels("train").max().item<int64_t>(),
                                     file.read_labels("test").max().item<int64_t>());
    if (largest >= kMaxClasses) {
      throw Error(ExitCode::kData, fmt::format("{}: label {} is too large; there may be {} classes",
                                               escape(options_.path.value), largest, kMaxClasses));
    }
    std::vector<std::string> out;
    for (int64_t i = 0; i <= largest; ++i) out.push_back(std::to_string(i));
    return out;
  }

  Split load(const std::string& set, const std::string& what) const {
    const ArraysFile file(options_.path.value);
    Split out{file.read_images(set), file.read_labels(set), {}};
    check_labels(out, static_cast<int64_t>(class_names(file).size()), what, options_.path.value);
    return out;
  }

  static constexpr int64_t kMaxClasses = 100'000;

  Options options_;
  Split train_, test_;  // as they were last read
};

VITRINE_REGISTER(Dataset, Arrays, Options, "images and labels from a safetensors file")

}  // namespace
}  // namespace vitrine
