#include "framework/training/rank_folder.h"

#include <fmt/format.h>

#include <limits>

#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/ranks/ranks.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/backend.h"
#include "framework/training/config.h"
#include "framework/training/run_metrics.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// What must be alike for the weights of all ranks to stay so.
Json likeness(const ResolvedConfig& config) {
  Json out = exactness_of(*config.config);
  // libtorch's libraries choose what they do by it; the kernel goes by the instruction set alone.
  if (config.config->backend == kFused) out.erase("cpu");
  for (const Key& key : config.keys) {
    if (key.role != Role::kResult && key.role != Role::kReplicate) continue;
    const Node* value = value_at(config.resolved, key);
    out[key.path + (key.is_type ? ".type" : "")] = value ? value->json() : Json();
  }
  return out;
}

std::string told_value(const Json& of, const std::string& key) {
  return of.contains(key) ? escape(of.at(key).dump()) : "not set";
}

}  // namespace

void share_file(const Place& place) {
  std::string bytes;
  if (ranks().is_first()) bytes = read_file(place, kNoLimit);
  bytes = ranks().from_first(std::move(bytes));
  if (!ranks().is_first()) write_file_atomically(place, bytes);
}

void share_run(const ResumedFrom& from) {
  // The others do not know yet which checkpoints there are.
  Json names = Json::array();
  if (ranks().is_first()) {
    for (const char* name : {"config.yaml", "metrics.json", "metrics.jsonl"}) {
      if (exists(from.run / name)) names.push_back(name);
    }
    for (const auto& step : {from.step, from.best}) {
      if (!step) continue;
      const std::string name = "checkpoints/" + checkpoint_name(*step) + ".safetensors";
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  names = Json::parse(ranks().from_first(names.dump()));
  if (!ranks().is_first()) std::filesystem::create_directories(from.run / "checkpoints");
  for (const Json& name : names) share_file(from.run / name.get<std::string>());
}

void check_alike(const ResolvedConfig& config) {
  if (ranks().is_alone()) return;
  const std::vector<std::string> all = ranks().texts(likeness(config).dump());
  const Json first = Json::parse(all[0]);
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i] == all[0]) continue;
    const Json other = Json::parse(all[i]);
    Json keys = first;
    keys.update(other);
    for (const auto& [key, value] : keys.items()) {
      if (first.contains(key) && other.contains(key) && first[key] == other[key]) continue;
      throw Error(ExitCode::kUsage,
                  fmt::format("{} has another {} than {}: {} and {}; ranks of one run need the "
                              "same program, processors and config",
                              rank_name(ranks(), i), key, rank_name(ranks(), 0),
                              told_value(other, key), told_value(first, key)));
    }
  }
}

}  // namespace vitrine
