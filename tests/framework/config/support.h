#pragma once

#include <string>

#include "framework/config/fields.h"
#include "framework/config/load.h"
#include "framework/config/yaml.h"
#include "tests/framework/files/support.h"

namespace vitrine {

// What is wrong with `yaml` as the options `T`; empty where nothing is.
template <class T>
std::string problems_with(const std::string& yaml, T& options) {
  Problems problems;
  read_fields(fields_of(options), parse_yaml(yaml, "a.yaml"), "", problems);
  return problems.empty() ? "" : problems.text("a.yaml");
}

template <class T>
std::string problems_with(const std::string& yaml) {
  T options;
  return problems_with(yaml, options);
}

// What reading `yaml` is refused with.
inline std::string refusal(const std::string& yaml) {
  return message_of(ExitCode::kUsage, [&] { parse_yaml(yaml, "a.yaml"); });
}

}  // namespace vitrine
