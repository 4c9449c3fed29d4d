#include "framework/config/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/config/hints.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

bool Rule::takes(double value) const {
  if (minimum && (above_minimum ? !(value > *minimum) : !(value >= *minimum))) return false;
  if (maximum && (below_maximum ? !(value < *maximum) : !(value <= *maximum))) return false;
  return true;
}

Rule at_least(double minimum) {
  return {fmt::format("at least {}", minimum), minimum, {}, false, false, {}};
}
Rule above(double minimum) {
  return {fmt::format("above {}", minimum), minimum, {}, true, false, {}};
}
Rule between(double minimum, double maximum) {
  return {fmt::format("from {} to {}", minimum, maximum), minimum, maximum, false, false, {}};
}
Rule from_below(double minimum, double maximum) {
  return {fmt::format("from {} to below {}", minimum, maximum), minimum, maximum, false, true, {}};
}
Rule one_of(std::vector<std::string> names) {
  return {fmt::format("{}", fmt::join(names, ", ")), {}, {}, false, false, std::move(names)};
}

std::string join_path(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

bool is_off(const Node& node) {
  return node.kind == Node::Kind::kNull ||
         (node.kind == Node::Kind::kScalar && !node.quoted && parse_bool(node.scalar) == false);
}

Json or_off(Json schema) {
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}, {{"const", false}}})}};
}

Json or_null(Json schema) {
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}})}};
}

std::string list_hint(const Node& node, const std::string& usual) {
  const bool has_numbers =
      node.is_mapping() && !node.children.empty() && parse_integer(node.children[0].key);
  return has_numbers ? "numbers change items of a list that a base sets" : usual;
}

