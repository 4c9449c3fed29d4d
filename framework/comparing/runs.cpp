#include "framework/comparing/runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_set>
#include <utility>

#include "framework/config/yaml.h"
#include "framework/cpus.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/runs/lock.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/best.h"
#include "framework/sweeps/trial.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

size_t count_leaves(const Json& value) {
  if (!value.is_object() || value.empty()) return 1;
  size_t out = 0;
  for (const Json& member : value) out += count_leaves(member);
  return out;
}

// Moves the values below `value`, whose path is `path`, to `out`.
void flatten(Json& value, std::string& path, Json& out) {
  const size_t above = path.size();
  for (auto& [key, member] : value.get_ref<Json::object_t&>()) {
    if (path.empty()) {
      path = key;
    } else if (key != "type") {
      path.append(".").append(key);
    }
    if (member.is_object() && !member.empty()) {
      flatten(member, path, out);
    } else if (key.find('.') != key.npos) {
      out[path] = std::move(member);  // which may be there
    } else {
      out.get_ref<Json::object_t&>().Container::emplace_back(path, std::move(member));
    }
    path.resize(above);
  }
}

// A run that was killed before its first metrics.json has a config at most.
Metrics metrics_of_config(const Folder& run) {
  Metrics out;
  if (!exists(run / "config.yaml")) return out;
  const Place config = run / "config.yaml";
  out.config = parse_yaml(read_file(config, kMaxConfigBytes), config.path().string()).json();
  if (!out.config.is_object()) {
    throw Error(ExitCode::kData, config.shown() + ": expected a mapping");
  }
  if (const auto name = out.config.find("name"); name != out.config.end() && name->is_string()) {
    out.name = name->get<std::string>();
  }
  if (const auto note = out.config.find("note"); note != out.config.end() && note->is_string()) {
    out.note = note->get<std::string>();
  }
  for (const Json& tag : out.config.value("tags", Json::array())) {
    if (tag.is_string()) out.tags.push_back(tag.get<std::string>());
  }
  return out;
}

// Note and tags as they stand now: those of the config with what was annotated since.
void add_annotations(const Folder& folder, RunRecord& run) {
  run.own = {run.metrics.note, run.metrics.tags};
  const Labels labels = Annotations::read(folder).over(run.own);
  if (labels == run.own) return;
  run.config["note"] = run.metrics.note = labels.note;
  run.config["tags"] = run.metrics.tags = labels.tags;
}

// Whether a run without a metrics.json is a trial that its sweep has but prepared.
bool never_started(const fs::path& run) {
  return !fs::exists(trial_output(run)) && !fs::exists(run / "log.txt") && !sweep_of(run).empty();
}

// The member of `object` that "prefix.member" names.
std::optional<Json> member_of(const Json& object, const std::string& prefix,
                              const std::string& name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto found = object.find(name.substr(prefix.size()));
  return found == object.end() ? std::nullopt : std::optional<Json>(*found);
}

// Of a run that has no summary yet. An epoch's seconds are its own, those of a run their sum.
std::optional<Json> last_value(const Metrics& metrics, const std::string& name) {
  const auto& history = metrics.history;
  const auto found = history.back().find(name);
  if (found == history.back().end()) return std::nullopt;
  if (name != "seconds") return *found;
  double sum = 0;
  for (const Json& epoch : history) {
    const auto seconds = epoch.find(name);
    if (seconds != epoch.end() && seconds->is_number()) sum += seconds->get<double>();
  }
  return sum;
}

// Relative to the current folder where it lies below it. Both are canonical.
fs::path shown_path(const fs::path& path, const fs::path& current) {
  if (path == current) return ".";
  const std::string above = (current / "").native();
  return path.native().starts_with(above) ? fs::path(path.native().substr(above.size())) : path;
}

// Runs that chose a winner and runs that confirm it are never taken together.
bool is_confirming(const Metrics& metrics) {
  return std::find(metrics.tags.begin(), metrics.tags.end(), kConfirmingTag) != metrics.tags.end();
}

}  // namespace

nlohmann::ordered_json flat_config(nlohmann::ordered_json config) {
  Json out = Json::object();
  out.get_ref<Json::object_t&>().reserve(count_leaves(config));  // growing copies all that is there
  std::string path;
  if (config.is_object()) flatten(config, path, out);
  return out;
}

