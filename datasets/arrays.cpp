#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <set>

#include "datasets/file_images.h"
#include "framework/data/dataset.h"
#include "framework/data/label_ids.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/files/safetensors.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;

// Names of classes, labels or values: a list for the first column of labels, or one by each
// column's name.
struct ColumnNames {
  Names first;
  std::vector<std::pair<std::string, Names>> by_column;

  void read(const Node& node, const std::string& path, Problems& problems) {
    *this = ColumnNames();
    if (!node.is_mapping()) return read_list(node, path, first, problems);
    for (const Node& child : node.children) {
      by_column.push_back({child.key, {}});
      read_list(child, join_path(path, child.key), by_column.back().second, problems);
    }
  }
  Node write() const {
    if (by_column.empty()) return list_of(first);
    Node out = Node::mapping();
    for (const auto& [column, names] : by_column) out.set(column, list_of(names));
    return out;
  }
  static std::string type() { return "list of texts, or one for each column by its name"; }
  static nlohmann::ordered_json schema() {
    using Json = nlohmann::ordered_json;
    const Json list = {{"type", "array"}, {"items", {{"type", "string"}}}};
    return {{"anyOf", Json::array({{{"type", "string"}},
                                   list,
                                   {{"type", "object"}, {"additionalProperties", list}}})}};
  }

  // The name that stands twice among those of a column; empty where none does.
  std::string twice() const {
    std::vector<Names> all = {first};
    for (const auto& [column, names] : by_column) all.push_back(names);
    for (const Names& names : all) {
      std::set<std::string> seen;
      for (const std::string& name : names) {
        if (!seen.insert(name).second) return name;
      }
    }
    return "";
  }

 private:
  static void read_list(const Node& node, const std::string& path, Names& names,
                        Problems& problems) {
    Fields fields;
    fields("names", names, "");
    fields.list()[0].value->read(node, path, problems);
  }
  static Node list_of(const Names& names) {
    std::vector<Node> out;
    for (const std::string& name : names) out.push_back(Node::string(name));
    return Node::sequence(out);
  }
};

