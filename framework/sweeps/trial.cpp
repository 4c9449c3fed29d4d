#include "framework/sweeps/trial.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/lock.h"
#include "framework/runs/metrics.h"
#include "framework/runs/object_reader.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/disk_space.h"

namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr uint64_t kLastOutput = uint64_t{1} << 20;  // where an end is told
constexpr std::string_view kExit = "exit code ", kKilled = "killed by signal ", kError = "error: ";

void append(const fs::path& run, const std::string& line) {
  AppendFile(trial_output(run)).append(line + "\n");
}

// How the last process of a trial ended, where its output tells.
struct End {
  bool failed = false, killed = false, lacks_room = false;
  std::string error;
};

End read_end(const fs::path& run) {
  End out;
  const fs::path file = trial_output(run);
  if (!vitrine::exists(file)) return out;
  const uint64_t size = read_file_start(file, 0).size;
  std::string text = read_file_part(file, size - std::min(size, kLastOutput), kLastOutput);
  if (size > kLastOutput) text.erase(0, text.find('\n') + 1);  // the rest of a line
  // An error of the program's, with all of its lines, or else the line before the last.
  std::string last, before, error;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (last.starts_with(kExit) || last.starts_with(kKilled)) error.clear();  // of an earlier start
    before = std::exchange(last, text.substr(begin, end - begin));
    if (last.starts_with(kError)) {
      error = last.substr(kError.size());
    } else if (!error.empty() && end < text.size() - 1) {
      error += "\n" + last;
    }
    begin = end + 1;
  }
  out.failed = last.starts_with(kExit);
  out.killed = last.starts_with(kKilled);
  if (out.killed) out.error = last;
  if (!out.failed) return out;
  // One that could not even start said why in the loader's words, or the shell's.
  const int code = std::atoi(last.c_str() + kExit.size());
  const bool never_started = (code == 126 || code == 127) && !before.empty();
  out.error = !error.empty() ? error : never_started ? before + " (" + last + ")" : last;
  out.lacks_room = tells_of_full_disk(out.error);
  return out;
}

TrialStatus status_of(const fs::path& run, bool held, const Metrics* metrics, const End& end) {
  if (metrics && metrics->status == RunStatus::kFinished) return TrialStatus::kFinished;
  if (held) return TrialStatus::kRunning;
  if (end.lacks_room) return TrialStatus::kInterrupted;
  if (metrics && metrics->status == RunStatus::kDiverged) return TrialStatus::kDiverged;
  if (end.failed || (metrics && metrics->status == RunStatus::kFailed)) return TrialStatus::kFailed;
  if (end.killed) return TrialStatus::kInterrupted;
  if (metrics && metrics->status == RunStatus::kStopped) return TrialStatus::kStopped;
  const bool started = metrics || vitrine::exists(trial_output(run));
  return started ? TrialStatus::kInterrupted : TrialStatus::kWaiting;
}

std::optional<fs::file_time_type> written_at(const fs::path& file) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(file, error);
  return error ? std::nullopt : std::optional(time);
}

void add_epoch(TrialState& state, const Json& row, const std::string& metric) {
  state.epoch = row.at("epoch");
  state.step = std::max(state.step, row.at("step").get<int64_t>());
  state.seconds += row.value("seconds", 0.0);
  const auto value = row.find(metric);
  if (value != row.end() && value->is_number()) state.values.push_back(value->get<double>());
}

// Beyond any that is meant, and small enough for steps to be counted.
constexpr int64_t kMostEpochs = 1'000'000'000, kMostThreads = 1'000'000;

int64_t integer(ObjectReader& reader, const std::string& key, int64_t smallest, int64_t largest) {
  const int64_t out = reader.integer(key, smallest);
  if (out <= largest) return out;
  throw Error(ExitCode::kData, fmt::format("{}: expected a whole number at most {}, got {}",
                                           reader.place(key), largest, out));
}

std::optional<double> share_of(const Json& value, const ObjectReader& reader) {
  if (value.is_null()) return std::nullopt;
  const bool is_share = value.is_number() && value >= 0.0 && value < 1.0;
  if (is_share) return value.get<double>();
  throw Error(ExitCode::kData, reader.place("point") + " is no list of shares");
}

// That of the newest checkpoint, or 0.
int64_t saved_step(const RunDirectory& directory) {
  const auto steps = checkpoint_steps(directory.checkpoints());
  return steps.empty() ? 0 : steps.back();
}

}  // namespace

Json Trial::json() const {
  return {{"folder", folder},  {"cell", cell},         {"values", values},
          {"seed", seed},      {"epochs", epochs},     {"steps_per_epoch", steps_per_epoch},
          {"cost", cost},      {"confirms", confirms}, {"device", device},
          {"threads", threads}};
}

