#include "framework/runs/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <system_error>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sha256.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

constexpr uint64_t kMaxCheckpointBytes = uint64_t{1} << 40;
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::string_view kFormat = "vitrine checkpoint 1";
const std::string kZeros(64, '0');

// Where the 64 digits stand in the file; npos when it has none. Inside any other string of the
// header the quotes would be escaped, so what is found is the key itself.
size_t digest_position(std::string_view file) {
  static constexpr std::string_view kKey = "\"sha256\":\"";
  if (file.size() < 8) return file.npos;
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(file[i]);
  const std::string_view header = file.substr(8, std::min<uint64_t>(length, file.size() - 8));
  const size_t key = header.find(kKey);
  if (key == header.npos || header.size() - key < kKey.size() + kZeros.size()) return file.npos;
  return 8 + key + kKey.size();
}

std::string digest_with_zeros(std::string_view file, size_t position) {
  Sha256 hash;
  hash.update(file.substr(0, position));
  hash.update(kZeros);
  hash.update(file.substr(position + kZeros.size()));
  return hash.hex();
}

// JSON has no NaN, so that a state with one would not come back as it was.
void check_finite(const nlohmann::json& value, const std::string& path) {
  if (value.is_structured()) {
    for (const auto& [key, member] : value.items()) check_finite(member, path + "." + key);
  } else if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw Error(ExitCode::kInternal, "a checkpoint cannot keep " + path + ": it is not finite");
  }
}

std::string file_bytes(const Checkpoint& checkpoint) {
  check_finite(checkpoint.state, "state");
  std::vector<TensorView> views;
  for (const OwnedTensor& tensor : checkpoint.tensors) {
    views.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes});
  }
  std::string file = write_safetensors(
      views,
      {{"format", std::string(kFormat)}, {"sha256", kZeros}, {"state", checkpoint.state.dump()}});
  const size_t position = digest_position(file);
  const std::string digest = digest_with_zeros(file, position);
  return file.replace(position, digest.size(), digest);
}

void verify_digest(std::string_view file) {
  const size_t position = digest_position(file);
  if (position == file.npos) {
    throw Error(ExitCode::kData, "its header holds no SHA-256, so it is no checkpoint or damaged");
  }
  if (file.substr(position, kZeros.size()) == digest_with_zeros(file, position)) return;
  throw Error(ExitCode::kData, fmt::format("the SHA-256 of its {} bytes is not the recorded one: "
                                           "it was cut, changed or damaged",
                                           file.size()));
}

Checkpoint parse_checkpoint(std::string bytes) {
  verify_digest(bytes);
  const Safetensors file = Safetensors::parse(std::move(bytes), "tensors");
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  const auto state = metadata.find("state");
  if (format == metadata.end() || format->second != kFormat || state == metadata.end()) {
    throw Error(ExitCode::kData,
                fmt::format("its metadata has no state of the format \"{}\"", kFormat));
  }
  Checkpoint checkpoint;
  checkpoint.state = parse_json(state->second, "state");
  for (const TensorView& view : file.tensors()) {
    checkpoint.tensors.push_back({view.name, view.dtype, view.shape, std::string(view.bytes)});
  }
  return checkpoint;
}

}  // namespace

std::string checkpoint_name(int64_t step) { return fmt::format("{}{:08}", kPrefix, step); }

fs::path checkpoint_file(const fs::path& folder, int64_t step) {
  return folder / (checkpoint_name(step) + std::string(kSuffix));
}

std::optional<int64_t> step_of_checkpoint(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int64_t step = -1;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  const fs::path file = checkpoint_file("", std::max<int64_t>(step, 0));
  return step >= 0 && (name == file || name == file.stem()) ? std::optional(step) : std::nullopt;
}

std::vector<int64_t> checkpoint_steps(const fs::path& folder) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    const auto step = step_of_checkpoint(name);
    if (step && name.ends_with(kSuffix)) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void save_checkpoint(const fs::path& folder, const Checkpoint& checkpoint, int64_t step) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot create {}: {}", escape(folder.string()), error.message()));
  }
  write_file_atomically(checkpoint_file(folder, step), file_bytes(checkpoint));
}

void prune_checkpoints(const fs::path& folder, int64_t keep, std::optional<int64_t> best) {
  const std::vector<int64_t> steps = checkpoint_steps(folder);
  const int64_t kept = std::max<int64_t>(keep, 1);
  remove_temporaries(folder);
  for (int64_t i = 0; i < static_cast<int64_t>(steps.size()) - kept; ++i) {
    if (steps[i] == best) continue;
    const fs::path file = checkpoint_file(folder, steps[i]);
    std::error_code error;
    fs::remove(file, error);
    if (error) {
      throw Error(ExitCode::kFailed, fmt::format("cannot remove the old checkpoint {}: {}",
                                                 escape(file.string()), error.message()));
    }
  }
}

Checkpoint load_checkpoint(const fs::path& file) {
  std::string bytes;
  try {
    bytes = read_file(file, kMaxCheckpointBytes);
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what());
  }
  try {
    return parse_checkpoint(std::move(bytes));
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, fmt::format("the checkpoint {} is unusable: {}",
                                                   escape(file.string()), error.what()));
  }
}

std::optional<Loaded> load_latest(
    const fs::path& folder, const std::function<void(const Checkpoint&, const fs::path&)>& use) {
  std::vector<int64_t> steps = checkpoint_steps(folder);
  std::vector<std::string> damage;
  while (!steps.empty()) {
    const fs::path file = checkpoint_file(folder, steps.back());
    steps.pop_back();
    try {
      Checkpoint checkpoint = load_checkpoint(file);
      if (use) use(checkpoint, file);
      return Loaded{std::move(checkpoint), file, damage};
    } catch (const Error& error) {
      damage.push_back(error.what());
    }
  }
  if (damage.empty()) return std::nullopt;
  throw Error(ExitCode::kCheckpoint,
              fmt::format("no checkpoint in {} is usable:\n  {}", escape(folder.string()),
                          fmt::join(damage, "\n  ")));
}

}  // namespace vitrine
