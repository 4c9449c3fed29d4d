#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/arrays_file.h"
#include "datasets/class_numbers.h"
#include "datasets/file_images.h"
#include "framework/error.h"
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
    out.test_has_labels = out.columns.empty() || file.has_labels("test");
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

  // Of a column of classes, in all sets that have it.
  static std::vector<Tensor> labels_in(const LabelColumn& column, const ArraysFile& file) {
    std::vector<Tensor> out;
    for (const std::string& set : file.sets()) {
      if (file.has_labels(set)) out.push_back(file.read_labels(set, column));
    }
    return out;
  }

  static Names numbers(const LabelColumn& column, const ArraysFile& file) {
    const std::vector<Tensor> labels = labels_in(column, file);
    return numbered_classes(labels, ids_of(labels, 0), [&](const std::string& problem) {
      file.fail("the column " + escape(column.name) + ": " + problem);
    });
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
    if (!file.has_labels(set)) return out;
    const std::vector<LabelColumn> columns = columns_of(file);
    for (const LabelColumn& column : columns) {
      const Tensor labels = file.read_labels(set, column);
      std::optional<LabelIds> ids;
      if (column.kind == LabelColumn::Kind::kClasses)
        ids = ids_of(labels_in(column, file), column.size());
      if (ids && set == "train") {
        context_.tell(fmt::format("{}: column {}: {}", escape(options_.path.value),
                                  escape(column.name), ids->words()));
      }
      out.labels.push_back(ids ? ids->places(labels) : labels);
    }
    check_labels(out, columns, what, options_.path.value, context_.uses);
    return out;
  }

  Options options_;
  DataContext context_;
};

VITRINE_REGISTER(Dataset, Arrays, Options, "images and labels from a safetensors file")

}  // namespace
}  // namespace vitrine
