#include "datasets/arrays_file.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <fstream>

#include "datasets/file_images.h"
#include "framework/error.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;

constexpr const char* kLabels = "/labels";

template <class T>
void widen(const std::string& bytes, int64_t* out) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<int64_t>(value);
  }
}

void widen(DType type, const std::string& bytes, int64_t* out) {
  switch (type) {
    case DType::kBool:
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
    case DType::kU64:  // beyond int64 turns negative, which check_labels refuses
      return widen<uint64_t>(bytes, out);
    default:
      return widen<int64_t>(bytes, out);
  }
}

// Of floating-point numbers; none of whole ones.
std::optional<at::ScalarType> real_type(DType type) {
  switch (type) {
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    case DType::kF32:
      return at::kFloat;
    case DType::kF64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

std::string shown(const TensorView& view) {
  return fmt::format("{} [{}]", dtype_name(view.dtype), fmt::join(view.shape, ", "));
}

uint64_t size_of(const TensorView& view) {
  return static_cast<uint64_t>(c10::multiply_integers(view.shape) * dtype_size(view.dtype));
}

std::string tensor_of(const std::string& set, const std::string& column) {
  return set + kLabels + (column == kLabel ? "" : "/" + column);
}

// Of columns of numbers: their own numbers; of a single one that of the column.
Names names_of(const TensorView& labels, const std::string& name) {
  if (labels.shape.size() == 1) return {name};
  Names out;
  for (int64_t i = 0; i < labels.shape[1]; ++i) out.push_back(std::to_string(i));
  return out;
}

}  // namespace

ArraysFile::ArraysFile(const std::string& path)
    : path_(path), file_(Safetensors::header_only(require_there(path))) {
  for (const std::string& set : sets()) check_images(set);
  const auto train = shape_of("train");
  for (const std::string& set : sets()) {
    const auto other = shape_of(set);
    if (std::equal(train.begin() + 1, train.end(), other.begin() + 1, other.end())) continue;
    fail(fmt::format("train/images is [{}] and {}/images is [{}]: their images must have one shape",
                     fmt::join(train, ", "), set, fmt::join(other, ", ")));
  }
  std::set<std::string> names;  // of any set
  for (const std::string& set : sets()) names.merge(columns_in(set));
  if (names.contains(kLabel) && names.contains(""))
    fail("train/labels and train/labels/label are both the column \"label\"");
  for (const std::string& name : names) check_column(name);
}

bool ArraysFile::has_labels(const std::string& set) const { return !columns_in(set).empty(); }

Names ArraysFile::sets() const {
  Names out = {"train", "test"};
  if (has_validation()) out.emplace_back("validation");
  return out;
}

Names ArraysFile::told_names(const std::string& column) const {
  const auto found = file_.metadata().find("names");
  if (found == file_.metadata().end()) return {};
  const auto all = nlohmann::json::parse(found->second, nullptr, false);
  const bool is_told = all.is_object() && all.contains(column) && all[column].is_array();
  Names out;
  if (!is_told) return out;
  for (const auto& name : all[column]) {
    if (!name.is_string()) return {};
    out.push_back(name.get<std::string>());
  }
  return out;
}

std::vector<int64_t> ArraysFile::shape_of(const std::string& set) const {
  std::vector<int64_t> shape = tensor(set + "/images").shape;
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);
  return shape;
}

Tensor ArraysFile::read_images(const std::string& set) const {
  Tensor out = at::empty(shape_of(set), at::kByte);
  read(tensor(set + "/images"), static_cast<char*>(out.data_ptr()), out.nbytes());
  return out;
}

Tensor ArraysFile::read_labels(const std::string& set, const LabelColumn& column) const {
  const TensorView& view = tensor(tensor_of(set, column.name));
  if (column.kind == LabelColumn::Kind::kValues) {
    const Tensor out = at::empty(view.shape, *real_type(view.dtype));
    read(view, static_cast<char*>(out.data_ptr()), out.nbytes());
    return out.to(at::kFloat).view({view.shape[0], -1});
  }
  std::string bytes(size_of(view), '\0');
  read(view, bytes.data(), bytes.size());
  const Tensor out = at::empty(view.shape, at::kLong);
  widen(view.dtype, bytes, out.data_ptr<int64_t>());
  return column.kind == LabelColumn::Kind::kClasses ? out : out.to(at::kFloat);
}