namespace {

// Reading and writing of the four scalar types. `parse` leaves ranges to the rule; `hint` says what
// was probably meant.
template <class T>
struct ScalarType;

template <>
struct ScalarType<bool> {
  static constexpr const char* kName = "boolean";
  static constexpr const char* kExpected = "true or false";
  static std::optional<bool> parse(const Node& node) {
    return node.quoted ? std::nullopt : parse_bool(node.scalar);
  }
  static std::string hint(const Node& node) {
    if (node.quoted && parse_bool(node.scalar)) return "write it without quotes";
    if (node.scalar == "yes" || node.scalar == "on") return "write true";
    return node.scalar == "no" || node.scalar == "off" ? "write false" : "";
  }
  static Node write(bool value) { return Node::plain(value ? "true" : "false"); }
};

std::string number_hint(const Node& node) {
  if (node.quoted) return parse_number(node.scalar) ? "write it without quotes" : "";
  const size_t zeros = std::min(node.scalar.find_first_not_of('0'), node.scalar.size());
  return zeros > 0 && parse_number(node.scalar.substr(zeros)) ? "write it without the leading 0"
                                                              : "";
}

template <>
struct ScalarType<int64_t> {
  static constexpr const char* kName = "integer";
  static constexpr const char* kExpected = "a whole number";
  static std::optional<int64_t> parse(const Node& node) {
    return node.quoted ? std::nullopt : parse_integer(node.scalar);
  }
  static std::string hint(const Node& node) {
    const auto value = node.quoted ? std::nullopt : parse_number(node.scalar);
    if (!value || parse_integer(node.scalar) || !(std::abs(*value) > 0x1p53))
      return number_hint(node);
    return std::abs(*value) < 0x1p63 ? "a number as large as this is written with all its digits"
                                     : "at most 9223372036854775807, which is what 64 bits hold";
  }
  static Node write(int64_t value) { return Node::plain(std::to_string(value)); }
};

// Whether 32 bits hold the number: tensors are refused larger ones, and make smaller ones 0.
bool is_computable(double value) {
  using Limits = std::numeric_limits<float>;
  const double size = std::abs(value);
  return size == 0 || (size >= Limits::min() && size <= Limits::max());
}

template <>
struct ScalarType<double> {
  static constexpr const char* kName = "number";
  static constexpr const char* kExpected = "a number";
  static std::optional<double> parse(const Node& node) {
    const auto value = node.quoted ? std::nullopt : parse_number(node.scalar);
    return value && is_computable(*value) ? value : std::nullopt;
  }
  static std::string hint(const Node& node) {
    const auto value = node.quoted ? std::nullopt : parse_number(node.scalar);
    if (!value || !std::isfinite(*value) || is_computable(*value)) return number_hint(node);
    return "from 1.2e-38 to 3.4e+38 in size, or 0: what is computed with has 32 bits";
  }
  static Node write(double value) { return Node::plain(number_text(value)); }
};

template <>
struct ScalarType<std::string> {
  static constexpr const char* kName = "string";
  static constexpr const char* kExpected = "a text";
  static std::optional<std::string> parse(const Node& node) { return node.scalar; }
  static std::string hint(const Node& node) {
    return node.kind == Node::Kind::kNull ? "an empty text is written \"\"" : "";
  }
  static Node write(const std::string& value) { return Node::string(value); }
};

std::string expectation(const char* expected, const Rule& rule) {
  if (!rule.names.empty()) return "one of " + rule.words;
  return rule.words.empty() ? std::string(expected) : fmt::format("{} {}", expected, rule.words);
}

template <class T>
std::optional<T> parse_scalar(const Node& node, const std::string& path, const Rule& rule,
                              const char* list_words, Problems& problems) {
  const auto wrong = [&] {
    const std::string allowed = expectation(ScalarType<T>::kExpected, rule);
    const std::string near = rule.names.empty() ? "" : nearest_names(node.scalar, rule.names);
    const bool beyond = rule.maximum && !node.quoted && parse_number(node.scalar);
    const bool hinted = near.empty() && rule.names.empty() && !beyond;  // `allowed` tells the limit
    std::string hint = hinted ? ScalarType<T>::hint(node) : "";
    if (*list_words == ',') hint = list_hint(node, hint);
    if (node.appends) hint = "+ appends to a list, which this key does not take";
    problems.add(node.location,
                 fmt::format("{}: expected {}{}, got {}", path, allowed, list_words, node.shown()),
                 near.empty() ? hint : "did you mean " + near + "?");
    return std::nullopt;
  };
  if (node.kind != Node::Kind::kScalar) return wrong();
  std::optional<T> value = ScalarType<T>::parse(node);
  if (!value) return wrong();
  if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, double>) {
    if (!rule.takes(static_cast<double>(*value))) return wrong();
  }
  if constexpr (std::is_same_v<T, std::string>) {
    if (!rule.names.empty() &&
        std::find(rule.names.begin(), rule.names.end(), *value) == rule.names.end()) {
      return wrong();
    }
  }
  return value;
}

Json schema_of_scalar(const char* type, const Rule& rule) {
  Json out = {{"type", type}};
  if (rule.minimum) out[rule.above_minimum ? "exclusiveMinimum" : "minimum"] = *rule.minimum;
  if (rule.maximum) out[rule.below_maximum ? "exclusiveMaximum" : "maximum"] = *rule.maximum;
  if (!rule.names.empty()) out["enum"] = rule.names;
  return out;
}

std::string type_of_scalar(const char* type, const Rule& rule) {
  if (!rule.names.empty()) return rule.words;
  return rule.words.empty() ? type : fmt::format("{} {}", type, rule.words);
}

template <class T>
class ScalarValue : public FieldValue {
 public:
  ScalarValue(T& value, Rule rule) : value_(value), rule_(std::move(rule)) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    if (auto value = parse_scalar<T>(node, path, rule_, "", problems)) value_ = *value;
  }
  Node write() const override { return ScalarType<T>::write(value_); }
  std::string type() const override { return type_of_scalar(ScalarType<T>::kName, rule_); }
  Json schema() const override { return schema_of_scalar(ScalarType<T>::kName, rule_); }

 private:
  T& value_;
  Rule rule_;
};

