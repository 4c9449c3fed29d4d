#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "framework/config/references.h"
#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "framework/files/staged.h"
#include "framework/files/temporary_file.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/frozen_config.h"
#include "framework/sweeps/parts.h"
#include "framework/sweeps/sweep.h"

// How a sweep is made, and made larger.
namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr size_t kLongestFolder = 100;

// What a sweep makes before it is one.
constexpr const char* kParts[] = {"build", "trials", "sweep.yaml"};

// "hidden_d=8 n_heads=2" -> "hidden_d-8-n_heads-2"
std::string slug(const std::string& label) {
  std::string out;
  for (const char c : label) {
    const bool kept = is_valid_name(std::string("a") + c);
    if (kept || (!out.empty() && out.back() != '-')) out += kept ? c : '-';
  }
  out.resize(std::min(out.size(), kLongestFolder));
  while (out.ends_with('-')) out.pop_back();
  return out;
}

void refuse_sweep_at(const fs::path& folder) {
  if (!holds_sweep(folder)) return;
  throw Error(ExitCode::kUsage, fmt::format("{} already holds a sweep; go on with it: runner "
                                            "resume {}, or name another directory with --run-dir",
                                            escape(folder.string()), escape(folder.string())));
}

fs::path new_folder(const std::string& name, const fs::path& wanted) {
  if (wanted.empty()) return RunDirectory::create("runs", name).path();
  if (holds_run(wanted)) {
    throw Error(ExitCode::kUsage, fmt::format("{} holds a run; name another directory with "
                                              "--run-dir",
                                              escape(wanted.string())));
  }
  refuse_sweep_at(wanted);
  return RunDirectory::create_at(wanted).path();
}

// Takes away what is left of a trial that was but prepared; nothing that somebody else put there.
void remove_prepared(const fs::path& run) {
  if (!is_folder(run)) return;
  remove_temporaries(run);
  remove_file(run / "config.yaml");
  remove_empty_folder(run);
}

// Takes away what a process made here that came to no sweep, and nothing else: a folder goes only
// if it is empty then. Throws Error.
void remove_parts(const fs::path& folder) {
  remove_file(folder / "plan.json");  // before its trials
  FrozenCode::remove(folder / "build");
  if (const auto trials = Folder::find(folder / "trials")) {
    for (const std::string& name : trials->names()) remove_prepared(folder / "trials" / name);
    remove_empty_folder(folder / "trials");
  }
  remove_file(folder / "sweep.yaml");
  remove_temporaries(folder);
  remove_file(folder / kMaking);
}

// After a failure that is told: another one adds nothing.
void attempt(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error&) {
  }
}

void refuse_remains(const fs::path& folder) {
  for (const char* part : kParts) {
    if (!vitrine::exists(folder / part)) continue;
    throw Error(ExitCode::kUsage,
                fmt::format("{} is there, but no sweep: remove it, or name another directory with "
                            "--run-dir",
                            escape((folder / part).string())));
  }
}

Json values_of(const Cell& cell) {
  Json out = Json::object();
  for (const Setting& setting : cell.settings) out[setting.path] = frozen(setting.value);
  return out;
}

// `written`: the config with its texts that may refer to these keys.
void set_replicate(Node& config, const Node& written, int64_t number) {
  const std::vector<std::string> keys = replicate_of(config);
  for (const std::string& key : keys) set_value(config, key, Node::plain(std::to_string(number)));
  config = with_followers(std::move(config), written, keys);
}

void tag_as_confirming(Node& config) {
  Node tags = config.find("tags") ? *config.find("tags") : Node::sequence({});
  tags.children.push_back(Node::string(kConfirmingTag));
  config.set("tags", tags);
}

}  // namespace

std::string random_id() {
  std::random_device random;
  return fmt::format("{:08x}", static_cast<uint32_t>(random()));
}

Node plain(const Node& value) { return Node::from_json(value.json()); }

