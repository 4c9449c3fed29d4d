#pragma once

#include <filesystem>
#include <string>

#include "framework/config/node.h"
#include "framework/sweeps/trial.h"

namespace vitrine {

// What of a trial's folder cannot be gone on with.
struct Damage {
  std::filesystem::path part;  // the folder or a file in it; perhaps it is not there
  std::string words;           // completes "the folder": "is gone"; empty: there is no damage
  std::string cure = "made again from plan.json";

  explicit operator bool() const { return !words.empty(); }
};

// `planned`: its config. Of a finished trial nothing is needed but that it has one; of one that has
// failed and is to be tried again it is checked that it can go on from a checkpoint, if it has any.
Damage damage_of(const std::filesystem::path& run, const Node& planned, TrialStatus status,
                 bool retry_failed);

}  // namespace vitrine
