#include "framework/runs/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <map>
#include <system_error>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sealed.h"
#include "framework/files/temporary_file.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

constexpr uint64_t kMaxCheckpointBytes = uint64_t{1} << 40;
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::string_view kFormat = "vitrine checkpoint 4";
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
  // A folder's name may be no UTF-8; metrics.json shows its odd bytes in the same way.
  const std::string state =
      checkpoint.state.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return write_sealed_safetensors(views, {{"format", std::string(kFormat)}, {"state", state}});
}

Checkpoint parse_checkpoint(std::string bytes) {
  verify_seal(bytes);
  const Safetensors file = Safetensors::parse(std::move(bytes), "tensors");
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  const auto state = metadata.find("state");
  if (format == metadata.end() || format->second != kFormat || state == metadata.end()) {
    throw Error(ExitCode::kData,
                fmt::format("its metadata has no state of the format \"{}\"; other versions of "
                            "this program write others",
                            kFormat));
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

Place checkpoint_file(const Folder& folder, int64_t step) {
  return folder / checkpoint_file("", step).string();
}

std::vector<int64_t> checkpoint_steps(const Place& place) {
  std::vector<int64_t> steps;
  try {
    const auto folder = Folder::find(place);
    if (!folder) return {};
    for (const std::string& name : folder->names()) {
      const auto step = step_of_checkpoint(name);
      if (step && name.ends_with(kSuffix)) steps.push_back(*step);
    }
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what(), error.system_code());
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void save_checkpoint(const Place& place, const Checkpoint& checkpoint, int64_t step) {
  const Folder folder = Folder::make(place);
  write_file_atomically(checkpoint_file(folder, step), file_bytes(checkpoint));
}

void prune_checkpoints(const Place& place, int64_t keep, std::optional<int64_t> best) {
  const std::vector<int64_t> steps = checkpoint_steps(place);
  const int64_t kept = std::max<int64_t>(keep, 1);
  remove_temporaries(place);
  const Folder folder = Folder::open(place);
  for (int64_t i = 0; i < static_cast<int64_t>(steps.size()) - kept; ++i) {
    if (steps[i] != best) remove_file(checkpoint_file(folder, steps[i]));
  }
}

Checkpoint load_checkpoint(const Place& file) {
  std::string bytes;
  try {
    bytes = read_file(file, kMaxCheckpointBytes);
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what(), error.system_code());
  }
  try {
    return parse_checkpoint(std::move(bytes));
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("the checkpoint {} is unusable: {}", file.shown(), error.what()));
  }
}

std::optional<Loaded> load_latest(
    const Place& place, const std::function<void(const Checkpoint&, const fs::path&)>& use) {
  std::vector<int64_t> steps = checkpoint_steps(place);
  if (steps.empty()) return std::nullopt;
  const Folder folder = Folder::open(place);
  std::vector<std::string> damage;
  for (; !steps.empty(); steps.pop_back()) {
    const Place file = checkpoint_file(folder, steps.back());
    try {
      Checkpoint checkpoint = load_checkpoint(file);
      if (use) use(checkpoint, file.path());
      return Loaded{std::move(checkpoint), file.path(), damage};
    } catch (const Error& error) {
      // What is not there any more is lost; what could not be read may be intact.
      if (error.system_code() != 0 && error.system_code() != ENOENT) throw;
      damage.emplace_back(error.what());
    }
  }
  throw Error(ExitCode::kCheckpoint, fmt::format("no checkpoint in {} is usable:\n  {}",
                                                 place.shown(), fmt::join(damage, "\n  ")));
}

}  // namespace vitrine
