#include "framework/sweeps/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/runs/environment.h"
#include "framework/runs/metrics.h"
#include "framework/runs/object_reader.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/damage.h"
#include "framework/sweeps/frozen_config.h"
#include "framework/sweeps/ranking.h"

namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr int64_t kFormat = 1;
constexpr uint64_t kMostPlanBytes = uint64_t{1} << 30;
constexpr size_t kLongestFolder = 100;

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

fs::path new_folder(const std::string& name, const fs::path& wanted) {
  if (wanted.empty()) return RunDirectory::create("runs", name).path();
  if (holds_run(wanted)) {
    throw Error(ExitCode::kUsage, fmt::format("{} holds a run; name another directory with "
                                              "--run-dir",
                                              escape(wanted.string())));
  }
  if (holds_sweep(wanted)) {
    throw Error(ExitCode::kUsage, fmt::format("{} already holds a sweep; go on with it: runner "
                                              "resume {}, or name another directory with --run-dir",
                                              escape(wanted.string()), escape(wanted.string())));
  }
  return RunDirectory::create_at(wanted).path();
}

// What a sweep makes before it is one.
constexpr const char* kParts[] = {"build", "trials", "sweep.yaml"};

void refuse_remains(const fs::path& folder) {
  for (const char* part : kParts) {
    std::error_code ignored;
    if (!fs::exists(folder / part, ignored)) continue;
    throw Error(ExitCode::kUsage,
                fmt::format("{} is there, but no sweep: remove it, or name another directory with "
                            "--run-dir",
                            escape((folder / part).string())));
  }
}

Json values_of(const Cell& cell) {
  Json out = Json::object();
  for (const Setting& setting : cell.settings) out[setting.path] = setting.value.json();
  return out;
}

// `written`: the config with its texts that may refer to these keys.
void set_replicate(Node& config, const Node& written, int64_t number) {
  const std::vector<std::string> keys = replicate_of(config);
  for (const std::string& key : keys) set_value(config, key, Node::plain(std::to_string(number)));
  config = with_followers(std::move(config), written, keys);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error(ExitCode::kFailed,
              fmt::format("cannot create {}: {}", escape(folder.string()), error.message()));
}

void tag_as_confirming(Node& config) {
  Node tags = config.find("tags") ? *config.find("tags") : Node::sequence({});
  tags.children.push_back(Node::string(kConfirmingTag));
  config.set("tags", tags);
}

Node plain(const Node& value) { return Node::from_json(value.json()); }

SweepOptions read_options(const fs::path& file) {
  const Node written = read_yaml(file);
  const Node* sweep = written.find("sweep");
  SweepOptions out;
  Problems problems;
  read_fields(fields_of(out), sweep ? *sweep : Node::mapping(), "sweep", problems);
  if (!problems.empty()) throw ConfigError(problems, file.string(), false);
  return out;
}

}  // namespace

Json SlurmJob::json() const {
  Json all = Json::array();
  for (const auto& trials : tasks) {
    Json numbers = Json::array();
    for (const size_t trial : trials) numbers.push_back(trial + 1);
    all.push_back(std::move(numbers));
  }
  return {{"job", id}, {"tasks", all}};
}

SlurmJob SlurmJob::from_json(const Json& value, const std::string& where, size_t trials) {
  ObjectReader reader(value, where);
  SlurmJob out;
  out.id = reader.string("job");
  for (const Json& task : reader.array("tasks")) {
    out.tasks.emplace_back();
    for (const Json& number : task) {
      const bool known = number.is_number_unsigned() && number.get<size_t>() - 1 < trials;
      if (!known)
        throw Error(ExitCode::kData, reader.place("tasks") + " names trials that there are not");
      out.tasks.back().push_back(number.get<size_t>() - 1);
    }
  }
  reader.no_rest();
  return out;
}

bool holds_sweep(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "sweep.yaml", ignored) && fs::exists(folder / "plan.json", ignored);
}

fs::path sweep_of(const fs::path& run) {
  const fs::path trials = fs::absolute(run).lexically_normal().parent_path();
  const bool within = trials.filename() == "trials" && holds_sweep(trials.parent_path());
  return within ? trials.parent_path() : fs::path();
}

