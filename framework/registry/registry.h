#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"
#include "framework/error.h"

namespace vitrine {

// How a component's options look and how it is made. Options are passed as the struct that
// make_options made.
struct ComponentFunctions {
  std::shared_ptr<void> (*make_options)() = nullptr;
  void (*visit)(void* options, Fields&) = nullptr;
  void (*check_alone)(const void* options, Check&) = nullptr;
  void (*check)(const void* options, const void* context, Check&) = nullptr;
  std::shared_ptr<void> (*create)(const void* options, const void* context) =
      nullptr;  // points to the kind's base class
};

// One registered component.
struct Component : ComponentFunctions {
  std::string kind, name, description;
  std::string place;    // "models/mlp/gelu.cpp:31"
  std::string library;  // of a plug-in; else empty

  std::string origin() const { return library.empty() ? place : place + " in " + library; }
};

// What is thrown to be caught further out, and is no failure of the component that it passes.
struct NoFailure {};

// Called where an exception is caught that a component let go, in `phase` ("constructor",
// "forward"): throws it again as an Error that names the component, `mlp "mine" (mine.cpp:31),
// forward: ...`, with kPlugin for one of a plug-in. Errors for the user, NoFailure and lack of
// memory stay as they are.
[[noreturn]] void rethrow_from(const Component& component, const char* phase);
// What a component that breaks ends the process with: one of our own is a fault of the program.
ExitCode code_of_failure(const Component& component);
// An error of the same form.
[[noreturn]] void fail(const Component& component, const char* phase, const std::string& message);

// Notes, as long as it lives, what a component does in this thread, so that its crash can be told
// (crash.h).
class Running {
 public:
  Running(const Component& component, const char* phase);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // What began last in this thread and has not ended, or nullptr. The place is a thread's own.
  static const Running*& innermost();
  const Component& component() const { return component_; }
  const char* phase() const { return phase_; }

 private:
  const Component& component_;
  const char* phase_;
  const Running* outer_;
};

template <class Act>
decltype(auto) in_component(const Component* component, const char* phase, Act&& act) {
  if (!component) return act();
  try {
    const Running running(*component, phase);
    return act();
  } catch (...) {
    rethrow_from(*component, phase);
  }
}

// What a component tells of itself: `told(schedule, "depends_on_total",
// &Schedule::depends_on_total)`.
template <class Base, class Class, class Told>
Told told(const Base& component, const char* phase, Told (Class::*tell)() const) {
  return in_component(component.component(), phase, [&]() -> Told { return (component.*tell)(); });
}

// Its options as they are by default, and their fields.
std::shared_ptr<void> make_options(const Component& component);
Fields fields_of(const Component& component, void* options);

// A base of what components make: it knows as which it was registered, so that what goes wrong in
// it later can be told.
class Registered {
 public:
  // nullptr where the registry did not make it.
  const Component* component() const { return component_; }
  void set_component(const Component& component) { component_ = &component; }
  std::string type() const { return component_ ? component_->name : ""; }

 protected:
  ~Registered() = default;

  template <class Act>
  decltype(auto) in(const char* phase, Act&& act) const {
    return in_component(component_, phase, std::forward<Act>(act));
  }
  // Throws an error that names the component, where `is_kept` does not hold. `words` makes the
  // message, which nobody needs as long as all is well.
  template <class Words>
  void require(bool is_kept, const char* phase, const Words& words) const {
    if (!is_kept) breach(phase, words());
  }

 private:
  [[noreturn]] void breach(const char* phase, const std::string& message) const;

  const Component* component_ = nullptr;
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
  // Of every component, in the order in which they registered.
  const std::vector<std::shared_ptr<const Component>>& components() const { return components_; }
  // For messages about what is not there: which plug-ins are loaded, or how one is.
  std::string plugin_hint() const;
  // The library whose constructors run now; origins name it.
  void set_library(const std::string& path) { library_ = path; }

 private:
  std::vector<std::shared_ptr<const Component>> components_;
  std::vector<std::string> problems_;
  std::string library_;
};

class Stateful;

// Hears, until it goes, of each component that is made and may keep a state: where its config names
// it, and its type. Of several the last one hears.
class HearsMade {
 public:
  using Listener = std::function<void(const std::string& path, const std::string& type,
                                      const std::shared_ptr<Stateful>& made)>;

  explicit HearsMade(Listener listener);
  ~HearsMade();
  HearsMade(const HearsMade&) = delete;
  HearsMade& operator=(const HearsMade&) = delete;

  static void tell(const std::string& path, const std::string& type,
                   const std::shared_ptr<Stateful>& made);

 private:
  Listener listener_;
  HearsMade* before_;
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
  // `context`: that of checks.
  void check_in(const void* context, Problems& problems) const;
  // Checks what nobody has checked yet, where `check_context` is known.
  std::shared_ptr<void> create_in(const void* context, const void* check_context) const;
  const Component& component() const { return *component_; }

 private:
  void read_type(const Node& node, const std::string& path, Problems& problems);
  void note_dropped(const Fields& fields, Problems& problems) const;

  std::string kind_, default_type_, type_, path_;
  Node node_;
  const Component* component_ = nullptr;
  std::shared_ptr<void> options_;
  bool is_sound_ = true;  // by what its options say without anything around them
  mutable bool is_checked_ = false;
};

template <class Base>
struct CheckContextOf {
  using Type = typename Base::Context;
};
template <class Base>
requires requires { typename Base::CheckContext; }
struct CheckContextOf<Base> {
  using Type = typename Base::CheckContext;
};

// Base names its kind (`static constexpr const char* kKind = "mlp"`) and what its components are
// made for (`using Context`); where less is known as options are checked, that too (`using
// CheckContext`). Specialised where Base is to be chosen without being defined.
template <class Base>
struct KindOf {
  static constexpr const char* kKind = Base::kKind;
  using Context = typename Base::Context;
  using CheckContext = typename CheckContextOf<Base>::Type;
};

template <class Base>
class Choice : public ChoiceBase {
 public:
  using Context = typename KindOf<Base>::Context;
  using CheckContext = typename KindOf<Base>::CheckContext;

  explicit Choice(std::string default_type = "")
      : ChoiceBase(KindOf<Base>::kKind, std::move(default_type)) {}

  // Adds what is wrong with the options to `problems`. Whoever does not call it has them checked as
  // the component is made, where what it is made for tells all that its check asks for.
  void check(const CheckContext& context, Problems& problems) const {
    check_in(&context, problems);
  }
  std::shared_ptr<Base> create(const Context& context) const {
    const CheckContext* known = nullptr;
    if constexpr (std::derived_from<Context, CheckContext>) known = &context;
    std::shared_ptr<Base> made;
    if constexpr (std::copy_constructible<Context>) {
      // One that keeps the address is to find nothing there, wherever the context came from.
      const auto lent = std::make_unique<Context>(context);
      made = std::static_pointer_cast<Base>(create_in(lent.get(), known));
    } else {
      made = std::static_pointer_cast<Base>(create_in(&context, known));
    }
    if constexpr (std::derived_from<Base, Registered>) made->set_component(component());
    if constexpr (std::is_convertible_v<Base*, Stateful*>) HearsMade::tell(path(), type(), made);
    return made;
  }
};

// Throws Error(kUsage) listing what went wrong while components registered; called before they are
// used.
void require_sound_registry();

}  // namespace vitrine
