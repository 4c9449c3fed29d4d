#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>

#include "framework/config/load.h"
#include "framework/config/node.h"
#include "framework/files/sha256.h"
#include "framework/files/temporary_file.h"
#include "framework/model/tensors.h"
#include "framework/runs/environment.h"
#include "framework/training/ending.h"
#include "framework/training/run.h"
#include "framework/training/run_metrics.h"

// How a run is taken up again.
namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

Json json_at(const Node& config, const Key& key) {
  const Node* value = value_at(config, key);
  return value ? value->json() : Json();
}

bool is_key(const std::string& path, const ResolvedConfig& config) {
  const auto is_above = [&](const Key& key) {
    return key.path == path || key.path.starts_with(path + ".");
  };
  return std::any_of(config.keys.begin(), config.keys.end(), is_above);
}

// Of an option that an earlier version had not, and that is at its default, nothing changes.
bool is_new_default(const Node& before, const Key& key) {
  const size_t dot = key.path.rfind('.');
  const Node* above = dot == key.path.npos ? &before : before.at_path(key.path.substr(0, dot));
  return key.is_default && above && above->is_mapping() && !value_at(before, key);
}

// The value without what says where something lies: that may move.
nlohmann::json without_places(const Node& config, const Key& key,
                              const std::vector<std::string>& places) {
  const Node* value = value_at(config, key);
  nlohmann::json out = value ? value->json() : Json();
  for (const std::string& place : places) {
    if (!place.starts_with(key.path + ".")) continue;
    std::string pointer = place.substr(key.path.size());
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const nlohmann::json::json_pointer at(pointer);
    if (out.contains(at)) out[at] = nullptr;
  }
  return out;
}

// Of a key that was changed in config.yaml by hand, or by a resume of which nothing is known.
[[noreturn]] void refuse_edited(const std::string& run, const std::string& key, const Json& from,
                                const Json& to) {
  throw Error(
      ExitCode::kCheckpoint,
      fmt::format("{}: {} is {} in config.yaml, and this run was computed with {}. To go on "
                  "with the new value: runner resume {} {}; else write the old one again",
                  run, key, escape(to.dump()), escape(from.dump()), run,
                  shell_word(key + "=" + to_flow_yaml(Node::from_json(to)))));
}

[[noreturn]] void refuse_fixed(const std::string& run, const Key& key, const Json& from) {
  throw Error(ExitCode::kCheckpoint,
              fmt::format("{}: {}{} cannot change in a run under way, and was {} when it began; "
                          "start a new run for it",
                          run, key.path, key.is_type ? ".type" : "", escape(from.dump())));
}

}  // namespace

void Run::restore() {
  directory_ = RunDirectory::open(*request_.run_dir);
  lock();
  log_.open(directory_->log());
  recorder_.emplace(RunRecorder::resume(*directory_, log_));
  const auto restored = restore_newest();
  bool rows_are_sound = true;
  if (restored) {
    go_on_from(*restored);
    rows_are_sound = recorder_->take_up_rows(restored->rows_length, restored->rows_sha256,
                                             state_.step, state_.epoch);
  } else {
    start_over();
    // Else nobody knows whose they are.
    rows_are_sound = !told().run.empty() || recorder_->rows().is_empty();
  }
  commit_resume(rows_are_sound);
}

// There is no checkpoint: the run has the values that it is given now from its start.
void Run::start_over() {
  if (!told().last_checkpoint.empty()) {
    throw Error(
        ExitCode::kCheckpoint,
        fmt::format("{}: the run's checkpoints are gone, {} and all before it; start a new run",
                    directory_->checkpoints().shown(), escape(told().last_checkpoint)));
  }
  provenance_.run = told().run.empty() ? directory_->id() : told().run;
  provenance_.started = told().started.empty() ? utc_now() : told().started;
  provenance_.contents = contents_of(*request_.config, *learner_.experiment);
  told().history.clear();
  log_.message("no checkpoint yet: the run starts at step 0");
}

