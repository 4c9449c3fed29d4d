#pragma once

#include <string_view>
#include <type_traits>

#include "framework/registry/abi.h"
#include "framework/registry/registry.h"

namespace vitrine {

// "models/mlp/gelu.cpp" -> "gelu"
constexpr std::string_view file_stem(std::string_view file) {
  file.remove_prefix(file.find_last_of('/') + 1);
  return file.substr(0, file.find('.'));
}

// False where memory is out; registering never throws, as it runs before main.
bool register_component(const char* kind, std::string_view description, std::string_view file,
                        int line, const ComponentFunctions& functions) noexcept;

// A component without options.
struct NoOptions {
  using SharedOptions = NoOptions;
  void visit(Fields&) {}
};

// Whether a class stands in an unnamed namespace, as compilers name it. Two files may each have one
// of the same name; outside, the linker would take one for both, in silence.
template <class T>
constexpr bool is_in_unnamed_namespace() {
  constexpr std::string_view name = __PRETTY_FUNCTION__;
  return name.find("(anonymous namespace)") != name.npos || name.find("{anonymous}") != name.npos;
}

// Whether options are those of one component alone, or a header's, which several share: what a kind
// asks for, and what says so itself (`using SharedOptions = ScheduleOptions;`).
template <class Base, class Options>
constexpr bool are_own_or_shared() {
  if constexpr (requires { typename Base::RequiredOptions; })
    if (std::is_same_v<Options, typename Base::RequiredOptions>) return true;
  if constexpr (requires { typename Options::SharedOptions; })
    if (std::is_same_v<Options, typename Options::SharedOptions>) return true;
  return is_in_unnamed_namespace<Options>();
}

// Whether a class has a member `check`, whatever its signature: beside another one of that name it
// is ambiguous.
template <class Options>
class HasCheck {
  struct Other {
    int check;
  };
  struct Both : Options, Other {};
  template <class T>
  static std::false_type test(decltype(&T::check)*);
  template <class T>
  static std::true_type test(...);

 public:
  static constexpr bool value = decltype(test<Both>(nullptr))::value;
};

template <class Options>
concept ChecksAlone = requires(const Options& options, Check& check) {
  { options.check(check) } -> std::same_as<void>;
};
template <class Options, class Context>
concept ChecksWith = requires(const Options& options, const Context& context, Check& check) {
  { options.check(context, check) } -> std::same_as<void>;
};

template <class Base, class Options>
constexpr void require_sound_options() {
  using CheckContext = typename KindOf<Base>::CheckContext;
  constexpr bool with_context = ChecksWith<Options, CheckContext>;
  static_assert(
      !HasCheck<Options>::value || ChecksAlone<Options> || with_context,
      "a check is `void check(Check&) const`, or `void check(const CheckContext&, Check&) "
      "const` with the CheckContext of the kind (its Context, where it names none)");
  // Who reads what all options of a kind have takes it on trust.
  if constexpr (requires { typename Base::RequiredOptions; }) {
    using Required = typename Base::RequiredOptions;
    static_assert(std::is_base_of_v<Required, Options>,
                  "the options of a component of this kind must derive from its RequiredOptions");
    static_assert(!ChecksWith<Required, CheckContext> || with_context,
                  "this check hides that of the options of all components of the kind: call it, or "
                  "say `using RequiredOptions::check;`");
    static_assert(!ChecksAlone<Required> || ChecksAlone<Options>,
                  "this check hides that of the options of all components of the kind: call it, or "
                  "say `using RequiredOptions::check;`");
  }
}

template <class Base, class Impl, class Options>
bool register_component(std::string_view description, std::string_view file, int line) noexcept {
  using Context = typename KindOf<Base>::Context;
  using CheckContext = typename KindOf<Base>::CheckContext;
  require_sound_options<Base, Options>();
  static_assert(is_in_unnamed_namespace<Impl>(),
                "the class of a component must stand in an unnamed namespace (namespace { ... }): "
                "another file may have one of its name, and the linker would take one for both");
  static_assert(
      are_own_or_shared<Base, Options>(),
      "the options of a component must stand in an unnamed namespace (namespace { ... }): another "
      "file may have some of their name, and the linker would take one for both; those of a header "
      "that several components share say using SharedOptions = (their name)");
  ComponentFunctions functions;
  functions.make_options = []() -> std::shared_ptr<void> { return std::make_shared<Options>(); };
  functions.visit = [](void* options, Fields& fields) {
    static_cast<Options*>(options)->visit(fields);
  };
  if constexpr (ChecksAlone<Options>) {
    functions.check_alone = [](const void* options, Check& check) {
      static_cast<const Options*>(options)->check(check);
    };
  }
  if constexpr (ChecksWith<Options, CheckContext>) {
    functions.check = [](const void* options, const void* context, Check& check) {
      static_cast<const Options*>(options)->check(*static_cast<const CheckContext*>(context),
                                                  check);
    };
  }
  functions.create = [](const void* options, const void* context) -> std::shared_ptr<void> {
    std::shared_ptr<Base> made = std::make_shared<Impl>(*static_cast<const Options*>(options),
                                                        *static_cast<const Context*>(context));
    return made;
  };
  return register_component(KindOf<Base>::kKind, description, file, line, functions);
}

}  // namespace vitrine

// The last statement of a component's file: its name is the file's stem, its kind the base class's.
// `Impl` is made from (const Options&, const Base::Context&); Options lists its fields in
// visit(Fields&) and may have rules between them: check(Check&) const, or, where they depend on
// what the component stands in, check(const CheckContext&, Check&) const, or both.
#define VITRINE_REGISTER(Base, Impl, Options, description) \
  [[maybe_unused]] const bool registered =                 \
      ::vitrine::register_component<Base, Impl, Options>(description, __FILE__, __LINE__);
