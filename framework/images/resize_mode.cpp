#include "framework/images/resize_mode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/error.h"

namespace vitrine {

std::string to_string(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::kStretch:
      return "stretch";
    case ResizeMode::kCrop:
      return "crop";
    case ResizeMode::kPad:
      return "pad";
  }
  return "";
}

std::vector<std::string> resize_words() {
  std::vector<std::string> out;
  for (const ResizeMode mode : kResizeModes) out.push_back(to_string(mode));
  return out;
}

ResizeMode resize_mode(const std::string& word) {
  for (const ResizeMode mode : kResizeModes) {
    if (to_string(mode) == word) return mode;
  }
  throw Error(ExitCode::kUsage, fmt::format("there is no way \"{}\" to resize: there are {}",
                                            escape(word), fmt::join(resize_words(), ", ")));
}

}  // namespace vitrine