// What this resume changes counts from one moment on, that at which metrics.json is replaced: what
// was written before it counts with it, and what follows is done again by whoever comes next.
void Run::commit_resume(bool rows_are_sound) {
  // Of the end that the run had before; it is to have another.
  told().test = told().summary = Json::object();
  describe();
  told().exact = state_.exact;
  told().set_status(RunStatus::kRunning);
  told().finished.clear();
  told().stopped_by.clear();
  const std::string config = to_yaml(request_.config->resolved);
  const Place current = directory_->current_config(told().config_sha256);
  if (!exists(current) || sha256_of_file(current.path()) != told().config_sha256)
    directory_->stage_config(config);
  remove_temporaries(directory_->folder());
  recorder_->write();
  directory_->settle_config(told().config_sha256);
  if (rows_are_sound) {
    recorder_->cut_rows();
  } else {
    recorder_->mend_rows();
  }
}

// What of the results' keys is other than what the checkpoint was computed with, and is asked for.
// Throws Error(kCheckpoint) for what nobody asked for, and for what cannot change.
std::vector<Change> Run::changes_from(const Restored& restored) const {
  // An option that the run's program had not was at its default.
  Node before = with_defaults(Node::from_json(restored.provenance.config));
  const auto places = places_of_results(config_);
  // Until the next checkpoint, metrics.json alone knows of what an earlier resume changed.
  for (const Change& known : told().changes) {
    if (is_key(known.key, *request_.config))
      set_value(before, known.key, Node::from_json(known.to));
  }
  std::vector<Change> out;
  for (const Key& key : request_.config->keys) {
    if (key.role != Role::kResult && key.role != Role::kReplicate) continue;
    const Json from = json_at(before, key), to = json_at(request_.config->resolved, key);
    if (without_places(before, key, places) ==
            without_places(request_.config->resolved, key, places) ||
        is_new_default(before, key))
      continue;
    const std::string run = escape(directory_->path().string());
    if (!may_change(key, value_at(before, key), value_at(request_.config->resolved, key)))
      refuse_fixed(run, key, from);
    if (!request_.config->asked.contains(key.path)) refuse_edited(run, key.path, from, to);
    out.push_back({restored.state.step, key.path, from, to, key.on_resume == OnResume::kExactly});
    out.back().exact |= stops_later(out.back());
  }
  return out;
}

// Says and keeps what this resume changes.
void Run::note_change(Change change) {
  const std::string to = escape(change.to.dump()), from = escape(change.from.dump());
  if (provenance_.environment.contains(change.key.substr(change.key.rfind('.') + 1)) &&
      !request_.config->resolved.at_path(change.key)) {
    log_.warning(fmt::format(
        "this run goes on with another value of {} ({}, was {}): its results are no longer exact",
        change.key.substr(change.key.rfind('.') + 1), to, from));
  } else {
    const std::string what =
        fmt::format("{} is {} from step {} on, was {}", change.key, to, change.step, from);
    if (change.exact) log_.message(what);
    if (!change.exact) log_.warning(what + ": this run's results are no longer exact");
  }
  keep_change(std::move(change));
}

void Run::keep_change(Change change) {
  state_.exact &= change.exact;
  // A run that is killed before its next checkpoint notes the same once more.
  const auto same = [&](const Change& known) { return known.json() == change.json(); };
  if (std::none_of(state_.changes.begin(), state_.changes.end(), same))
    state_.changes.push_back(std::move(change));
}

// Options that came with another version of a component, or of this program.
void Run::note_new_options(const Restored& restored) {
  const Node before = Node::from_json(restored.provenance.config);
  const Node completed = with_defaults(before);
  for (const Key& key : request_.config->keys) {
    // Of a component of another type they are no news.
    if (key.role != Role::kResult || !value_at(completed, key) || !is_new_default(before, key))
      continue;
    const Json value = json_at(completed, key);
    log_.message(fmt::format("{} is new since this run began, and at its default, {}", key.path,
                             escape(value.dump())));
    keep_change({restored.state.step, key.path, nullptr, value, true});
  }
}