template <class T>
class OptionalValue : public FieldValue {
 public:
  OptionalValue(std::optional<T>& value, Rule rule) : value_(value), rule_(std::move(rule)) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    if (node.kind == Node::Kind::kNull) {
      value_.reset();
    } else if (auto value = parse_scalar<T>(node, path, rule_, " or null", problems)) {
      value_ = *value;
    }
  }
  Node write() const override { return value_ ? ScalarType<T>::write(*value_) : Node::null(); }
  std::string type() const override {
    return type_of_scalar(ScalarType<T>::kName, rule_) + ", or null";
  }
  Json schema() const override { return or_null(schema_of_scalar(ScalarType<T>::kName, rule_)); }

 private:
  std::optional<T>& value_;
  Rule rule_;
};

template <class T>
class ScalarList : public FieldValue {
 public:
  ScalarList(std::vector<T>& values, Rule rule) : values_(values), rule_(std::move(rule)) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    if (node.kind != Node::Kind::kSequence) {
      if (auto value = parse_scalar<T>(node, path, rule_, ", or a list of them", problems))
        values_ = {*value};
      return;
    }
    std::vector<T> values = node.appends ? values_ : std::vector<T>();
    const size_t whole = values.size() + node.children.size();
    for (const Node& child : node.children) {
      const std::string item = join_path(path, std::to_string(values.size()));
      if (auto value = parse_scalar<T>(child, item, rule_, "", problems)) values.push_back(*value);
    }
    if (values.size() == whole) values_ = std::move(values);
  }
  Node write() const override {
    Node out = Node::sequence({});
    for (const T& value : values_) out.children.push_back(ScalarType<T>::write(value));
    return out;
  }
  std::string type() const override {
    return "list of " + type_of_scalar(ScalarType<T>::kName, rule_);
  }
  Json schema() const override {
    const Json item = schema_of_scalar(ScalarType<T>::kName, rule_);
    return {{"anyOf", Json::array({item, {{"type", "array"}, {"items", item}}})}};
  }

 private:
  std::vector<T>& values_;
  Rule rule_;
};

}  // namespace

Field& Fields::add(const char* name, const char* help, std::unique_ptr<FieldValue> value) {
  return fields_.emplace_back(Field{.name = name, .help = help, .value = std::move(value)});
}

