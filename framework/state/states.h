#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/state/state.h"

namespace vitrine {

// Something that keeps a state, by its name in files: "optimizer", "model.blocks.0.mlp".
struct Keeper {
  std::string name;
  std::string type;  // of a component; a state of another type is not taken
  Stateful* it = nullptr;
  std::shared_ptr<Stateful> owner = nullptr;  // where nobody else keeps it alive
};

// What several keep, as files hold it.
struct States {
  static constexpr const char* kPrefix = "state/";  // "state/<keeper>/<path>" is such a tensor

  nlohmann::json values = nlohmann::json::object();  // by the keepers' names
  std::map<std::string, Tensor> tensors;
};

// What a component lists and what was kept of it, where these differ, by its name.
using UnmatchedStates = std::map<std::string, Unmatched>;

States states_of(const std::vector<Keeper>& keepers);
// The reverse; `device` as of State::restore. Throws Error(kCheckpoint): "it holds no state of
// optimizer: count: expected ...".
UnmatchedStates restore_states(const std::vector<Keeper>& keepers, const States& states,
                               at::Device device);

// Those of `tensors` that are of states, which stay there no longer.
std::map<std::string, Tensor> take_states(std::map<std::string, Tensor>& tensors);

}  // namespace vitrine
