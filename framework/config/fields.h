#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/config/known_keys.h"
#include "framework/config/node.h"
#include "framework/config/problems.h"

namespace vitrine {

// Which values a field takes, in words and as a test.
struct Rule {
  std::string words;  // completes "expected a number": "at least 1"
  std::optional<double> minimum, maximum;
  bool above_minimum = false;  // the minimum itself is excluded
  bool below_maximum = false;
  std::vector<std::string> names;  // the only texts that are taken, where not empty

  bool takes(double value) const;
};
Rule at_least(double minimum);
Rule above(double minimum);
Rule between(double minimum, double maximum);     // both included
Rule from_below(double minimum, double maximum);  // [minimum, maximum)
Rule one_of(std::vector<std::string> names);

class Fields;

// What the value of a field means for the results of a run. Whatever compares, groups, resumes,
// refuses or shows keys goes by it.
enum class Role {
  kResult,       // they are computed from it
  kPlace,        // where bytes lie; what counts is what they are
  kExecution,    // how they are computed, not what
  kBookkeeping,  // what is kept and told on the way
  kLabel,        // for people alone
  kReplicate,    // the experiment is repeated with other values of it
};
std::string to_string(Role role);  // "result", "place", ...

// Whether a result may change in a run under way.
enum class OnResume {
  kNever,
  kOptions,  // of a component: its options may, marked, its type may not
  kMarked,   // the run's results are then no longer exact
  kExactly,  // the run equals one that had the new value from the start
};

// Reads, writes and describes the value of one field.
class FieldValue {
 public:
  virtual ~FieldValue() = default;
  // Takes the value of `node`; what is wrong goes to `problems` with `path` ("optimizer.lr").
  virtual void read(const Node& node, const std::string& path, Problems& problems) = 0;
  // Completes a value where the config is silent (a component's own defaults).
  virtual void read_default(const std::string&, Problems&) {}
  virtual Node write() const = 0;
  virtual std::string type() const = 0;               // "integer", "mlp", "list of numbers"
  virtual nlohmann::ordered_json schema() const = 0;  // JSON Schema of the value
  // A group or component calls `visit` with the fields that it has now, and with those of one that
  // nobody changed.
  using BelowVisit = std::function<void(const Fields& fields, const Fields& defaults)>;
  virtual void below(const BelowVisit&) const {}
  // A list of groups or components calls `visit` with the number of each and the fields that it
  // has now.
  using ItemVisit = std::function<void(size_t index, const Fields& fields)>;
  virtual void items(const ItemVisit&) const {}
  // Adds the keys that may stand below the value, which is at `path`: also those of a group that is
  // off and of components that are not chosen. `written`: what the config has there, or nullptr.
  virtual void list_known(const std::string&, const Node*, KnownKeys&) const {}
};

struct Field {
  std::string name, help;
  std::unique_ptr<FieldValue> value;
  // The role; none is that of the field that it stands below, and at the top kResult and kNever.
  std::optional<Role> role = {};
  std::optional<OnResume> on_resume = {};
  std::optional<bool> on_test = {};
  std::vector<std::string> also = {};

  Field& is(Role value) { return role = value, *this; }
  Field& may_change(OnResume value) { return on_resume = value, *this; }
  // A test of the trained model depends on it.
  Field& tested() { return on_test = true, *this; }
  // What else people call the field: suggested where they do, never accepted.
  Field& words(std::initializer_list<const char*> names) {
    also.assign(names.begin(), names.end());
    return *this;
  }
};

template <class T>
concept FieldGroup = requires(T value, Fields& fields) {
  value.visit(fields);
};

// A type with a spelling of its own, such as Interval.
template <class T>
concept Custom = requires(T value, const T& constant, const Node& node, const std::string& path,
                          Problems& problems) {
  value.read(node, path, problems);
  { constant.write() } -> std::same_as<Node>;
  { T::type() } -> std::same_as<std::string>;
  { T::schema() } -> std::same_as<nlohmann::ordered_json>;
};

class ChoiceBase;
template <class T>
concept IsChoice = std::is_base_of_v<ChoiceBase, T>;

// The fields of an options struct, in order. A struct lists them once, in `void visit(Fields&
// field)`, by calling field("name", member, "what it means", rule); reading, checking, help, JSON
// Schema and writing all follow from that list. What else is known of a field is said behind it:
//   field("lr", lr, "learning rate", at_least(0)).words({"learning_rate"});
//   field("threads", threads, "threads on the CPU").is(Role::kExecution);
class Fields {
 public:
  Field& operator()(const char* name, bool& value, const char* help);
  Field& operator()(const char* name, int64_t& value, const char* help, Rule rule = {});
  Field& operator()(const char* name, double& value, const char* help, Rule rule = {});
  Field& operator()(const char* name, std::string& value, const char* help, Rule rule = {});
  // null in YAML is "none".
  Field& operator()(const char* name, std::optional<bool>& value, const char* help);
  Field& operator()(const char* name, std::optional<int64_t>& value, const char* help,
                    Rule rule = {});
  Field& operator()(const char* name, std::optional<double>& value, const char* help,
                    Rule rule = {});
  Field& operator()(const char* name, std::optional<std::string>& value, const char* help,
                    Rule rule = {});
  // A lone value is a list of one. The rule holds for each item.
  Field& operator()(const char* name, std::vector<int64_t>& value, const char* help,
                    Rule rule = {});
  Field& operator()(const char* name, std::vector<double>& value, const char* help, Rule rule = {});
  Field& operator()(const char* name, std::vector<std::string>& value, const char* help,
                    Rule rule = {});
  template <Custom T>
  Field& operator()(const char* name, T& value, const char* help);
  template <FieldGroup T>
  Field& operator()(const char* name, T& value, const char* help);
  // null or false in YAML is "off".
  template <FieldGroup T>
  Field& operator()(const char* name, std::optional<T>& value, const char* help);
  template <FieldGroup T>
  Field& operator()(const char* name, std::vector<T>& value, const char* help);
  template <IsChoice T>
  Field& operator()(const char* name, T& value, const char* help);
  template <IsChoice T>
  Field& operator()(const char* name, std::optional<T>& value, const char* help);
  template <IsChoice T>
  Field& operator()(const char* name, std::vector<T>& value, const char* help);

