#include "framework/state/states.h"

#include <fmt/format.h>

#include "framework/error.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

std::string full_name(const Keeper& keeper, const std::string& path) {
  return States::kPrefix + keeper.name + "/" + path;
}

Kept kept_of(const Keeper& keeper, const Json& known, const States& states) {
  Kept out;
  const bool is_its = known.is_object() && known.value("type", Json()) == keeper.type;
  if (!is_its) return out;
  out.values = known.value("keeps", Json());
  const std::string prefix = full_name(keeper, "");
  for (auto it = states.tensors.lower_bound(prefix);
       it != states.tensors.end() && it->first.starts_with(prefix); ++it)
    out.tensors[it->first.substr(prefix.size())] = it->second;
  return out;
}

std::vector<std::string> names_in(const Json& values) {
  std::vector<std::string> out;
  for (const auto& [name, value] : values.items()) out.push_back(name);
  return out;
}

}  // namespace

States states_of(const std::vector<Keeper>& keepers) {
  States out;
  for (const Keeper& keeper : keepers) {
    Kept kept = State::of(*keeper.it);
    if (kept.empty()) continue;
    out.values[keeper.name] = {{"type", keeper.type}, {"keeps", std::move(kept.values)}};
    for (const auto& [path, tensor] : kept.tensors) out.tensors[full_name(keeper, path)] = tensor;
  }
  return out;
}

UnmatchedStates restore_states(const std::vector<Keeper>& keepers, const States& states,
                               at::Device device) {
  UnmatchedStates out;
  Json left = states.values.is_object() ? states.values : Json::object();
  for (const Keeper& keeper : keepers) {
    const Json known = left.value(keeper.name, Json());
    left.erase(keeper.name);
    try {
      Unmatched unmatched = State::restore(*keeper.it, kept_of(keeper, known, states), device);
      if (!unmatched.missing.empty() || !unmatched.unknown.empty())
        out[keeper.name] = std::move(unmatched);
    } catch (const Error& error) {
      throw Error(ExitCode::kCheckpoint,
                  fmt::format("it holds no state of {}: {}", keeper.name, error.what()));
    }
  }
  for (const auto& [name, state] : left.items()) {
    const Json keeps = state.is_object() ? state.value("keeps", Json()) : Json();
    out[name] = {{}, names_in(keeps.is_object() ? keeps : Json::object())};
  }
  return out;
}

std::map<std::string, Tensor> take_states(std::map<std::string, Tensor>& tensors) {
  std::map<std::string, Tensor> out;
  std::erase_if(tensors, [&](const auto& item) {
    const bool is_state = item.first.starts_with(States::kPrefix);
    if (is_state) out.insert(item);
    return is_state;
  });
  return out;
}

}  // namespace vitrine
