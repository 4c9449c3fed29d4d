#pragma once

#include <map>
#include <string>

#include "framework/files/sha256.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "tests/catch.h"
#include "tests/framework/cli/support.h"

// What runs computed, to be compared bit for bit.
namespace vitrine {

// What differs between two runs of the same experiment: times, memory, where they lie and how
// they came to their end.
inline void drop_times(nlohmann::ordered_json& value) {
  if (value.is_object()) {
    for (const char* key : {"seconds", "images_per_second", "started", "finished", "run",
                            "peak_memory_bytes", "command", "changes"}) {
      value.erase(key);
    }
  }
  if (value.is_structured()) {
    for (nlohmann::ordered_json& child : value) drop_times(child);
  }
}

// All that a run computed, by name.
inline std::map<std::string, std::string> results_of(const std::filesystem::path& run) {
  std::map<std::string, std::string> out;
  const std::filesystem::path checkpoints = run / "checkpoints";
  const auto steps = checkpoint_steps(checkpoints);
  REQUIRE_FALSE(steps.empty());
  out["last step"] = std::to_string(steps.back());
  const Checkpoint last = load_checkpoint(checkpoint_file(checkpoints, steps.back()));
  for (const OwnedTensor& tensor : last.tensors) out[tensor.name] = sha256_hex(tensor.bytes);
  for (const char* file : {"model.safetensors", "test.json", "config.yaml"}) {
    out[file] = sha256_hex(bytes_of(run / file));
  }
  std::error_code none;  // of an experiment that predicts nothing
  for (const auto& entry : std::filesystem::directory_iterator(run / "worst", none))
    out[entry.path().filename()] = sha256_hex(bytes_of(entry.path()));
  nlohmann::ordered_json metrics = nlohmann::ordered_json::parse(bytes_of(run / "metrics.json"));
  drop_times(metrics);
  out["metrics.json"] = metrics.dump(1);
  for (nlohmann::ordered_json row : read_rows(run / "metrics.jsonl")) {
    drop_times(row);
    out["metrics.jsonl"] += row.dump() + "\n";
  }
  return out;
}

// Fails with the names of what differs.
inline void check_equal(const std::filesystem::path& run, const std::filesystem::path& expected) {
  const auto got = results_of(run), wanted = results_of(expected);
  CHECK(got.size() == wanted.size());
  for (const auto& [name, value] : wanted) {
    INFO(name);
    const auto found = got.find(name);
    CHECK((found == got.end() ? "(missing)" : found->second) == value);
  }
}

}  // namespace vitrine