Sweep Sweep::create(const SweepSpec& spec, const Plan& plan, const fs::path& folder) {
  Sweep out(fs::absolute(new_folder(spec.name, folder)));
  out.lock_.emplace(out.path_);
  refuse_sweep_at(out.path_);  // another process may have made one meanwhile
  if (vitrine::exists(out.path_ / kMaking)) remove_parts(out.path_);
  refuse_remains(out.path_);
  remove_temporaries_of(out.path_ / kMaking);  // of a process that was killed at its first step
  out.id_ = random_id();
  out.take(spec, plan);
  try {
    write_file_atomically(out.path_ / kMaking, "");
    out.freeze(spec, plan);
    remove_file(out.path_ / kMaking);
  } catch (const Error&) {
    attempt([&] { remove_parts(out.path_); });
    throw;
  }
  out.note_states();
  return out;
}

void Sweep::take(const SweepSpec& spec, const Plan& plan) {
  options_ = spec.options;
  options_.name = spec.name;
  configs_ = spec.configs;
  chosen_by_ = plan.chosen_by;
  has_best_ = vitrine::has_best(plan);
  jobs_ = plan.jobs;
  left_out_ = plan.left_out;
  drawn_ = plan.drawn;
  to_come_ = plan.to_come;
}

void Sweep::freeze(const SweepSpec& spec, const Plan& plan) {
  FrozenCode code(path_ / "build");
  Folder::make(path_ / "trials");
  launch_environment_ = LaunchEnvironment::here();
  add_trials(plan, code);
  const std::string text = to_yaml(spec);
  write_file_atomically(path_ / "sweep.yaml", text);
  spec_sha256_ = sha256_hex(text);
  write_plan();  // from here on it is a sweep
}

Growth Sweep::add_trials(const Plan& plan, FrozenCode& code) {
  Growth out;
  std::map<std::string, size_t> first;  // trials of each cell
  std::set<std::pair<std::string, int64_t>> known;
  for (size_t i = 0; i < trials_.size(); ++i) {
    if (trials_[i].confirms) continue;
    first.emplace(trials_[i].cell, i);
    known.emplace(trials_[i].cell, trials_[i].seed);
  }
  for (const Cell& cell : plan.cells) {
    const auto sibling = first.find(cell.label);
    Node config = sibling == first.end() ? cell.resolved->resolved : this->config(sibling->second);
    code.take_plugins(config);
    if (trials_.empty()) first_config_ = plain(config);
    std::vector<int64_t> seeds = plan.seeds;
    if (seeds.empty()) seeds = {cell.resolved->resolved.json().at("seed").get<int64_t>()};
    for (const int64_t seed : seeds) {
      const bool is_there = known.contains({cell.label, seed});
      ++(is_there ? out.there : out.added);
      if (is_there) continue;
      if (!plan.seeds.empty()) set_replicate(config, written(cell.config, values_of(cell)), seed);
      const bool is_first = sibling == first.end();
      add(cell, config, is_first ? std::nullopt : std::optional(trials_[sibling->second]), seed);
      if (plan.seeds.size() > 1) trials_.back().folder += "-seed-" + std::to_string(seed);
      write_config(trials_.back());
    }
  }
  plugins_ = code.plugins();
  return out;
}

void Sweep::add(const Cell& cell, const Node& config, const std::optional<Trial>& sibling,
                int64_t seed) {
  Trial trial;
  trial.folder = fmt::format("{:04}-{}", trials_.size() + 1, slug(cell.label));
  trial.cell = cell.label;
  trial.values = values_of(cell);
  trial.seed = seed;
  const Workload& work = cell.work;
  trial.steps_per_epoch = work.steps_per_epoch;
  trial.epochs = (work.steps + work.steps_per_epoch - 1) / work.steps_per_epoch;
  trial.cost = work.operations();
  trial.device = sibling ? sibling->device : cell.resolved->device;
  trial.threads = sibling ? sibling->threads : cell.resolved->threads;
  trial.config = cell.config;
  trial.differences = differences(first_config_, plain(config));
  trial.point = cell.point;
  trials_.push_back(std::move(trial));
  states_.emplace_back();
}