Field& Fields::operator()(const char* name, bool& value, const char* help) {
  return add(name, help, std::make_unique<ScalarValue<bool>>(value, Rule{}));
}
Field& Fields::operator()(const char* name, int64_t& value, const char* help, Rule rule) {
  return add(name, help, std::make_unique<ScalarValue<int64_t>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, double& value, const char* help, Rule rule) {
  return add(name, help, std::make_unique<ScalarValue<double>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::string& value, const char* help, Rule rule) {
  return add(name, help, std::make_unique<ScalarValue<std::string>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::optional<bool>& value, const char* help) {
  return add(name, help, std::make_unique<OptionalValue<bool>>(value, Rule{}));
}
Field& Fields::operator()(const char* name, std::optional<int64_t>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<OptionalValue<int64_t>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::optional<double>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<OptionalValue<double>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::optional<std::string>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<OptionalValue<std::string>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::vector<int64_t>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<ScalarList<int64_t>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::vector<double>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<ScalarList<double>>(value, std::move(rule)));
}
Field& Fields::operator()(const char* name, std::vector<std::string>& value, const char* help,
                          Rule rule) {
  return add(name, help, std::make_unique<ScalarList<std::string>>(value, std::move(rule)));
}

std::vector<std::string> Fields::names() const {
  std::vector<std::string> out;
  for (const Field& field : fields_) out.push_back(field.name);
  return out;
}

namespace {

// As a path shows it: an empty key would not be seen.
std::string shown_key(const std::string& key) { return key.empty() ? "\"\"" : escape(key); }

// Beyond so many problems nobody reads on.
constexpr size_t kMostHints = 200;

std::string unknown_key_hint(const std::string& path, const Node& unknown,
                             const std::vector<std::string>& known, Problems& problems) {
  if (problems.size() > kMostHints) return "";
  KnownKeys keys = problems.known_keys();
  for (const std::string& name : known) {
    if (!keys.find(join_path(path, name))) keys.add({.path = join_path(path, name)});
  }
  const std::string& key = unknown.key;
  if (std::find(known.begin(), known.end(), key.substr(0, key.find('.'))) != known.end())
    return hint_for_dots(path, key, keys);
  const std::string meant = hint_for_unknown(path, unknown, keys);
  if (!meant.empty()) return escape(meant);
  return known.empty() ? "there are none" : fmt::format("the keys are {}", fmt::join(known, ", "));
}

// What somebody may have meant who wrote null, or nothing at all, for a key that cannot be so:
// `usual` is its default.
std::string hint_for_nothing(const Node& nothing, const std::string& path, const Node& usual) {
  const Node* type = usual.find("type");
  const Node& value = type ? *type : usual;
  if (value.kind == Node::Kind::kScalar && type && value.scalar.empty()) return "";  // it has none
  const bool is_group = value.is_mapping();
  const std::string its = is_group ? "its defaults" : "its default, " + to_flow_yaml(value);
  const bool is_list = value.kind == Node::Kind::kSequence && !value.children.empty();
  const std::string empty = is_list ? "; an empty list is written []" : "";
  if (nothing.location && nothing.location.source->name == "command line")
    return fmt::format("--unset {} takes it back to {}{}", escape(path), its, empty);
  return fmt::format("leave it out for {}; unset: [{}], at the top, takes back what a base says{}",
                     its, escape(path), empty);
}

}  // namespace

void read_fields(const Fields& fields, const Node& node, const std::string& path,
                 Problems& problems, const std::vector<std::string>& also_known) {
  if (node.kind != Node::Kind::kMapping) {
    problems.add(node.location,
                 fmt::format("{}: expected a mapping, got {}", path.empty() ? "the config" : path,
                             node.shown()),
                 fmt::format("its keys are {}", fmt::join(fields.names(), ", ")));
    return;
  }
  const Problems::KeyScope scope(problems, [&](KnownKeys& keys) {
    for (const std::string& name : also_known) keys.add({.path = join_path(path, name)});
    list_known(fields, path, &node, keys);
  });
  std::vector<std::string> known = also_known;
  for (const Field& field : fields.list()) known.push_back(field.name);
  for (const Node& child : node.children) {
    if (std::find(known.begin(), known.end(), child.key) != known.end()) continue;
    problems.add(child.key_location,
                 fmt::format("{}: unknown key", join_path(escape(path), shown_key(child.key))),
                 unknown_key_hint(path, child, known, problems));
  }
  for (const Field& field : fields.list()) {
    const std::string field_path = join_path(path, field.name);
    if (const Node* child = node.find(field.name)) {
      const size_t before = problems.size();
      const bool is_nothing = child->kind == Node::Kind::kNull;
      const Node usual = is_nothing ? field.value->write() : Node();
      field.value->read(*child, field_path, problems);
      if (is_nothing && problems.size() > before) {
        std::string hint = hint_for_nothing(*child, field_path, usual);
        std::string& last = problems.last_hint();
        const bool is_text = usual.kind == Node::Kind::kScalar && usual.quoted;
        if (is_text && !last.empty()) hint = last + "; " + hint;  // how an empty one is written
        if (!hint.empty()) last = hint;
      }
    } else {
      field.value->read_default(field_path, problems);
    }
  }
}

Node write_fields(const Fields& fields) {
  Node out = Node::mapping();
  for (const Field& field : fields.list()) out.set(field.name, field.value->write());
  return out;
}

namespace {

const char* const kRoleNames[] = {"result",      "place", "execution",
                                  "bookkeeping", "label", "replicate"};

// Of a field that says what it means, but not whether that may change.
OnResume usual_on_resume(Role role) {
  return role == Role::kResult || role == Role::kReplicate ? OnResume::kNever : OnResume::kExactly;
}

// `above`: what fields take over that say nothing of their own.
void collect_keys(const Fields& fields, const Fields& defaults, const Key& above,
                  std::vector<Key>& out) {
  for (size_t i = 0; i < fields.list().size(); ++i) {
    const Field& field = fields.list()[i];
    Key key;
    key.path = join_path(above.path, field.name);
    key.role = field.role.value_or(above.role);
    key.on_resume =
        field.on_resume.value_or(field.role ? usual_on_resume(*field.role) : above.on_resume);
    key.on_test = field.on_test.value_or(above.on_test);
    const Node value = field.value->write(), usual = defaults.list()[i].value->write();
    key.is_type = value.find("type") != nullptr;
    key.is_default = key.is_type && usual.find("type")
                         ? value.find("type")->scalar == usual.find("type")->scalar
                         : to_flow_yaml(value) == to_flow_yaml(usual);
    if (key.is_type || !value.is_mapping()) out.push_back(key);
    if (key.on_resume == OnResume::kOptions) key.on_resume = OnResume::kMarked;
    field.value->below([&](const Fields& inner, const Fields& usual_inner) {
      collect_keys(inner, usual_inner, key, out);
    });
  }
}

void collect_places(const Fields& fields, const std::string& above, Role role,
                    std::vector<std::string>& out) {
  for (const Field& field : fields.list()) {
    const std::string path = join_path(above, field.name);
    const Role own = field.role.value_or(role);
    const Node value = field.value->write();
    const bool is_list = value.kind == Node::Kind::kSequence;
    if (own == Role::kPlace && value.kind == Node::Kind::kScalar) out.push_back(path);
    for (size_t i = 0; own == Role::kPlace && is_list && i < value.children.size(); ++i) {
      if (value.children[i].kind == Node::Kind::kScalar)
        out.push_back(join_path(path, std::to_string(i)));
    }
    field.value->below(
        [&](const Fields& inner, const Fields&) { collect_places(inner, path, own, out); });
    field.value->items([&](size_t index, const Fields& inner) {
      collect_places(inner, join_path(path, std::to_string(index)), own, out);
    });
  }
}

}  // namespace

std::vector<std::string> places_of(const Fields& fields, const std::set<std::string>& but) {
  std::vector<std::string> out;
  collect_places(fields, "", Role::kResult, out);
  std::erase_if(
      out, [&](const std::string& path) { return but.contains(path.substr(0, path.find('.'))); });
  return out;
}

std::string to_string(Role role) { return kRoleNames[static_cast<size_t>(role)]; }

std::vector<Key> keys_of(const Fields& fields, const Fields& defaults) {
  std::vector<Key> out;
  collect_keys(fields, defaults, Key(), out);
  return out;
}

void list_known(const Fields& fields, const std::string& path, const Node* written,
                KnownKeys& out) {
  for (const Field& field : fields.list()) {
    KnownKey key;
    key.path = join_path(path, field.name);
    key.words = field.also;
    key.is_group = field.value->type().starts_with("mapping");
    out.add(key);
    const Node* below = written && written->is_mapping() ? written->find(field.name) : nullptr;
    field.value->list_known(key.path, below, out);
  }
}

const Node* value_at(const Node& config, const Key& key) {
  const Node* value = config.at_path(key.path);
  return value && key.is_type ? value->find("type") : value;
}

Json schema_of_fields(const Fields& fields) {
  Json properties = Json::object();
  for (const Field& field : fields.list()) {
    Json schema = field.value->schema();
    schema["description"] = field.help;
    schema["default"] = field.value->write().json();
    properties[field.name] = std::move(schema);
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

}  // namespace vitrine