struct Options : DatasetOptions {
  Path path;
  ColumnNames class_names;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("path", path,
          "safetensors file with train/images, train/labels, test/images and test/labels; "
          "train/labels/NAME is one of several columns of labels")
        .words({"file", "data_path", "data_file"});
    field("class_names", class_names,
          "names of the labels 0, 1, ... of the first column, or of each column by its name; "
          "numbers where none are given")
        .words({"classes", "label_names"});
  }
  void check(Check& check) const {
    if (path.empty()) check.error({}, "arrays needs path, the safetensors file with the images");
    if (const std::string name = class_names.twice(); !name.empty()) {
      check.error({"class_names"},
                  fmt::format("class_names: \"{}\" stands there twice", escape(name)));
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

std::string shown(const TensorView& view) {
  return fmt::format("{} [{}]", dtype_name(view.dtype), fmt::join(view.shape, ", "));
}

// The tensors of the file, each read on its own.
class ArraysFile {
 public:
  explicit ArraysFile(const std::string& path)
      : path_(path), file_(Safetensors::header_only(require_there(path))) {
    for (const std::string& set : sets()) check_images(set);
    const auto train = shape_of("train");
    for (const std::string& set : sets()) {
      const auto other = shape_of(set);
      if (std::equal(train.begin() + 1, train.end(), other.begin() + 1, other.end())) continue;
      fail(fmt::format(
          "train/images is [{}] and {}/images is [{}]: their images must have one shape",
          fmt::join(train, ", "), set, fmt::join(other, ", ")));
    }
    for (const std::string& name : names_of_columns()) check_column(name);
  }

  // The columns of labels: first the one without a name, then by the alphabet. Of classes names are
  // left open.
  const std::vector<LabelColumn>& columns() const { return columns_; }

  Names sets() const {
    Names out = {"train", "test"};
    if (has_validation()) out.emplace_back("validation");
    return out;
  }
  bool has_validation() const { return file_.find("validation/images") != nullptr; }

  // What whoever packed it calls the classes, labels or values of a column; empty where nothing is
  // told.
  Names told_names(const std::string& column) const {
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

  // Where the images of a set begin in the file.
  uint64_t offset_of(const std::string& set) const { return offset_of(tensor(set + "/images")); }

  Tensor read_labels(const std::string& set, const LabelColumn& column) const {
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

  // The tensors that are neither images nor labels.
  Names unused() const {
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

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ExitCode::kData, escape(path_) + ": " + problem);
  }

 private:
  static constexpr const char* kLabels = "/labels";

  static std::string tensor_of(const std::string& set, const std::string& column) {
    return set + kLabels + (column == kLabel ? "" : "/" + column);
  }

  // Of any set.
  std::set<std::string> names_of_columns() const {
    std::set<std::string> out;
    for (const TensorView& view : file_.tensors()) {
      for (const std::string& set : sets()) {
        const std::string begin = set + kLabels;
        if (view.name == begin) out.insert("");
        if (view.name.starts_with(begin + "/")) out.insert(view.name.substr(begin.size() + 1));
      }
    }
    if (out.contains(kLabel) && out.contains(""))
      fail("train/labels and train/labels/label are both the column \"label\"");
    return out;
  }

  const TensorView& tensor(const std::string& name) const {
    if (const TensorView* view = file_.find(name)) return *view;
    std::vector<std::string> names;
    for (const TensorView& view : file_.tensors()) names.push_back(escape(view.name));
    fail(fmt::format("has no tensor {}; it has {}", name,
                     names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  void check_images(const std::string& set) const {
    const TensorView& images = tensor(set + "/images");
    if (images.dtype != DType::kU8 || (images.shape.size() != 3 && images.shape.size() != 4)) {
      fail(fmt::format("{}/images is {}; it must be U8 [N, C, H, W] or [N, H, W]", set,
                       shown(images)));
    }
    if (c10::multiply_integers(images.shape) == 0)
      fail(fmt::format("{}/images is {}: it is empty", set, shown(images)));
  }

  void check_column(const std::string& given) {
    const std::string name = given.empty() ? kLabel : given;
    const LabelColumn train = column_of("train", name);
    for (const std::string& set : sets()) {
      const LabelColumn other = column_of(set, name);
      if (train.kind == other.kind && train.names == other.names) continue;
      const std::string in_train = tensor_of("train", name), in_other = tensor_of(set, name);
      fail(fmt::format("{} is {} and {} is {}: both must be of one kind", in_train,
                       shown(tensor(in_train)), in_other, shown(tensor(in_other))));
    }
    columns_.push_back(train);
  }

  LabelColumn column_of(const std::string& set, const std::string& name) const {
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

  // Of columns of numbers: their own numbers; of a single one that of the column.
  static Names names_of(const TensorView& labels, const std::string& name) {
    if (labels.shape.size() == 1) return {name};
    Names out;
    for (int64_t i = 0; i < labels.shape[1]; ++i) out.push_back(std::to_string(i));
    return out;
  }

  static uint64_t size_of(const TensorView& view) {
    return static_cast<uint64_t>(c10::multiply_integers(view.shape) * dtype_size(view.dtype));
  }

  // The data are the end of the file, without gaps.
  uint64_t offset_of(const TensorView& wanted) const {
    uint64_t from_end = 0;
    for (const TensorView& view : file_.tensors()) {
      from_end = &view == &wanted || from_end > 0 ? from_end + size_of(view) : 0;
    }
    return std::filesystem::file_size(path_) - from_end;
  }

  void read(const TensorView& wanted, char* out, size_t count) const {
    std::ifstream in(path_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(offset_of(wanted)));
    if (!in.read(out, static_cast<std::streamsize>(count))) fail("cannot read " + wanted.name);
  }

  std::string path_;
  Safetensors file_;
  std::vector<LabelColumn> columns_;
};

class Arrays : public Dataset {
 public:
  Arrays(const Options& options, const DataContext& context)
      : options_(options), context_(context) {}

  DatasetInfo info() const override {
    const ArraysFile file(options_.path.value);
    const auto train = file.shape_of("train");
    DatasetInfo out;
    out.channels = train[1];
    out.height = train[2];
    out.width = train[3];
    out.columns = columns_of(file);
    out.train = train[0];
    out.test = file.shape_of("test")[0];
    out.validation = file.has_validation() ? file.shape_of("validation")[0] : 0;
    out.can_stream = true;
    return out;
  }

  Split load_train() override {
    const Names unused = ArraysFile(options_.path.value).unused();
    if (!unused.empty() && context_.tell) {
      context_.tell(
          fmt::format("{}: not used: {}", escape(options_.path.value), fmt::join(unused, ", ")));
    }
    return load("train", "training image");
  }
  Split load_test() override { return load("test", "test image"); }
  Split load_validation() override { return load("validation", "validation image"); }

 private:
  std::vector<LabelColumn> columns_of(const ArraysFile& file) const {
    std::vector<LabelColumn> out = file.columns();
    const ColumnNames& given = options_.class_names;
    if (!given.first.empty() && out.empty()) file.fail("class_names: it has no labels");
    for (LabelColumn& column : out)
      name(column,
           &column == &out.front() && !given.first.empty() ? given.first
                                                           : file.told_names(column.name),
           file);
    for (const auto& [which, names] : given.by_column) {
      const auto found =
          std::find_if(out.begin(), out.end(),
                       [&column = which](const LabelColumn& each) { return each.name == column; });
      if (found == out.end()) {
        Names there;
        for (const LabelColumn& column : out) there.push_back(escape(column.name));
        file.fail(fmt::format("class_names: it has no column {}; it has {}", escape(which),
                              there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", "))));
      }
      name(*found, names, file);
    }
    return out;
  }

  // Gives a column the names that it has in the config; of classes their numbers where it has none.
  static void name(LabelColumn& column, const Names& names, const ArraysFile& file) {
    const bool has_classes = column.kind == LabelColumn::Kind::kClasses;
    if (names.empty() && has_classes && column.names.empty()) column.names = numbers(column, file);
    if (names.empty()) return;
    if (!has_classes && names.size() != column.names.size()) {
      file.fail(fmt::format("class_names: {} names for the {} columns of {}", names.size(),
                            column.names.size(), escape(column.name)));
    }
    column.names = names;
  }

  static std::optional<LabelIds> ids_of(const LabelColumn& column, const ArraysFile& file) {
    if (column.kind != LabelColumn::Kind::kClasses) return std::nullopt;
    std::vector<Tensor> labels;
    for (const std::string& set : file.sets()) labels.push_back(file.read_labels(set, column));
    return LabelIds::of(labels);
  }

  static Names numbers(const LabelColumn& column, const ArraysFile& file) {
    if (const auto ids = ids_of(column, file)) return ids->names();
    const int64_t largest = std::max(file.read_labels("train", column).max().item<int64_t>(),
                                     file.read_labels("test", column).max().item<int64_t>());
    if (largest >= kMaxClasses) {
      file.fail(
          fmt::format("label {} is too large; there may be {} classes", largest, kMaxClasses));
    }
    if (largest < 0) file.fail("all labels of the column " + escape(column.name) + " are below 0");
    Names out;
    for (int64_t i = 0; i <= largest; ++i) out.push_back(std::to_string(i));
    return out;
  }

  Split load(const std::string& set, const std::string& what) const {
    const ArraysFile file(options_.path.value);
    Split out;
    if (context_.streams) {
      const auto shape = file.shape_of(set);
      out.source = std::make_shared<FileImages>(options_.path.value, file.offset_of(set), shape[0],
                                                ImageSize{shape[1], shape[2], shape[3]}, false);
    } else {
      out.images = file.read_images(set);
    }
    for (const LabelColumn& column : file.columns()) {
      const Tensor labels = file.read_labels(set, column);
      const auto ids = ids_of(column, file);
      if (ids && set == "train") {
        context_.tell(fmt::format("{}: column {}: {}", escape(options_.path.value),
                                  escape(column.name), ids->words()));
      }
      out.labels.push_back(ids ? ids->places(labels) : labels);
    }
    check_labels(out, columns_of(file), what, options_.path.value, context_.uses);
    return out;
  }

  static constexpr int64_t kMaxClasses = 100'000;

  Options options_;
  DataContext context_;
};

VITRINE_REGISTER(Dataset, Arrays, Options, "images and labels from a safetensors file")

}  // namespace
}  // namespace vitrine
