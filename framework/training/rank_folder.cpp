#include "framework/training/rank_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "framework/model/tensors.h"
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

ExitCode agreed_stop(Observer& observer) {
  return static_cast<ExitCode>(ranks().largest(static_cast<int64_t>(observer.stop_requested())));
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

namespace {

void refuse_differing(const Json& own) {
  if (ranks().is_alone()) return;
  const std::vector<std::string> all = ranks().texts(own.dump());
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
                              "same program, processors, config and data",
                              rank_name(ranks(), i), key, rank_name(ranks(), 0),
                              told_value(other, key), told_value(first, key)));
    }
  }
}

// The text of most ranks, of equals that of the first one, and the first other.
std::pair<size_t, size_t> common_and_odd(const std::vector<std::string>& texts) {
  const auto times = [&](const std::string& text) {
    return std::count(texts.begin(), texts.end(), text);
  };
  const auto common = std::max_element(
      texts.begin(), texts.end(),
      [&](const std::string& a, const std::string& b) { return times(a) < times(b); });
  const auto odd = std::find_if(texts.begin(), texts.end(),
                                [&](const std::string& text) { return text != *common; });
  return {common - texts.begin(), odd - texts.begin()};
}

}  // namespace

void check_alike(const ResolvedConfig& config) { refuse_differing(likeness(config)); }

void check_alike(const Data& data) {
  refuse_differing({{"data set", data.fingerprint},
                    {"contents of the data set", data.contents},
                    {"test images", data.test_fingerprint}});
}

void check_alike(const Modules& modules) {
  if (ranks().is_alone()) return;
  Sha256 digest;
  for (const auto& [name, tensor] : state_of(modules)) digest.update(to_owned(name, tensor).bytes);
  refuse_differing({{"digest of the weights", digest.hex()}});
}

void check_alike(const std::vector<OwnedTensor>& tensors, int64_t step) {
  Json own = Json::object();
  for (const OwnedTensor& tensor : tensors) {
    // On GPUs each rank draws for its own images.
    if (tensor.name != "rng/cuda") own[tensor.name] = sha256_hex(tensor.bytes);
  }
  const std::string text = own.dump();
  const auto digest =
      static_cast<int64_t>(std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16));
  std::array<int64_t, 2> both = {digest, ~digest};  // the largest, and of ~ that of the smallest
  ranks().largest(both.data(), both.size());
  if (both[0] == ~both[1]) return;
  const std::vector<std::string> all = ranks().texts(text);
  const auto [other, odd] = common_and_odd(all);
  const Json first = Json::parse(all[other]), differing = Json::parse(all[odd]);
  std::string name = "the number of tensors";
  for (const auto& [key, value] : first.items()) {
    if (differing.contains(key) && differing[key] == value) continue;
    name = key;
    break;
  }
  throw Error(ExitCode::kFailed,
              fmt::format("{} has another {} than {} at step {}: a component computes something "
                          "else in each process, as where it goes by a clock, by numbers of its "
                          "own or by a file",
                          rank_name(ranks(), odd), escape(name), rank_name(ranks(), other), step));
}

}  // namespace vitrine