Sweep Sweep::create(const SweepSpec& spec, const Plan& plan, const fs::path& folder) {
  Sweep out(fs::absolute(new_folder(spec.name, folder)));
  out.lock();
  out.take(spec, plan);
  refuse_remains(out.path_);
  try {
    out.freeze(spec, plan);
  } catch (const Error&) {
    std::error_code ignored;
    for (const char* part : kParts) fs::remove_all(out.path_ / part, ignored);
    throw;
  }
  out.note_states();
  return out;
}

void Sweep::take(const SweepSpec& spec, const Plan& plan) {
  options_ = spec.options;
  options_.name = spec.name;
  configs_ = spec.configs;
  has_best_ = vitrine::has_best(plan, spec.options);
  jobs_ = plan.jobs;
  left_out_ = plan.left_out;
  drawn_ = plan.drawn;
}

void Sweep::freeze(const SweepSpec& spec, const Plan& plan) {
  FrozenCode code(path_ / "build");
  make_folder(path_ / "trials");
  directory_ = fs::current_path();
  add_trials(plan, code);
  write_file_atomically(path_ / "sweep.yaml", to_yaml(spec));
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
  trials_.push_back(std::move(trial));
  states_.emplace_back();
}

Node Sweep::config(const Trial& trial) const {
  if (trial.differences.is_null())
    return read_yaml(path_ / "trials" / trial.folder / "config.yaml");
  return with_differences(first_config_, trial.differences);
}

Node Sweep::written(size_t config, const Json& values) const {
  if (config >= configs_.size()) return Node::mapping();  // an older version kept none
  std::vector<Setting> settings;
  for (const auto& [path, value] : values.items()) settings.push_back({path, thawed(value)});
  std::stable_sort(settings.begin(), settings.end(), [](const Setting& a, const Setting& b) {
    return depth_of(a.path) < depth_of(b.path);
  });
  Node out = configs_[config].written;
  for (const Setting& setting : settings) set_value(out, setting.path, setting.value);
  return out;
}

void Sweep::write_config(const Trial& trial) const {
  const fs::path run = path_ / "trials" / trial.folder;
  make_folder(run);
  write_file_atomically(run / "config.yaml", to_yaml(config(trial)));
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
    out.cells.push_back({trial.config, {}, trial.cell});
    for (const auto& [path, value] : trial.values.items())
      out.cells.back().settings.push_back({path, thawed(value)});
  }
  out.left_out = left_out_;
  out.drawn = drawn_;
  out.plugins = plugins_;
  return out;
}

Growth Sweep::grow(const SweepSpec& spec, const Plan& plan) {
  const size_t before = trials_.size();
  name_cells(plan);
  take(spec, plan);
  FrozenCode code(path_ / "build", plugins_);
  try {
    const Growth out = add_trials(plan, code);
    write_file_atomically(path_ / "sweep.yaml", to_yaml(spec));
    write_plan();
    note_states();
    return out;
  } catch (const Error&) {
    std::error_code ignored;
    for (size_t i = before; i < trials_.size(); ++i) fs::remove_all(folder(i), ignored);
    throw;
  }
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

std::string Sweep::mend(size_t trial, bool retry_failed) {
  std::string out;
  const fs::path run = folder(trial);
  if (RunLock::is_held(run)) return out;
  const bool is_kept = !trials_[trial].differences.is_null();
  const Node planned = is_kept ? config(trials_[trial]) : Node::mapping();
  // What is made anew is sound; a folder may have more than one thing wrong.
  for (int i = 0; i < 3; ++i) {
    const Damage damage = damage_of(run, planned, states_[trial].status, retry_failed);
    if (!damage) break;
    if (!is_kept) {
      throw Error(ExitCode::kData, fmt::format("the folder {}; an older version made this sweep, "
                                               "which kept no config to make it again",
                                               damage.words));
    }
    const fs::path kept = set_aside(damage.part);
    if (damage.part != run / "metrics.json") write_config(trials_[trial]);
    out += (out.empty() ? "" : "; it ") + damage.words + ": " + damage.cure;
    if (!kept.empty())
      out += fmt::format(" (what there was is in {})", escape(fs::proximate(kept).string()));
  }
  if (out.empty()) return out;
  states_[trial] = {};
  refresh(trial);
  return out;
}

// Moves what is left of a trial, so that nothing takes it for one. Empty: nothing was there.
fs::path Sweep::set_aside(const fs::path& part) const {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(part, error))) return {};
  const fs::path name = part.lexically_relative(path_ / "trials");
  fs::path out;
  for (int i = 1; out.empty() || fs::exists(fs::symlink_status(out, error)); ++i) {
    out = path_ / ".damaged" / fmt::format("{}-{}", name.begin()->string(), i);
    if (std::next(name.begin()) != name.end()) out /= *std::next(name.begin());
  }
  make_folder(out.parent_path());
  fs::rename(part, out, error);
  if (!error) return out;
  throw Error(ExitCode::kFailed,
              fmt::format("cannot move {}: {}", escape(part.string()), error.message()));
}