// What of the components' states was not kept, or is not taken. Of one that this resume changes it
// is no wonder.
void Run::note_unmatched(const Restored& restored, const std::vector<Change>& changes) {
  const auto is_changed = [&](const std::string& name) {
    return std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
      return name == change.key || name.starts_with(change.key + ".") ||
             change.key.starts_with(name + ".");
    });
  };
  for (const auto& [name, unmatched] : restored.unmatched) {
    if (is_changed(name)) continue;
    std::vector<std::string> wrong;
    if (!unmatched.missing.empty()) {
      wrong.push_back(fmt::format(
          "{} {} not in the checkpoint and begin{} anew", some_of(unmatched.missing, ", "),
          unmatched.missing.size() == 1 ? "is" : "are", unmatched.missing.size() == 1 ? "s" : ""));
    }
    if (!unmatched.unknown.empty())
      wrong.push_back("nobody takes what the checkpoint has as " +
                      some_of(unmatched.unknown, ", "));
    const std::string what = fmt::format("{}", fmt::join(wrong, "; "));
    log_.warning(fmt::format("what {} keeps: {}: this run's results are no longer exact",
                             escape(name), what));
    keep_change({state_.step, "environment.state." + name, nullptr, what, false});
  }
}

// From the newest checkpoint that can be gone on from; those before it are warned of.
std::optional<Restored> Run::restore_newest() {
  std::optional<Restored> out;
  std::optional<Error> refusal;  // of a config that no older checkpoint would serve either
  const auto loaded = load_latest(directory_->checkpoints(),
                                  [&](const Checkpoint& checkpoint, const fs::path& file) {
                                    const std::string name = escape(file.string());
                                    out = read_state(checkpoint, name);
                                    check_identity(*out, file);
                                    try {
                                      changes_from(*out);
                                    } catch (const Error& error) {
                                      refusal = error;
                                      return;
                                    }
                                    out = vitrine::restore(checkpoint, learner_, callbacks_, name);
                                    check_consistent(*out, file);
                                  });
  if (refusal) throw *refusal;
  if (!loaded) return std::nullopt;
  for (const std::string& warning : loaded->warnings) log_.warning(warning);
  const std::string& named = told().last_checkpoint;
  const Place file = Folder::open(directory_->checkpoints()) / (named + ".safetensors");
  if (step_of_checkpoint(named).value_or(0) > out->state.step && !exists(file)) {
    log_.warning(
        fmt::format("the checkpoint {}, the last that metrics.json names, is gone", file.shown()));
  }
  return out;
}

// That the checkpoint is this run's.
void Run::check_identity(const Restored& restored, const fs::path& file) const {
  const Provenance& own = restored.provenance;
  if (told().run.empty() || (own.run == told().run && own.started == told().started)) return;
  throw Error(ExitCode::kCheckpoint,
              fmt::format("the checkpoint {} is of another run ({}, started {}) than metrics.json "
                          "({}, started {})",
                          escape(file.string()), escape(own.run), escape(own.started),
                          escape(told().run), escape(told().started)));
}

// That a state agrees with itself and with the file. Other data are refused later, in other words.
void Run::check_consistent(const Restored& restored, const fs::path& file) const {
  if (restored.provenance.dataset_sha256 != data_.fingerprint) return;
  const RunState& state = restored.state;
  const auto require = [&](bool holds, const std::string& what) {
    if (holds) return;
    throw Error(ExitCode::kCheckpoint, fmt::format("the checkpoint {} is unusable: its state {}",
                                                   escape(file.string()), what));
  };
  require(step_of_checkpoint(file.filename()) == state.step,
          fmt::format("is that of step {}", state.step));
  const int64_t in_epoch = state.step_in_epoch;
  require(in_epoch <= std::min(loader_.steps_per_epoch(), state.step) &&
              (state.step - in_epoch) % loader_.steps_per_epoch() == 0 &&
              (state.step - in_epoch) / loader_.steps_per_epoch() == state.epoch,
          fmt::format("is of epoch {} and step {} in it, which is not step {} at {} steps an epoch",
                      state.epoch, in_epoch, state.step, loader_.steps_per_epoch()));
  for (const Sums* sums : {&state.window, &state.total}) {
    require(sums->values.size() == state_.total.values.size() && sums->steps <= in_epoch &&
                sums->images >= sums->steps && sums->images <= loader_.images_per_epoch(),
            "holds sums of another epoch");
  }
  require(state.window.steps + state.total.steps == in_epoch, "holds sums of another epoch");
  require(!state.best || state.best->step <= state.step, "has a best step that is to come");
}

