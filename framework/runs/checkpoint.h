#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/files/place.h"
#include "framework/files/safetensors.h"

namespace vitrine {

struct OwnedTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string bytes;  // row-major, little-endian
};

// All that a run needs to go on. One safetensors file: `state` as JSON in its metadata, together
// with the SHA-256 of the whole file, computed with these 64 digits as zeros.
struct Checkpoint {
  std::vector<OwnedTensor> tensors;
  nlohmann::json state = nlohmann::json::object();
};

std::string checkpoint_name(int64_t step);  // "step-00002345"
// <folder>/step-00002345.safetensors
std::filesystem::path checkpoint_file(const std::filesystem::path& folder, int64_t step);
Place checkpoint_file(const Folder& folder, int64_t step);

// The step in such a file's name, with or without its ending; none in any other name.
std::optional<int64_t> step_of_checkpoint(const std::string& name);

// Steps of the checkpoint files in `folder`, rising; empty when there is no such folder. Throws
// Error(kCheckpoint) where it cannot be read.
std::vector<int64_t> checkpoint_steps(const Place& folder);

// Makes the folder if needed and commits the file by one rename: a crash or a full disk leaves the
// checkpoints before it as they were. Throws Error(kFailed).
void save_checkpoint(const Place& folder, const Checkpoint& checkpoint, int64_t step);

// Removes all but the newest `keep` (at least one) and the one of step `best`, and what a save that
// was killed left. Throws Error(kFailed).
void prune_checkpoints(const Place& folder, int64_t keep, std::optional<int64_t> best);

// Verifies everything. Throws Error(kCheckpoint), which names the file and what is wrong with it;
// with a system_code() where it could not be read.
Checkpoint load_checkpoint(const Place& file);

struct Loaded {
  Checkpoint checkpoint;
  std::filesystem::path file;
  std::vector<std::string> warnings;  // one for each newer file that is unusable
};

// The newest checkpoint that is intact and that `use` takes; it throws an Error for one that it
// cannot go on from. None when there is no file at all. Throws Error(kCheckpoint), which lists
// every file and what is wrong with it, when there are files but none is usable, and for one that
// could not be read: it may be intact.
std::optional<Loaded> load_latest(
    const Place& folder,
    const std::function<void(const Checkpoint&, const std::filesystem::path& file)>& use = {});

}  // namespace vitrine
