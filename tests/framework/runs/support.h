#pragma once

#include <filesystem>
#include <string>

#include "framework/files/file.h"
#include "tests/framework/files/support.h"

namespace vitrine {

inline std::string text_of(const std::filesystem::path& file) { return read_file(file, 1 << 20); }

// "<exit code>: <message>" of the Error that `action` throws; empty when it throws none.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "";
}

}  // namespace vitrine