void Run::go_on_from(const Restored& restored) {
  const std::string where = escape(directory_->path().string());
  if (restored.provenance.dataset_sha256 != data_.fingerprint) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: the data have changed since this run was started (their SHA-256 "
                            "is {}, was {}); start a new run",
                            where, data_.fingerprint.substr(0, 12),
                            escape(restored.provenance.dataset_sha256.substr(0, 12))));
  }
  const std::string& contents = restored.provenance.dataset_contents;
  if (data_.contents.empty()) {
    provenance_.dataset_contents = contents;
  } else if (!contents.empty() && contents != data_.contents) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: what is in the data has changed since this run was started (the "
                            "SHA-256 of all of it is {}, was {}); start a new run",
                            where, data_.contents.substr(0, 12), escape(contents.substr(0, 12))));
  }
  check_places(restored.provenance);
  if (restored.state.step > loader_.total_steps()) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: training.epochs and training.max_steps now end at step {}, and "
                            "this run is at step {} already; it can only be taken further",
                            where, loader_.total_steps(), restored.state.step));
  }
  if (request_.stop_after && *request_.stop_after <= restored.state.step) {
    throw Error(ExitCode::kUsage,
                fmt::format("{}: --stop-after {} lies behind: the run is at step {} already", where,
                            *request_.stop_after, restored.state.step));
  }
  std::vector<Change> changes = changes_from(restored);
  state_ = restored.state;
  provenance_.run = restored.provenance.run;
  provenance_.started = restored.provenance.started;
  meter_.set(state_.window);
  note_checkpoint();  // metrics.json is written later than a checkpoint, and may not know of it
  // What an earlier resume changed is in config.yaml by now; until the next checkpoint,
  // metrics.json alone knows of it.
  state_.exact &= told().exact;
  if (told().changes.size() > state_.changes.size()) state_.changes = told().changes;
  note_new_options(restored);
  note_unmatched(restored, changes);
  for (Change& change : changes) note_change(std::move(change));
  check_best();
  const auto& before = restored.provenance.environment;
  for (const auto& [key, value] : provenance_.environment.items()) {
    const auto was = before.value(key, key == "ranks" ? nlohmann::json(1) : nlohmann::json());
    // The length of the run is no surrounding, but what a schedule computes with.
    const std::string name = key == "total_steps" ? key : "environment." + key;
    if (was != value) note_change({state_.step, name, Json(was), Json(value), false});
  }
  log_.message(fmt::format("going on from {} (step {} of {})", checkpoint_name(state_.step),
                           state_.step, loader_.total_steps()));
}

// A file may have moved; another one would not have begun this run.
void Run::check_places(const Provenance& provenance) {
  const auto& before = provenance.contents;
  const Node config = Node::from_json(provenance.config);
  const auto now = contents_of(*request_.config, *learner_.experiment);
  for (const auto& [key, digest] : before.items()) {
    const Node* place = request_.config->resolved.at_path(key);
    const bool is_named = place && place->kind == Node::Kind::kScalar;
    // A file that is gone is not needed any more: its weights are in the checkpoint.
    if (is_named && !now.contains(key)) continue;
    if (now.contains(key) && now[key] == digest) continue;
    throw Error(
        ExitCode::kCheckpoint,
        fmt::format("{}: {} is not what this run began with (SHA-256 {}, was {}); start a "
                    "new run for it",
                    escape(directory_->path().string()), key,
                    now.contains(key) ? now[key].get<std::string>().substr(0, 12) : "of nothing",
                    escape(digest.get<std::string>().substr(0, 12))));
  }
  for (const auto& [key, digest] : now.items()) {
    if (before.contains(key)) continue;
    // It was named, and nothing lay there: it is no more than what this run has written.
    const Node* named = config.at_path(key);
    if (named && named->kind == Node::Kind::kScalar && !named->scalar.empty()) continue;
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: {} was not given when this run began; start a new run for it",
                            escape(directory_->path().string()), key));
  }
  provenance_.contents = before;
}

// Found missing or useless now, not when the run is to be tested.
void Run::check_best() {
  if (!state_.best || state_.best->step == state_.step) return;
  const Place file = checkpoint_file(Folder::open(directory_->checkpoints()), state_.best->step);
  try {
    tested_weights(load_checkpoint(file), learner_.modules, file.shown());
  } catch (const Error& error) {
    if (error.system_code() != 0 && error.system_code() != ENOENT) throw;  // it may be intact
    log_.warning(
        fmt::format("{}; the best is chosen among the epochs from here on: the run's "
                    "results are no longer exact",
                    error.what()));
    state_.best.reset();
    state_.exact = false;
  }
}

}  // namespace vitrine