Json Trial::plan_json() const {
  Json out = json();
  if (!differences.is_null()) {
    out["config"] = config;
    out["differences"] = differences;
  }
  for (const auto& share : point) out["point"].push_back(share ? Json(*share) : Json());
  if (!saw.is_null()) out["saw"] = saw;
  return out;
}

Trial Trial::from_json(const Json& value, const std::string& where) {
  ObjectReader reader(value, where);
  Trial out;
  out.folder = reader.string("folder");
  if (!is_valid_name(out.folder))
    throw Error(ExitCode::kData, reader.place("folder") + " is no name of a folder");
  out.cell = reader.string("cell");
  out.values = reader.object("values");
  out.seed = reader.integer("seed", 0);
  out.epochs = integer(reader, "epochs", 1, kMostEpochs);
  out.steps_per_epoch = integer(reader, "steps_per_epoch", 1, kMostEpochs);
  const Json& cost = reader.at("cost");
  if (!cost.is_number()) throw Error(ExitCode::kData, reader.place("cost") + " is no number");
  out.cost = cost.get<double>();
  if (!(out.cost >= 0)) throw Error(ExitCode::kData, reader.place("cost") + " is below 0");
  out.confirms = reader.boolean("confirms");
  if (reader.has("device")) out.device = reader.string("device");
  if (reader.has("threads")) out.threads = integer(reader, "threads", 1, kMostThreads);
  if (reader.has("differences")) {
    out.config = static_cast<size_t>(reader.integer("config", 0));
    out.differences = reader.object("differences");
  }
  if (reader.has("point")) {
    for (const Json& share : reader.array("point")) out.point.push_back(share_of(share, reader));
  }
  if (reader.has("saw")) out.saw = reader.object("saw");
  reader.no_rest();
  return out;
}

std::string to_string(TrialStatus status) {
  constexpr const char* kNames[] = {"waiting", "queued",      "running",  "finished", "stopped",
                                    "paused",  "interrupted", "diverged", "failed"};
  return kNames[static_cast<size_t>(status)];
}

std::optional<double> TrialState::best(bool larger_is_better, int64_t epochs) const {
  std::optional<double> out;
  const auto count = static_cast<size_t>(std::clamp<int64_t>(epochs, 0, INT64_MAX));
  for (size_t i = 0; i < std::min(values.size(), count); ++i) {
    if (!std::isfinite(values[i])) continue;
    if (!out || (larger_is_better ? values[i] > *out : values[i] < *out)) out = values[i];
  }
  return out;
}

TrialState read_trial(const fs::path& run, const std::string& metric) {
  TrialState out;
  const RunDirectory directory = RunDirectory::open(run);
  // Asked first: a trial that ends meanwhile must not look interrupted.
  const bool held = RunLock::is_held(directory.folder());
  std::optional<Metrics> metrics;
  const auto written = written_at(directory.metrics().path());
  if (exists(directory.metrics())) metrics = Metrics::read(directory.metrics());
  const End end = read_end(run);
  out.status = status_of(run, held, metrics ? &*metrics : nullptr, end);
  if (out.status == TrialStatus::kRunning && metrics) out.written = written;
  if (out.is_failed() || out.status == TrialStatus::kInterrupted) out.error = end.error;
  out.step = saved_step(directory);
  if (!metrics) return out;
  for (Change& change : metrics->changes) {
    // The total of steps follows from other keys; what the machine changed is no other experiment.
    const bool follows = change.key == "total_steps" || change.key.starts_with("environment.");
    if (!follows) out.changes.push_back(std::move(change));
  }
  for (const Json& row : metrics->history) add_epoch(out, row, metric);
  const auto test = metrics->test.find("test" + metric.substr(metric.find('/')));
  if (test != metrics->test.end() && test->is_number()) out.test = test->get<double>();
  return out;
}

void update_trial(TrialState& state, const fs::path& run, const std::string& metric) {
  const RunDirectory directory = RunDirectory::open(run);
  // A run that is resumed, and may repeat epochs, writes its metrics.json first.
  const bool goes_on = state.written && state.written == written_at(directory.metrics().path()) &&
                       RunLock::is_held(run);
  if (!goes_on) {
    state = read_trial(run, metric);
    return;
  }
  state.status = TrialStatus::kRunning;
  state.step = std::max(state.step, saved_step(directory));
  for (const Json& row : epochs_after(directory.rows(), state.epoch)) add_epoch(state, row, metric);
}

fs::path trial_output(const fs::path& run) { return run / "output.txt"; }

void record_exit_code(const fs::path& run, int code) {
  append(run, fmt::format("{}{}", kExit, code));
}

void record_signal(const fs::path& run, int signal) {
  append(run, fmt::format("{}{} ({})", kKilled, signal, strsignal(signal)));
}

}  // namespace vitrine
