#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"

namespace vitrine {

// How a component's options look and how it is made. Options are passed as the struct that
// make_options made.
struct ComponentFunctions {
  std::shared_ptr<void> (*make_options)() = nullptr;
  void (*visit)(void* options, Fields&) = nullptr;
  void (*check)(const void* options, const void* context, Check&) = nullptr;
  std::shared_ptr<void> (*create)(const void* options, const void* context) =
      nullptr;  // points to the kind's base class
};

// One registered component.
struct Component : ComponentFunctions {
  std::string kind, name, description;
  std::string origin;  // "models/mlp/gelu.cpp:31", with the library's path for plug-ins
};

// The components of this process. There is one registry, in the shared core, whichever library
// registers.
class Registry {
 public:
  static Registry& instance();

  // Never throws: it runs before main. What is wrong (a duplicate) is kept in problems().
  void add(Component component) noexcept;
  const Component* find(const std::string& kind, const std::string& name) const;
  std::vector<std::string> names(const std::string& kind) const;  // sorted
  std::vector<std::string> kinds() const;                         // sorted
  const std::vector<std::string>& problems() const { return problems_; }
  size_t size() const { return components_.size(); }
  // The library whose constructors run now; origins name it.
  void set_library(const std::string& path) { library_ = path; }

 private:
  std::vector<std::shared_ptr<const Component>> components_;
  std::vector<std::string> problems_;
  std::string library_;
};

// An option that is itself a component: its type and that component's own options.
class ChoiceBase {
 public:
  ChoiceBase(std::string kind, std::string default_type)
      : kind_(std::move(kind)), default_type_(std::move(default_type)), type_(default_type_) {}

  const std::string& kind() const { return kind_; }
  const std::string& type() const { return type_; }
  bool valid() const { return component_ != nullptr; }
  const Node& node() const { return node_; }  // what the user wrote
  const std::string& path() const { return path_; }
  template <class Options>
  const Options& options() const {
    return *static_cast<const Options*>(options_.get());
  }

  void read(const Node& node, const std::string& path, Problems& problems);
  void read_default(const std::string& path, Problems& problems);
  Node write() const;
  nlohmann::ordered_json schema() const;
  // The options of the chosen component, and those of one that nobody changed.
  void below(const FieldValue::BelowVisit& visit) const;
  // The options of every component of the kind; see FieldValue::list_known.
  void list_known(const std::string& path, const Node* written, KnownKeys& out) const;

 protected:
  void check_in(const void* context, Problems& problems) const;
  std::shared_ptr<void> create_in(const void* context) const;

 private:
  void read_type(const Node& node, const std::string& path, Problems& problems);
  void note_dropped(const Fields& fields, Problems& problems) const;

  std::string kind_, default_type_, type_, path_;
  Node node_;
  const Component* component_ = nullptr;
  std::shared_ptr<void> options_;
};

// Base names its kind (`static constexpr const char* kKind = "mlp"`) and what its components stand
// in (`using Context`); specialised where Base is to be chosen without being defined.
template <class Base>
struct KindOf {
  static constexpr const char* kKind = Base::kKind;
  using Context = typename Base::Context;
};

template <class Base>
class Choice : public ChoiceBase {
 public:
  using Context = typename KindOf<Base>::Context;

  explicit Choice(std::string default_type = "")
      : ChoiceBase(KindOf<Base>::kKind, std::move(default_type)) {}

  void check(const Context& context, Problems& problems) const { check_in(&context, problems); }
  std::shared_ptr<Base> create(const Context& context) const {
    auto made = std::static_pointer_cast<Base>(create_in(&context));
    // What can tell others what it is learns its name.
    if constexpr (requires { made->set_type(type()); }) made->set_type(type());
    return made;
  }
};

// Throws Error(kUsage) listing what went wrong while components registered; called before they are
// used.
void require_sound_registry();

}  // namespace vitrine