Grown Sweep::grown() const {
  Grown out;
  std::set<std::string> seen;
  for (const Trial& trial : trials_) {
    if (trial.differences.is_null()) {
      throw Error(ExitCode::kUsage, escape(path_.string()) +
                                        ": an older version made this sweep, which kept too little "
                                        "of it for it to grow; start a new one");
    }
    if (trial.confirms || !seen.insert(trial.cell).second) continue;
    out.cells.push_back({trial.config, {}, trial.cell, trial.point});
    for (const auto& [path, value] : trial.values.items())
      out.cells.back().settings.push_back({path, thawed(value)});
  }
  out.left_out = left_out_;
  out.drawn = drawn_;
  out.plugins = plugins_;
  return out;
}

Growth Sweep::grow(const SweepSpec& spec, const Plan& plan) {
  name_cells(plan);
  take(spec, plan);
  Growth out;
  extend([&] {
    FrozenCode code(path_ / "build", plugins_);
    out = add_trials(plan, code);
    const std::string text = to_yaml(spec);
    stage(path_ / "sweep.yaml", text);
    spec_sha256_ = sha256_hex(text);
  });
  note_states();
  return out;
}

std::vector<size_t> Sweep::add_proposed(const Cell& cell, Json saw,
                                        const std::vector<LeftOut>& left_out) {
  const size_t before = trials_.size();
  Plan plan;
  plan.cells = {cell};
  plan.seeds = options_.seeds.list;
  --to_come_;
  try {
    extend([&] {
      FrozenCode code(path_ / "build", plugins_);
      add_trials(plan, code);
      trials_[before].saw = std::move(saw);
      left_out_ = left_out;
    });
  } catch (const Error&) {
    ++to_come_;
    throw;
  }
  std::vector<size_t> out(trials_.size() - before);
  std::iota(out.begin(), out.end(), before);
  return out;
}

void Sweep::end_search(const std::vector<LeftOut>& left_out) {
  to_come_ = 0;
  left_out_ = left_out;
  write_plan();
}

// Makes trials, which the sweep has from the rename of its plan on.
void Sweep::extend(const std::function<void()>& add) {
  const size_t before = trials_.size();
  try {
    write_file_atomically(path_ / kMaking, "");
    add();
    write_plan();
    settle();
  } catch (const Error&) {
    trials_.resize(before);
    states_.resize(before);
    // Else the next resume does it.
    attempt([&] { Sweep::open(path_).settle(); });
    throw;
  }
}

// Of what was made for more trials keeps what the plan has.
void Sweep::settle() const {
  if (!vitrine::exists(path_ / kMaking)) return;
  vitrine::settle(path_ / "sweep.yaml", spec_sha256_);
  FrozenCode::remove_others(path_ / "build", plugins_);
  for (const std::string& name : Folder::open(path_ / "trials").names()) {
    if (!find(name)) remove_prepared(path_ / "trials" / name);
  }
  remove_file(path_ / kMaking);
}

// A key that takes several values now is part of the names of those that had it alone.
void Sweep::name_cells(const Plan& plan) {
  std::map<std::string, const Cell*> cells;
  const auto past = grown().cells;
  for (size_t i = 0; i < past.size(); ++i) cells[past[i].label] = &plan.cells[i];
  for (Trial& trial : trials_) {
    const Cell& cell = *cells.at(trial.cell);
    trial.cell = cell.label;
    trial.values = values_of(cell);
  }
}

void Sweep::add_confirmations(const std::vector<Confirming>& runs) {
  if (runs.empty()) return;
  extend([&] {
    for (const Confirming& run : runs) add_confirmation(run);
  });
}

void Sweep::add_confirmation(const Confirming& run) {
  Trial trial = trials_[run.like];
  Node config = this->config(trial);
  trial.folder =
      fmt::format("{:04}-confirm-{}-seed-{}", trials_.size() + 1, slug(trial.cell), run.seed);
  trial.seed = run.seed;
  trial.confirms = true;
  set_replicate(config, written(trial.config, trial.values), run.seed);
  tag_as_confirming(config);
  const fs::path folder = path_ / "trials" / trial.folder;
  Folder::make(folder);
  write_file_atomically(folder / "config.yaml", to_yaml(config));
  if (!trial.differences.is_null()) trial.differences = differences(first_config_, config);
  trials_.push_back(std::move(trial));
  states_.emplace_back();
}

}  // namespace vitrine