Names ArraysFile::unused() const {
  std::set<std::string> used;
  for (const std::string& set : sets()) {
    used.insert(set + "/images");
    for (const LabelColumn& column : columns_) used.insert(tensor_of(set, column.name));
  }
  Names out;
  for (const TensorView& view : file_.tensors()) {
    if (!used.contains(view.name)) out.push_back(escape(view.name));
  }
  return out;
}

void ArraysFile::fail(const std::string& problem) const { refuse_data(path_, problem); }

// The one without a name is "".
std::set<std::string> ArraysFile::columns_in(const std::string& set) const {
  std::set<std::string> out;
  const std::string begin = set + kLabels;
  for (const TensorView& view : file_.tensors()) {
    if (view.name == begin) out.insert("");
    if (view.name.starts_with(begin + "/")) out.insert(view.name.substr(begin.size() + 1));
  }
  return out;
}

const TensorView& ArraysFile::tensor(const std::string& name) const {
  if (const TensorView* view = file_.find(name)) return *view;
  Names names;
  for (const TensorView& view : file_.tensors()) names.push_back(escape(view.name));
  fail(fmt::format("has no tensor {}; it has {}", name,
                   names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

void ArraysFile::check_images(const std::string& set) const {
  const TensorView& images = tensor(set + "/images");
  if (images.dtype != DType::kU8 || (images.shape.size() != 3 && images.shape.size() != 4)) {
    fail(fmt::format("{}/images is {}; it must be U8 [N, C, H, W] or [N, H, W]", set,
                     shown(images)));
  }
  if (c10::multiply_integers(images.shape) == 0)
    fail(fmt::format("{}/images is {}: it is empty", set, shown(images)));
}

void ArraysFile::check_column(const std::string& given) {
  const std::string name = given.empty() ? kLabel : given;
  const LabelColumn train = column_of("train", name);
  for (const std::string& set : sets()) {
    if (set == "test" && !has_labels(set)) continue;
    const LabelColumn other = column_of(set, name);
    if (train.kind == other.kind && train.names == other.names) continue;
    const std::string in_train = tensor_of("train", name), in_other = tensor_of(set, name);
    fail(fmt::format("{} is {} and {} is {}: both must be of one kind", in_train,
                     shown(tensor(in_train)), in_other, shown(tensor(in_other))));
  }
  columns_.push_back(train);
}

LabelColumn ArraysFile::column_of(const std::string& set, const std::string& name) const {
  const std::string full = tensor_of(set, name);
  const TensorView& images = tensor(set + "/images");
  const TensorView& labels = tensor(full);
  const size_t dimensions = labels.shape.size();
  if (dimensions < 1 || dimensions > 2 || c10::multiply_integers(labels.shape) == 0) {
    fail(
        fmt::format("{} is {}; it must be whole numbers [N], the numbers of classes; whole "
                    "numbers or bool [N, K] of 0 and 1, labels of which an image may have "
                    "several; or real numbers [N] or [N, K]",
                    full, shown(labels)));
  }
  if (images.shape[0] != labels.shape[0]) {
    fail(fmt::format("{}/images has {} images, {} {} labels", set, images.shape[0], full,
                     labels.shape[0]));
  }
  if (real_type(labels.dtype)) return {name, LabelColumn::Kind::kValues, names_of(labels, name)};
  if (dimensions == 2) return {name, LabelColumn::Kind::kLabels, names_of(labels, name)};
  return {name, LabelColumn::Kind::kClasses, {}};
}

// The data are the end of the file, without gaps.
uint64_t ArraysFile::offset_of(const TensorView& wanted) const {
  uint64_t from_end = 0;
  for (const TensorView& view : file_.tensors()) {
    from_end = &view == &wanted || from_end > 0 ? from_end + size_of(view) : 0;
  }
  return std::filesystem::file_size(path_) - from_end;
}

void ArraysFile::read(const TensorView& wanted, char* out, size_t count) const {
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset_of(wanted)));
  if (!in.read(out, static_cast<std::streamsize>(count))) fail("cannot read " + wanted.name);
}

}  // namespace vitrine
