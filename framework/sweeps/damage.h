#pragma once

#include <filesystem>
#include <string>

#include "framework/config/node.h"

namespace vitrine {

// What of a trial's folder cannot be gone on with.
struct Damage {
  std::filesystem::path part;  // the folder or a file in it; perhaps it is not there
  std::string words;           // completes "the folder": "is gone"; empty: there is no damage
  std::string cure = "made again from plan.json";

  explicit operator bool() const { return !words.empty(); }
};

// `planned`: its config. `failed`: the trial has failed and is to be tried again; then it is checked
// that there is a checkpoint to go on from, if there are any.
Damage damage_of(const std::filesystem::path& run, const Node& planned, bool failed);

}  // namespace vitrine
