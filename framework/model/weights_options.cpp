#include "framework/model/weights_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "framework/config/units.h"
#include "framework/error.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// Only a lone file has the short form, so that what is written is read as the same.
class WeightsValue : public FieldValue {
 public:
  explicit WeightsValue(WeightsOptions& value) : value_(value) {}

  void read(const Node& node, const std::string& path, Problems& problems) override {
    value_ = {};
    if (!node.is_mapping()) return value_.file.read(node, path, problems);
    Node mapping = node;
    // What a base has in the short form was spelled out as a component's when keys were set below.
    for (Node& child : mapping.children) {
      if (child.key == "type" && !node.find("file")) child.key = "file";
    }
    if (mapping.find("file")) mapping.erase("type");
    const size_t before = problems.size();
    read_fields(fields_of(value_), mapping, path, problems);
    if (problems.size() > before) return;
    if (value_.empty())
      problems.add(node.location, path + ": a file is missing beside its options");
    if (!value_.sha256 || is_sha256(*value_.sha256)) return;
    problems.add(
        mapping.find("sha256")->location,
        path + ".sha256: expected 64 digits from 0 to f, got " + mapping.find("sha256")->shown());
  }

  Node write() const override {
    return is_short() ? value_.file.write() : write_fields(fields_of(value_));
  }
  std::string type() const override { return "path or https address, mapping, or null"; }
  Json schema() const override {
    WeightsOptions example;
    return {{"anyOf", Json::array({WeightsFile::schema(), schema_of_fields(fields_of(example))})}};
  }
  void below(const BelowVisit& visit) const override {
    WeightsOptions untouched;
    if (!is_short()) visit(fields_of(value_), fields_of(untouched));
  }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    vitrine::list_known(fields_of(value_), path, written, out);
  }

 private:
  bool is_short() const {
    return !value_.sha256 && !value_.layout && !value_.prefix && value_.skip.empty() &&
           value_.freeze.empty();
  }

  WeightsOptions& value_;
};

}  // namespace

bool WeightsFile::is_address() const {
  constexpr std::string_view kStart = "https://";
  const auto is_same = [](char a, char b) { return std::tolower(a) == b; };
  return value.size() > kStart.size() && std::equal(kStart.begin(), kStart.end(), value.begin(),
                                                    [&](char b, char a) { return is_same(a, b); });
}

void WeightsFile::read(const Node& node, const std::string& path, Problems& problems) {
  const bool is_text = node.kind == Node::Kind::kScalar;
  value = is_text ? node.scalar : "";
  if (is_address()) return;
  if (is_text && node.scalar.find("://") != node.scalar.npos) {
    problems.add(node.location, fmt::format("{}: {} is no https address", path, node.shown()),
                 "addresses begin with https://, and all else is a path");
    return;
  }
  Path plain;
  plain.read(node, path, problems);
  value = plain.value;
}

Node WeightsFile::write() const {
  if (is_address()) return Node::string(value);
  return Path{value}.write();
}

Json WeightsFile::schema() { return Path::schema(); }

void WeightsOptions::visit(Fields& field) {
  field("file", file,
        "safetensors file, a run's folder, or an https address, which is fetched once")
      .words({"path", "url", "checkpoint"});
  field("sha256", sha256, "what the file must hash to; null: what it does is recorded")
      .words({"hash", "checksum"})
      .is(Role::kBookkeeping);
  field("layout", layout, "whose names and shapes it has; null: recognised by the names")
      .words({"format", "naming"})
      .is(Role::kResult);
  field("skip", skip, "patterns of the model's names that are left at their new values")
      .words({"exclude", "ignore"})
      .is(Role::kResult);
  field("freeze", freeze, "patterns of the model's names that are not trained")
      .words({"frozen"})
      .is(Role::kResult);
  field("prefix", prefix,
        "what stands before the names, others being left out; null: module., _orig_mod. and model. "
        "are found")
      .words({"strip_prefix"})
      .is(Role::kResult);
}

Field& weights_field(Fields& fields, WeightsOptions& weights) {
  return fields
      .add("weights", "the weights to start from: a file, or {file, layout, skip, freeze, ...}",
           std::make_unique<WeightsValue>(weights))
      .is(Role::kPlace);
}

}  // namespace vitrine