void Sweep::set_failed(size_t trial, const std::string& error) {
  states_[trial].status = TrialStatus::kFailed;
  states_[trial].error = error;
}

void Sweep::add_confirmation(size_t like, int64_t seed) {
  Trial trial = trials_[like];
  Node config = this->config(trial);
  trial.folder =
      fmt::format("{:04}-confirm-{}-seed-{}", trials_.size() + 1, slug(trial.cell), seed);
  trial.seed = seed;
  trial.confirms = true;
  set_replicate(config, written(trial.config, trial.values), seed);
  tag_as_confirming(config);
  const fs::path run = path_ / "trials" / trial.folder;
  make_folder(run);
  write_file_atomically(run / "config.yaml", to_yaml(config));
  if (!trial.differences.is_null()) trial.differences = differences(first_config_, config);
  trials_.push_back(std::move(trial));
  states_.emplace_back();
}

void Sweep::add_slurm_job(SlurmJob job) {
  slurm_jobs_.push_back(std::move(job));
  write_plan();
}

void Sweep::write_plan() const {
  Json trials = Json::array();
  for (const Trial& trial : trials_) trials.push_back(trial.plan_json());
  Json plan = {{"format", kFormat},
               {"has_best", has_best_},
               {"jobs", jobs_},
               {"left_out", to_json(left_out_)},
               {"trials", trials}};
  if (!configs_.empty()) plan["frozen"] = frozen();
  for (const SlurmJob& job : slurm_jobs_) plan["slurm_jobs"].push_back(job.json());
  write_file_atomically(path_ / "plan.json",
                        plan.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// What trials are made from, now and when the sweep grows.
Json Sweep::frozen() const {
  Json configs = Json::array();
  for (const BaseConfig& config : configs_) configs.push_back(frozen_json(config));
  return {{"directory", directory_.string()},
          {"drawn", drawn_},
          {"plugins", Json(plugins_)},
          {"configs", configs},
          {"first", first_config_.json()}};
}

void Sweep::thaw(const Json& value, const std::string& where) {
  ObjectReader reader(value, where);
  directory_ = reader.string("directory");
  drawn_ = static_cast<uint64_t>(reader.integer("drawn", 0));
  ObjectReader plugins(reader.object("plugins"), reader.place("plugins"));
  for (const auto& [path, copy] : reader.object("plugins").items())
    plugins_[path] = plugins.string(path);
  for (const Json& config : reader.array("configs"))
    configs_.push_back(thawed_config(config, reader.place("configs")));
  first_config_ = Node::from_json(reader.object("first"));
  reader.no_rest();
}

Sweep Sweep::open(const fs::path& folder) {
  std::error_code error;
  Sweep out(fs::canonical(folder, error));
  if (error || !holds_sweep(out.path_)) {
    throw Error(ExitCode::kUsage,
                escape(folder.string()) + " holds no sweep (no sweep.yaml and plan.json)");
  }
  out.options_ = read_options(out.path_ / "sweep.yaml");
  const fs::path file = out.path_ / "plan.json";
  const std::string where = escape(file.string());
  const Json plan = parse_ordered_json(read_file(file, kMostPlanBytes), file.string());
  ObjectReader reader(plan, where);
  if (reader.integer("format", 1) != kFormat)
    throw Error(ExitCode::kData, where + ": written by another version");
  out.has_best_ = reader.boolean("has_best");
  out.jobs_ = reader.integer("jobs", 1);
  for (const Json& cell : reader.array("left_out")) {
    ObjectReader entry(cell, where + ": left_out");
    out.left_out_.push_back({entry.string("cell"), entry.string("reason")});
  }
  if (reader.has("frozen")) out.thaw(reader.object("frozen"), where + ": frozen");
  for (const Json& trial : reader.array("trials")) {
    out.trials_.push_back(
        Trial::from_json(trial, fmt::format("{}: trials[{}]", where, out.trials_.size())));
    const Trial& last = out.trials_.back();
    if (!last.differences.is_null() && last.config >= out.configs_.size())
      throw Error(ExitCode::kData, where + ": a trial has a config that there is not");
  }
  if (reader.has("slurm_jobs")) {
    for (const Json& job : reader.array("slurm_jobs")) {
      const std::string place = fmt::format("{}: slurm_jobs[{}]", where, out.slurm_jobs_.size());
      out.slurm_jobs_.push_back(SlurmJob::from_json(job, place, out.trials_.size()));
    }
  }
  reader.no_rest();
  out.states_.resize(out.trials_.size());
  out.refresh();
  out.best_ = out.find(fs::read_symlink(out.path_ / kBest, error));
  return out;
}

std::optional<size_t> Sweep::find(const fs::path& run) const {
  const std::string name = run.filename();
  std::string digits = name.substr(0, name.find('-'));
  digits.erase(0, digits.find_first_not_of('0'));
  const auto number = parse_integer(digits);
  if (!number || *number < 1 || static_cast<size_t>(*number) > trials_.size()) return std::nullopt;
  const auto trial = static_cast<size_t>(*number) - 1;
  return trials_[trial].folder == name ? std::optional(trial) : std::nullopt;
}

bool Sweep::is_confirming() const {
  return std::any_of(trials_.begin(), trials_.end(),
                     [](const Trial& trial) { return trial.confirms; });
}

void Sweep::lock() { lock_.emplace(path_); }

void Sweep::refresh(size_t trial) {
  try {
    TrialState& state = states_[trial];
    update_trial(state, folder(trial), options_.metric);
    const bool at_end_of_epoch = state.step == state.epoch * trials_[trial].steps_per_epoch;
    if (options_.method == "asha" && state.status == TrialStatus::kStopped && at_end_of_epoch)
      state.status = TrialStatus::kPaused;
  } catch (const Error& error) {  // one damaged file hides no other trial
    states_[trial] = {};
    states_[trial].status = TrialStatus::kFailed;
    states_[trial].error = error.what();
  }
}

void Sweep::refresh() {
  for (size_t i = 0; i < trials_.size(); ++i) refresh(i);
}

std::optional<double> Sweep::value(size_t trial) const {
  return states_[trial].best(options_.larger_is_better());
}

bool Sweep::has_best_link() const {
  std::error_code error;
  return best_ && fs::read_symlink(path_ / kBest, error) == run(*best_) && !error;
}

void Sweep::set_best(std::optional<size_t> trial) {
  const fs::path link = path_ / kBest;
  std::error_code ignored;
  if (trial) {
    if (trial != best_ || !has_best_link()) point_link(link, run(*trial));
  } else if (fs::is_symlink(fs::symlink_status(link, ignored))) {
    fs::remove(link, ignored);
  }
  const bool is_new = trial != best_;
  best_ = trial;
  if (is_new) note_states();
}

void Sweep::note_states() const {
  const auto apart = apart_trials(*this);
  Json trials = Json::array();
  for (size_t i = 0; i < trials_.size(); ++i) {
    Json row = {{"folder", "trials/" + trials_[i].folder}};
    row.update(trials_[i].json());
    row["folder"] = "trials/" + trials_[i].folder;
    row.update(states_[i].json(options_.metric, options_.larger_is_better()));
    if (const auto found = apart.find(i); found != apart.end()) row["not_counted"] = found->second;
    trials.push_back(std::move(row));
  }
  Json out = {{"format", kFormat},         {"name", options_.name},
              {"method", options_.method}, {"metric", has_best_ ? Json(options_.metric) : Json()},
              {"written", utc_now()},      {"best", best_ ? Json(run(*best_).string()) : Json()},
              {"trials", trials}};
  for (const SlurmJob& job : slurm_jobs_) out["slurm_jobs"].push_back(job.id);
  write_file_atomically(path_ / "sweep.json",
                        out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace vitrine
