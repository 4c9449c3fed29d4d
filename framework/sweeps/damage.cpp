#include "framework/sweeps/damage.h"

#include <algorithm>

#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// Whether all keys are there; values may have been changed by whoever took the trial further.
bool has_keys_of(const Node& given, const Node& planned) {
  if (!planned.is_mapping()) return true;
  return given.is_mapping() &&
         std::all_of(planned.children.begin(), planned.children.end(), [&](const Node& child) {
           const Node* same = given.find(child.key);
           return same && (!same->is_mapping() || has_keys_of(*same, child));
         });
}

bool is_sound_config(const fs::path& file, const Node& planned) {
  try {
    return has_keys_of(read_yaml(file), planned);
  } catch (const Error& error) {
    if (error.system_code() != 0) throw;
    return false;
  }
}

// Whether a run can go on from one of its checkpoints, if it has any. What cannot be read at the
// moment is not damaged.
bool is_usable(const RunDirectory& run) {
  try {
    load_latest(run.checkpoints());
    return true;
  } catch (const Error& error) {
    if (error.system_code() != 0) throw;
    return false;
  }
}

}  // namespace

Damage damage_of(const fs::path& folder, const Node& planned, TrialStatus status,
                 bool retry_failed) {
  if (!vitrine::exists(folder)) return {folder, "is gone"};
  if (!is_folder(folder)) return {folder, "is no folder"};
  const fs::path config = folder / "config.yaml";
  if (!vitrine::exists(config)) return {config, "has no config.yaml"};
  if (status == TrialStatus::kFinished) return {};
  if (!is_sound_config(config, planned)) return {config, "has a damaged config.yaml"};
  const RunDirectory run = RunDirectory::open(folder);
  if (vitrine::exists(run.metrics())) {
    try {
      const Metrics metrics = Metrics::read_alone(run.metrics());
      if (!metrics.last_checkpoint.empty() && checkpoint_steps(run.checkpoints()).empty())
        return {folder, "has lost its checkpoints"};
    } catch (const Error& error) {
      if (error.system_code() != 0) throw;
      return {run.metrics().path(), "has a damaged metrics.json",
              "it goes on from its checkpoints"};
    }
  }
  if (retry_failed && status == TrialStatus::kFailed && !is_usable(run))
    return {folder, "has no checkpoint that can be gone on from"};
  return {};
}

}  // namespace vitrine