  // What is returned lives until the next field is listed.
  Field& add(const char* name, const char* help, std::unique_ptr<FieldValue> value);
  const std::vector<Field>& list() const { return fields_; }
  std::vector<std::string> names() const;

 private:
  std::vector<Field> fields_;
};

// Fills the fields from the mapping `node`. Each unknown key, wrong type and value out of range
// goes to `problems`; keys in `also_known` are left to the caller.
void read_fields(const Fields& fields, const Node& node, const std::string& path,
                 Problems& problems, const std::vector<std::string>& also_known = {});
Node write_fields(const Fields& fields);

// A key of a config that was read. A component's key stands for its type ("model.mlp").
struct Key {
  std::string path;
  Role role = Role::kResult;
  OnResume on_resume = OnResume::kNever;
  bool on_test = false;
  bool is_default = true;
  bool is_type = false;  // of a component
};
// All keys below `fields`, in order; lists are one key. `defaults`: of an equal struct that nobody
// changed.
std::vector<Key> keys_of(const Fields& fields, const Fields& defaults);
// The paths of all texts below `fields` that say where something lies, also within lists
// ("callbacks.0.file"). `but`: fields at the top that are left out.
std::vector<std::string> places_of(const Fields& fields, const std::set<std::string>& but = {});
// The value at a key of a config; of a component its type. None where there is no such key.
const Node* value_at(const Node& config, const Key& key);
nlohmann::ordered_json schema_of_fields(const Fields& fields);
// Adds the fields and all that may stand below them to `out`, as FieldValue::list_known does.
void list_known(const Fields& fields, const std::string& path, const Node* written, KnownKeys& out);
std::string join_path(const std::string& path, const std::string& key);

template <class T>
Fields fields_of(T& group) {
  Fields fields;
  group.visit(fields);
  return fields;
}

// --- implementation of the templates

template <Custom T>
class CustomValue : public FieldValue {
 public:
  explicit CustomValue(T& value) : value_(value) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    value_.read(node, path, problems);
  }
  Node write() const override { return value_.write(); }
  std::string type() const override { return T::type(); }
  nlohmann::ordered_json schema() const override { return T::schema(); }

 private:
  T& value_;
};

template <FieldGroup T>
class GroupValue : public FieldValue {
 public:
  explicit GroupValue(T& value) : value_(value) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    read_fields(fields_of(value_), node, path, problems);
  }
  void read_default(const std::string& path, Problems& problems) override {
    read_fields(fields_of(value_), Node::mapping(), path, problems);
  }
  Node write() const override { return write_fields(fields_of(value_)); }
  std::string type() const override { return "mapping"; }
  nlohmann::ordered_json schema() const override { return schema_of_fields(fields_of(value_)); }
  void below(const BelowVisit& visit) const override {
    T untouched;
    visit(fields_of(value_), fields_of(untouched));
  }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    vitrine::list_known(fields_of(value_), path, written, out);
  }

 private:
  T& value_;
};

bool is_off(const Node& node);  // null or false
nlohmann::ordered_json or_null(nlohmann::ordered_json schema);
nlohmann::ordered_json or_off(nlohmann::ordered_json schema);  // null or false

template <FieldGroup T>
class OptionalGroupValue : public FieldValue {
 public:
  explicit OptionalGroupValue(std::optional<T>& value) : value_(value) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    value_.reset();
    if (!is_off(node)) GroupValue<T>(value_.emplace()).read(node, path, problems);
  }
  Node write() const override {
    return value_ ? write_fields(fields_of(const_cast<T&>(*value_))) : Node::null();
  }
  std::string type() const override { return "mapping or null"; }
  void below(const BelowVisit& visit) const override {
    if (value_) GroupValue<T>(const_cast<T&>(*value_)).below(visit);
  }
  nlohmann::ordered_json schema() const override {
    T example;
    return or_off(schema_of_fields(fields_of(example)));
  }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    T example;
    GroupValue<T>(example).list_known(path, written, out);
  }

 private:
  std::optional<T>& value_;
};

