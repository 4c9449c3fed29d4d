#include "framework/registry/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/config/load.h"
#include "framework/error.h"

namespace vitrine {
namespace {

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

// Components whose options are being told: one that holds others of its kind would have no end.
thread_local std::vector<const Component*> described;

bool is_described(const Component* component) {
  return std::find(described.begin(), described.end(), component) != described.end();
}

}  // namespace

Registry& Registry::instance() {
  static Registry registry;
  return registry;
}

void Registry::add(Component component) noexcept {
  try {
    component.library = library_;
    if (const Component* first = find(component.kind, component.name)) {
      problems_.push_back(fmt::format("the {} \"{}\" is registered twice: {} and {}",
                                      component.kind, component.name, first->origin(),
                                      component.origin()));
      return;
    }
    components_.push_back(std::make_shared<const Component>(std::move(component)));
  } catch (...) {
    // Out of memory before main: nothing can be kept, and lookups will say that the component is
    // unknown.
  }
}

const Component* Registry::find(const std::string& kind, const std::string& name) const {
  for (const auto& component : components_) {
    if (component->kind == kind && component->name == name) return component.get();
  }
  return nullptr;
}

std::vector<std::string> Registry::names(const std::string& kind) const {
  std::vector<std::string> out;
  for (const auto& component : components_) {
    if (component->kind == kind) out.push_back(component->name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Registry::kinds() const {
  std::set<std::string> out;
  for (const auto& component : components_) out.insert(component->kind);
  return {out.begin(), out.end()};
}

std::string Registry::plugin_hint() const {
  std::set<std::string> files;
  for (const auto& component : components_) {
    const std::string& library = component->library;
    if (!library.empty()) files.insert(escape(library.substr(library.rfind('/') + 1)));
  }
  if (files.empty()) return "no plug-in is loaded; plugins: [FILE] or --plugin FILE adds some";
  return fmt::format("plug-ins that are loaded: {}", fmt::join(files, ", "));
}

namespace {

thread_local HearsMade* hears_made = nullptr;

}  // namespace

HearsMade::HearsMade(Listener listener) : listener_(std::move(listener)), before_(hears_made) {
  hears_made = this;
}
HearsMade::~HearsMade() { hears_made = before_; }

void HearsMade::tell(const std::string& path, const std::string& type,
                     const std::shared_ptr<Stateful>& made) {
  if (hears_made) hears_made->listener_(path, type, made);
}

void require_sound_registry() {
  const auto& problems = Registry::instance().problems();
  if (!problems.empty())
    throw Error(ExitCode::kUsage, fmt::format("{}", fmt::join(problems, "\n")));
}

namespace {

// What components below have said of a copy holds for the original as well.
void copy_flags(const Node& from, const Node& to) {
  for (const Node& child : from.children) {
    const Node* same = to.is_mapping() ? to.find(child.key) : nullptr;
    if (!same) continue;
    same->holds_under_default_type |= child.holds_under_default_type;
    copy_flags(child, *same);
  }
}

}  // namespace

namespace {

// Components whose defaults are being read: one that is its own default would have no end.
thread_local std::vector<const Component*> with_defaults;

class ReadingDefaults {
 public:
  ReadingDefaults(const Component& component, const std::string& path) {
    const bool is_within =
        std::find(with_defaults.begin(), with_defaults.end(), &component) != with_defaults.end();
    if (is_within) {
      fail(component, "options",
           fmt::format("{} is by default what it is an option of, without end; std::optional makes "
                       "it one that is absent by default",
                       path));
    }
    with_defaults.push_back(&component);
  }
  ~ReadingDefaults() { with_defaults.pop_back(); }
  ReadingDefaults(const ReadingDefaults&) = delete;
  ReadingDefaults& operator=(const ReadingDefaults&) = delete;
};

}  // namespace

void ChoiceBase::read(const Node& node, const std::string& path, Problems& problems) {
  const Problems::KeyScope scope(problems, [&](KnownKeys& keys) { list_known(path, &node, keys); });
  node_ = node;
  path_ = path;
  component_ = nullptr;
  is_checked_ = false;
  type_.clear();
  if (node.kind == Node::Kind::kScalar) {
    node_ = Node::mapping();
    node_.key = node.key;
    node_.key_location = node.key_location;
    node_.location = node.location;
    Node type = node;
    type.key = "type";
    node_.children.push_back(std::move(type));
  } else if (node.kind != Node::Kind::kMapping) {
    problems.add(node.location, fmt::format("{}: expected a component, got {}", path, node.shown()),
                 fmt::format("one of {}, or {{type: ..., its options}}",
                             listed(Registry::instance().names(kind_))));
    return;
  }
  read_type(node_, path, problems);
  node.holds_under_default_type = type_ == default_type_;
  if (node.is_mapping()) copy_flags(node_, node);
}

void ChoiceBase::read_default(const std::string& path, Problems& problems) {
  path_ = path;
  node_ = Node::mapping();
  read_type(node_, path, problems);
}

void ChoiceBase::read_type(const Node& node, const std::string& path, Problems& problems) {
  const auto names = Registry::instance().names(kind_);
  const Node* type = node.find("type");
  if (type && type->kind != Node::Kind::kScalar) {
    problems.add(
        type->location,
        fmt::format("{}.type: expected the name of a component, got {}", path, type->shown()),
        "one of " + listed(names));
    return;
  }
  type_ = type ? type->scalar : default_type_;
  component_ = Registry::instance().find(kind_, type_);
  if (!component_) {
    const std::string near = nearest_names(type_, names);
    const std::string what = type ? fmt::format("{}: unknown {} \"{}\"", path, kind_, escape(type_))
                                  : fmt::format("{}: needs a type", path);
    problems.add(
        type ? type->location : node.location, what,
        fmt::format("{}there are {}{}", near.empty() ? "" : "did you mean " + near + "? ",
                    listed(names),
                    near.empty() && type ? "; " + Registry::instance().plugin_hint() : ""));
    return;
  }
  const Component& component = *component_;
  options_ = make_options(component);
  Fields fields = fields_of(component, options_.get());
  if (type_ == default_type_) {
    for (const Node& child : node.under_default_type) {
      Node* over = node_.find(child.key);
      Node merged = over ? merge(child, std::move(*over)) : child;
      merged.key = child.key;
      (over ? *over : node_.children.emplace_back()) = std::move(merged);
    }
  }
  const size_t before = problems.size();
  {
    // Only what is not written is endless.
    std::optional<ReadingDefaults> reading;
    if (node_.children.size() <= (type ? 1 : 0)) reading.emplace(component, path);
    read_fields(fields, node_, path, problems, {"type"});
  }
  note_dropped(fields, problems);
  is_sound_ = problems.size() == before;
  if (!component.check_alone || !is_sound_) return;
  Check check(node_, path_, problems);
  in_component(&component, "check", [&] { component.check_alone(options_.get(), check); });
  is_sound_ = problems.size() == before;
  problems.note_broken_rules(problems.size() - before);
}

namespace {

// Options that were written for another type of the component and did not go over to the new one.
struct Dropped {
  std::string type;
  const Node* options;  // with `type` or without
};

std::vector<Dropped> dropped_options(const Node& node, const std::string& type,
                                     const std::string& default_type, Node& under_default) {
  std::vector<Dropped> out;
  const Node* last = &node;
  for (const Node* old = node.replaced.get(); old; old = old->replaced.get()) {
    const Node* old_type = old->find("type");
    out.push_back({old_type ? old_type->scalar : default_type, old});
    last = old;
  }
  const std::string last_type = out.empty() ? type : out.back().type;
  if (!last->under_default_type.empty() && last_type != default_type) {
    under_default = Node::mapping();
    under_default.children = last->under_default_type;
    out.push_back({default_type, &under_default});
  }
  return out;
}

// The value as a component writes it; as it stands where that has no such option or refuses it.
std::string canonical(const std::string& kind, const std::string& type, const Node& value,
                      bool& is_default) {
  is_default = false;
  const Component* component = Registry::instance().find(kind, type);
  if (!component) return to_flow_yaml(value);
  const auto options = make_options(*component);
  Fields fields = fields_of(*component, options.get());
  for (const Field& field : fields.list()) {
    if (field.name != value.key) continue;
    const std::string usual = to_flow_yaml(field.value->write());
    Problems refused;
    field.value->read(value, "", refused);
    if (!refused.empty()) break;
    is_default = to_flow_yaml(field.value->write()) == usual;
    return to_flow_yaml(field.value->write());
  }
  return to_flow_yaml(value);
}

}  // namespace

// A constant that somebody believes in must not give way to a default unseen.
void ChoiceBase::note_dropped(const Fields& fields, Problems& problems) const {
  Node under_default;
  std::set<std::string> seen = {"type"};
  for (const Dropped& dropped : dropped_options(node_, type_, default_type_, under_default)) {
    for (const Node& option : dropped.options->children) {
      if (!seen.insert(option.key).second || node_.find(option.key)) continue;
      const auto same = [&](const Field& field) { return field.name == option.key; };
      const auto field = std::find_if(fields.list().begin(), fields.list().end(), same);
      bool is_default = false;
      const std::string was = canonical(kind_, dropped.type, option, is_default);
      std::string now = fmt::format("{} has no {}", type_, option.key);
      if (field != fields.list().end()) {
        const std::string own = to_flow_yaml(field->value->write());
        bool ignored = false;
        if (own == was || own == canonical(kind_, type_, option, ignored)) continue;
        now = fmt::format("{} takes its own {} {}", type_, option.key, own);
      } else if (is_default) {
        continue;
      }
      problems.note(
          escape(fmt::format("{}: {}; {}'s {} {} ({}) is not carried over", path_, now,
                             dropped.type, option.key, was, option.location.line_text())));
    }
  }
}

Node ChoiceBase::write() const {
  Node out = Node::mapping();
  out.set("type", Node::string(type_));
  if (!component_) return out;
  const Fields fields = fields_of(*component_, options_.get());
  for (const Field& field : fields.list()) out.set(field.name, field.value->write());
  return out;
}

void ChoiceBase::below(const FieldValue::BelowVisit& visit) const {
  if (!component_) return;
  const auto untouched = make_options(*component_);
  const Fields fields = fields_of(*component_, options_.get());
  const Fields defaults = fields_of(*component_, untouched.get());
  visit(fields, defaults);
}

nlohmann::ordered_json ChoiceBase::schema() const {
  using Json = nlohmann::ordered_json;
  const auto names = Registry::instance().names(kind_);
  Json any = Json::array({{{"enum", names}}});
  for (const std::string& name : names) {
    const Component* component = Registry::instance().find(kind_, name);
    if (is_described(component)) {
      any.push_back({{"type", "object"},
                     {"properties", {{"type", {{"const", name}}}}},
                     {"required", Json::array({"type"})}});
      continue;
    }
    described.push_back(component);
    const auto options = make_options(*component);
    const Fields fields = fields_of(*component, options.get());
    Json one = schema_of_fields(fields);
    described.pop_back();
    one["description"] = component->description;
    one["properties"]["type"] = {{"const", name}};
    any.push_back(std::move(one));
  }
  return {{"anyOf", any}};
}

void ChoiceBase::list_known(const std::string& path, const Node* written, KnownKeys& out) const {
  const Registry& registry = Registry::instance();
  const Node* type = written && written->is_mapping() ? written->find("type") : written;
  const bool is_given = type && type->kind == Node::Kind::kScalar;
  const std::string& chosen = is_given ? type->scalar : default_type_;
  const bool is_known = registry.find(kind_, chosen) != nullptr;
  out.add({.path = join_path(path, "type"), .words = {"name", "kind", "class"}, .kind = kind_});
  auto names = registry.names(kind_);
  // Its options first: they are called those of others only where it lacks them.
  std::stable_partition(names.begin(), names.end(), [&](auto& name) { return name == chosen; });
  for (const std::string& name : names) {
    const Component* component = registry.find(kind_, name);
    if (is_described(component)) continue;
    described.push_back(component);
    std::optional<KnownKeys::OwnerScope> other;
    if (name != chosen && names.size() > 1)
      other.emplace(out, KnownKey::Owner{kind_, {name}, is_known ? chosen : ""});
    const auto options = make_options(*component);
    const Fields fields = fields_of(*component, options.get());
    vitrine::list_known(fields, path, name == chosen ? written : nullptr, out);
    described.pop_back();
  }
}

void ChoiceBase::check_in(const void* context, Problems& problems) const {
  is_checked_ = true;
  if (!component_ || !component_->check || !is_sound_) return;
  Check check(node_, path_, problems);
  in_component(component_, "check", [&] { component_->check(options_.get(), context, check); });
}

std::shared_ptr<void> ChoiceBase::create_in(const void* context, const void* check_context) const {
  if (!component_) throw Error(ExitCode::kInternal, path_ + ": built before its config was read");
  if (!is_checked_ && check_context) {
    Problems problems;
    check_in(check_context, problems);
    if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text("config"));
  }
  const Component* component = component_;
  std::shared_ptr<void> made = in_component(
      component, "constructor", [&] { return component->create(options_.get(), context); });
  void* const base = made.get();
  // Its end is told as all else that it does.
  return {base, [component, made = std::move(made)](void*) mutable {
            in_component(component, "destructor", [&] { made.reset(); });
          }};
}

}  // namespace vitrine
