#pragma once

#include <memory>
#include <string>

#include "framework/config/yaml.h"
#include "framework/registry/registry.h"
#include "tests/catch.h"

namespace vitrine {

// Catch2 v2 has two of the name, of which only this one is a number.
#if __has_include(<catch2/catch_all.hpp>)
using Catch::Approx;
#else
using Catch::Detail::Approx;
#endif

// The component that `yaml` ("adam", "{type: sgd, lr: 1}") spells.
template <class Base>
std::shared_ptr<Base> make(const std::string& yaml, const typename Base::Context& context) {
  Choice<Base> choice;
  Problems problems;
  choice.read(parse_yaml("it: " + yaml, "test.yaml").children[0], Base::kKind, problems);
  using Context = typename Choice<Base>::Context;
  if constexpr (std::derived_from<Context, typename Choice<Base>::CheckContext>)
    if (problems.empty()) choice.check(context, problems);
  INFO(problems.text("test.yaml"));
  REQUIRE(problems.empty());
  return choice.create(context);
}

// What is wrong with it, as the user sees it; empty where nothing is.
template <class Base>
std::string problems_of(const std::string& yaml,
                        const typename Choice<Base>::CheckContext& context) {
  Choice<Base> choice;
  Problems problems;
  choice.read(parse_yaml("it: " + yaml, "test.yaml").children[0], Base::kKind, problems);
  if (problems.empty()) choice.check(context, problems);
  return problems.empty() ? "" : problems.text("test.yaml");
}

// The same of what its options say without anything around them.
template <class Base>
std::string problems_of(const std::string& yaml) {
  Choice<Base> choice;
  Problems problems;
  choice.read(parse_yaml("it: " + yaml, "test.yaml").children[0], Base::kKind, problems);
  return problems.empty() ? "" : problems.text("test.yaml");
}

}  // namespace vitrine