// What to write in the place of `node`, which is no list.
std::string list_hint(const Node& node, const std::string& usual);

// A list of groups, custom values or components.
template <class T, template <class> class Item>
class ListValue : public FieldValue {
 public:
  explicit ListValue(std::vector<T>& values) : values_(values) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    if (node.kind != Node::Kind::kSequence) {
      problems.add(node.location, path + ": expected a list, got " + node.shown(),
                   list_hint(node, "write it as [first, second]"));
      return;
    }
    const size_t before = node.appends ? values_.size() : 0;
    values_.resize(before);
    values_.resize(before + node.children.size());
    for (size_t i = before; i < values_.size(); ++i) {
      Item<T>(values_[i])
          .read(node.children[i - before], join_path(path, std::to_string(i)), problems);
    }
  }
  Node write() const override {
    Node out = Node::sequence({});
    for (const T& value : values_) out.children.push_back(Item<T>(const_cast<T&>(value)).write());
    return out;
  }
  void items(const ItemVisit& visit) const override {
    for (size_t i = 0; i < values_.size(); ++i) {
      Item<T>(const_cast<T&>(values_[i])).below([&](const Fields& fields, const Fields&) {
        visit(i, fields);
      });
    }
  }
  std::string type() const override {
    T example;
    return "list of " + Item<T>(example).type();
  }
  nlohmann::ordered_json schema() const override {
    T example;
    return {{"type", "array"}, {"items", Item<T>(example).schema()}};
  }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    T example;
    const bool is_list = written && written->kind == Node::Kind::kSequence;
    for (size_t i = 0; is_list && i < written->children.size(); ++i) {
      Item<T>(example).list_known(join_path(path, std::to_string(i)), &written->children[i], out);
    }
    Item<T>(example).list_known(join_path(path, KnownKey::kNextItem), nullptr, out);
  }

 private:
  std::vector<T>& values_;
};

template <IsChoice T>
class ChoiceValue : public FieldValue {
 public:
  explicit ChoiceValue(T& value) : value_(value) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    value_.read(node, path, problems);
  }
  void read_default(const std::string& path, Problems& problems) override {
    value_.read_default(path, problems);
  }
  Node write() const override { return value_.write(); }
  std::string type() const override { return value_.kind(); }
  nlohmann::ordered_json schema() const override { return value_.schema(); }
  void below(const BelowVisit& visit) const override { value_.below(visit); }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    value_.list_known(path, written, out);
  }

 private:
  T& value_;
};

template <IsChoice T>
class OptionalChoiceValue : public FieldValue {
 public:
  explicit OptionalChoiceValue(std::optional<T>& value) : value_(value) {}
  void read(const Node& node, const std::string& path, Problems& problems) override {
    value_.reset();
    if (!is_off(node)) value_.emplace().read(node, path, problems);
  }
  Node write() const override { return value_ ? value_->write() : Node::null(); }
  std::string type() const override { return T().kind() + " or null"; }
  void below(const BelowVisit& visit) const override {
    if (value_) value_->below(visit);
  }
  nlohmann::ordered_json schema() const override { return or_off(T().schema()); }
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const override {
    T().list_known(path, written, out);
  }

 private:
  std::optional<T>& value_;
};

template <Custom T>
Field& Fields::operator()(const char* name, T& value, const char* help) {
  Field& field = add(name, help, std::make_unique<CustomValue<T>>(value));
  if constexpr (requires { T::kRole; }) field.is(T::kRole);
  return field;
}
template <FieldGroup T>
Field& Fields::operator()(const char* name, T& value, const char* help) {
  return add(name, help, std::make_unique<GroupValue<T>>(value));
}
template <FieldGroup T>
Field& Fields::operator()(const char* name, std::optional<T>& value, const char* help) {
  return add(name, help, std::make_unique<OptionalGroupValue<T>>(value));
}
template <FieldGroup T>
Field& Fields::operator()(const char* name, std::vector<T>& value, const char* help) {
  return add(name, help, std::make_unique<ListValue<T, GroupValue>>(value));
}
template <IsChoice T>
Field& Fields::operator()(const char* name, T& value, const char* help) {
  return add(name, help, std::make_unique<ChoiceValue<T>>(value));
}
template <IsChoice T>
Field& Fields::operator()(const char* name, std::optional<T>& value, const char* help) {
  return add(name, help, std::make_unique<OptionalChoiceValue<T>>(value));
}
template <IsChoice T>
Field& Fields::operator()(const char* name, std::vector<T>& value, const char* help) {
  return add(name, help, std::make_unique<ListValue<T, ChoiceValue>>(value));
}

}  // namespace vitrine