std::optional<nlohmann::ordered_json> RunRecord::value(const std::string& name) const {
  const bool is_metric = name.find('/') != name.npos;  // no key has a slash
  const std::string key = name.ends_with(".type") ? name.substr(0, name.size() - 5) : name;
  // Of what was derived or asked for it is what was taken.
  if (const auto taken = metrics.execution.find(key); taken != metrics.execution.end()) {
    return taken->at("value");
  }
  if (const auto found = is_metric ? config.end() : config.find(key); found != config.end()) {
    return *found;
  }
  if (const auto found = metrics.summary.find(name); found != metrics.summary.end()) return *found;
  if (metrics.summary.empty() && !metrics.history.empty()) {
    if (const auto found = last_value(metrics, name)) return found;
  }
  if (const auto found = member_of(metrics.model, "model.", name)) return found;
  if (const auto found = member_of(metrics.dataset, "dataset.", name)) return found;
  if (const auto found = member_of(metrics.environment, "environment.", name)) return found;
  if (name == "run") return path.string();
  if (name == kConfirmingTag && is_confirming(metrics)) return true;
  if (name == "status") return status;
  if (name == "exact") return metrics.exact;
  if (name == "started") return metrics.started;
  if (name == "finished") return metrics.finished;
  if (name == "stopped_by") return metrics.stopped_by;
  return std::nullopt;
}

std::vector<std::string> RunRecord::names() const {
  std::vector<std::string> out = {"run", "status", "exact", "started", "finished", "stopped_by"};
  if (is_confirming(metrics)) out.emplace_back(kConfirmingTag);
  const auto add = [&](const Json& object, const std::string& prefix) {
    for (const auto& [key, value] : object.items()) out.push_back(prefix + key);
  };
  add(config, "");
  add(metrics.summary, "");
  if (metrics.summary.empty() && !metrics.history.empty()) add(metrics.history.back(), "");
  add(metrics.model, "model.");
  add(metrics.dataset, "dataset.");
  add(metrics.environment, "environment.");
  return out;
}

RunRecord read_run(const fs::path& run) {
  RunRecord out;
  out.path = run;
  try {
    // Asked first: a run that ends meanwhile must not look interrupted.
    const Folder folder = Folder::open(run);
    const bool held = RunLock::is_held(folder);
    const bool has_metrics = exists(folder / "metrics.json");
    out.metrics = has_metrics ? Metrics::read(folder / "metrics.json") : metrics_of_config(folder);
    out.status = !has_metrics && !held && never_started(run)
                     ? "waiting"
                     : shown_status(out.metrics.status, held);
    out.config = flat_config(std::exchange(out.metrics.config, Json::object()));
    add_annotations(folder, out);
  } catch (const Error& error) {
    out.metrics = {};
    out.config = Json::object();
    out.status = "unreadable";
    out.error = error.what();
  }
  return out;
}

namespace {

// The runs of one place, or what a user needs to know.
FoundRuns runs_at(const std::string& place, const fs::path& current) {
  std::error_code error;
  const fs::path folder = fs::canonical(place, error);
  const bool is_missing = error == std::errc::no_such_file_or_directory ||
                          error == std::errc::not_a_directory ||
                          error == std::errc::too_many_symbolic_link_levels;
  if (error && !is_missing) {
    throw Error(ExitCode::kFailed,
                fmt::format("cannot read {}: {}", escape(place), error.message()));
  }
  FoundRuns out = error ? FoundRuns() : find_runs(folder);
  for (fs::path& link : out.passed_over.links) link = shown_path(link, current);
  for (auto& [path, reason] : out.passed_over.unreadable) path = shown_path(path, current);
  if (!out.runs.empty()) return out;
  if (error) refuse_sweep(place);
  if (!out.passed_over.empty()) {
    throw Error(out.passed_over.has_failed() ? ExitCode::kFailed : ExitCode::kUsage,
                fmt::format("{}: no run was found; {}", escape(place), out.passed_over.text()));
  }
  RunDirectory::open(place);
  return out;
}

}  // namespace

FoundRuns find_all_runs(const std::vector<std::string>& places) {
  const fs::path current = fs::current_path();
  FoundRuns out;
  std::unordered_set<std::string> seen;
  for (const std::string& place : places) {
    const FoundRuns found = runs_at(place, current);
    out.passed_over.add(found.passed_over);
    for (const fs::path& run : found.runs) {
      if (seen.insert(run.native()).second) out.runs.push_back(shown_path(run, current));
    }
  }
  return out;
}

void read_each(const std::vector<fs::path>& runs, size_t threads,
               const std::function<void(size_t, RunRecord)>& take) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i; (i = next++) < runs.size();) take(i, read_run(runs[i]));
  };
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(threads, runs.size()); ++i) helpers.emplace_back(work);
  work();
}

std::vector<RunRecord> read_runs(const std::vector<std::string>& places, size_t threads,
                                 PassedOver* passed_over) {
  FoundRuns found = find_all_runs(places);
  if (passed_over) *passed_over = std::move(found.passed_over);
  std::vector<RunRecord> out(found.runs.size());
  read_each(found.runs, threads, [&](size_t i, RunRecord run) { out[i] = std::move(run); });
  return out;
}

std::vector<RunRecord>& kept_runs(const std::vector<std::string>& places, PassedOver& passed_over) {
  return *new std::vector<RunRecord>(
      read_runs(places, static_cast<size_t>(allowed_cpus()), &passed_over));
}

}  // namespace vitrine
