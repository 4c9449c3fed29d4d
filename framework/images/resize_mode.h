#pragma once

#include <string>
#include <vector>

namespace vitrine {

// How an image becomes one of another shape.
enum class ResizeMode {
  kStretch,  // each axis by itself
  kCrop,     // filled, and what is beyond cut off on both sides
  kPad       // whole, with the background on both sides
};
inline constexpr ResizeMode kResizeModes[] = {ResizeMode::kStretch, ResizeMode::kCrop,
                                              ResizeMode::kPad};
std::string to_string(ResizeMode mode);   // as configs and the command line name it: "crop"
std::vector<std::string> resize_words();  // of all modes
// Throws Error(kUsage) for a word that is none of them.
ResizeMode resize_mode(const std::string& word);

}  // namespace vitrine
