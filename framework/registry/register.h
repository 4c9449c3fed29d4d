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

template <class Base, class Impl, class Options>
bool register_component(std::string_view description, std::string_view file, int line) noexcept {
  // Who reads what all options of a kind have takes it on trust.
  if constexpr (requires { typename Base::RequiredOptions; }) {
    static_assert(std::is_base_of_v<typename Base::RequiredOptions, Options>,
                  "the options of a component of this kind must derive from its RequiredOptions");
  }
  ComponentFunctions functions;
  functions.make_options = []() -> std::shared_ptr<void> { return std::make_shared<Options>(); };
  functions.visit = [](void* options, Fields& fields) {
    static_cast<Options*>(options)->visit(fields);
  };
  using Context = typename Base::Context;
  if constexpr (requires(const Options& o, const Context& c, Check& check) { o.check(c, check); }) {
    functions.check = [](const void* options, const void* context, Check& check) {
      static_cast<const Options*>(options)->check(*static_cast<const Context*>(context), check);
    };
  }
  functions.create = [](const void* options, const void* context) -> std::shared_ptr<void> {
    std::shared_ptr<Base> made = std::make_shared<Impl>(*static_cast<const Options*>(options),
                                                        *static_cast<const Context*>(context));
    return made;
  };
  return register_component(Base::kKind, description, file, line, functions);
}

// A component without options.
struct NoOptions {
  void visit(Fields&) {}
};

}  // namespace vitrine

// The last statement of a component's file: its name is the file's stem, its kind the base class's.
// `Impl` is made from (const Options&, const Base::Context&); Options lists its fields in
// visit(Fields&) and may have check(context, Check&) const for rules between them.
#define VITRINE_REGISTER(Base, Impl, Options, description) \
  [[maybe_unused]] const bool registered =                 \
      ::vitrine::register_component<Base, Impl, Options>(description, __FILE__, __LINE__);
