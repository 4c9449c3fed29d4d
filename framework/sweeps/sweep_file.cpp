#include <fmt/format.h>

#include <set>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/staged.h"
#include "framework/runs/object_reader.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/frozen_config.h"
#include "framework/sweeps/parts.h"
#include "framework/sweeps/sweep.h"

// The files sweep.yaml and plan.json.
namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// 100,000 trials take a third of it.
constexpr uint64_t kMostPlanBytes = uint64_t{1} << 28;
constexpr size_t kMostDigits = 18;  // of a job's number

// Older versions wrote the options of one method beside the sweep's own, whatever the method.
void take_older_options(Node& sweep) {
  Node* method = sweep.find("method");
  for (const char* name : {"min_epochs", "eta"}) {
    const Node* value = sweep.find(name);
    if (!value) continue;
    if (method && (method->is_mapping() || method->scalar == "asha"))
      set_value(sweep, std::string("method.") + name, *value);
    sweep.erase(name);
    method = sweep.find("method");
  }
}

SweepOptions read_options(const fs::path& file) {
  Node written = read_yaml(file);
  Node* sweep = written.find("sweep");
  if (sweep) take_older_options(*sweep);
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
  Json out = {{"job", id}, {"tasks", all}};
  if (!cluster.empty()) out["cluster"] = cluster;
  return out;
}

SlurmJob SlurmJob::from_json(const Json& value, const std::string& where, size_t trials) {
  ObjectReader reader(value, where);
  SlurmJob out;
  out.id = reader.string("job");
  if (reader.has("cluster")) out.cluster = reader.string("cluster");
  const std::string odd = out.id.empty() ? "" : out.id.substr(0, kMostDigits);
  if (out.id != odd || odd.find_first_not_of("0123456789") != odd.npos)
    throw Error(ExitCode::kData, reader.place("job") + " is no number of a job");
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

void Sweep::write_plan() const {
  Json trials = Json::array();
  for (const Trial& trial : trials_) trials.push_back(trial.plan_json());
  Json plan = {
      {"format", kFormat},
      {"id", id_},
      {"chosen_by",
       {{"name", chosen_by_.name}, {"goal", chosen_by_.info.goal}, {"unit", chosen_by_.info.unit}}},
      {"has_best", has_best_},
      {"jobs", jobs_},
      {"left_out", to_json(left_out_)},
      {"trials", trials}};
  if (to_come_ > 0) plan["to_come"] = to_come_;
  if (!spec_sha256_.empty()) plan["sweep_sha256"] = spec_sha256_;
  if (!configs_.empty()) plan["frozen"] = frozen();
  for (const SlurmJob& job : slurm_jobs_) plan["slurm_jobs"].push_back(job.json());
  write_file_atomically(path_ / "plan.json",
                        plan.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// What trials are made from, now and when the sweep grows.
Json Sweep::frozen() const {
  Json configs = Json::array();
  for (const BaseConfig& config : configs_) configs.push_back(frozen_json(config));
  Json out = {{"directory", launch_environment_.directory}};
  if (launch_environment_.variables) out["environment"] = Json(*launch_environment_.variables);
  out.update({{"drawn", drawn_},
              {"plugins", Json(plugins_)},
              {"configs", configs},
              {"first", first_config_.json()}});
  return out;
}

void Sweep::thaw(const Json& value, const std::string& where) {
  ObjectReader reader(value, where);
  launch_environment_.directory = reader.string("directory");
  if (reader.has("environment")) {
    ObjectReader variables(reader.object("environment"), reader.place("environment"));
    launch_environment_.variables.emplace();
    for (const auto& [name, value] : reader.object("environment").items()) {
      if (!LaunchEnvironment::matters(name))
        throw Error(ExitCode::kData, variables.place(name) + ": no variable that a sweep keeps");
      (*launch_environment_.variables)[name] = variables.string(name);
    }
  }
  drawn_ = static_cast<uint64_t>(reader.integer("drawn", 0));
  ObjectReader plugins(reader.object("plugins"), reader.place("plugins"));
  for (const auto& [path, copy] : reader.object("plugins").items())
    plugins_[path] = plugins.string(path);
  for (const Json& config : reader.array("configs"))
    configs_.push_back(thawed_config(config, reader.place("configs")));
  first_config_ = Node::from_json(reader.object("first"));
  reader.no_rest();
}

// The plan's folder, before anything is read.
Sweep Sweep::at(const fs::path& folder) {
  std::error_code error;
  Sweep out(fs::canonical(folder, error));
  if (error && !is_missing(error.value())) throw_read_error(folder, error.value());
  if (!error && holds_sweep(out.path_)) return out;
  throw Error(ExitCode::kUsage,
              escape(folder.string()) + " holds no sweep (no sweep.yaml and plan.json)");
}

Sweep Sweep::open(const fs::path& folder) {
  Sweep out = at(folder);
  out.read();
  return out;
}

Sweep Sweep::open_locked(const fs::path& folder) {
  Sweep out = at(folder);
  out.lock_.emplace(out.path_);
  out.read();
  out.settle();
  out.remove_temporaries();
  return out;
}

void Sweep::read() {
  try {
    read_plan();
    options_ = read_options(current_place(path_ / "sweep.yaml", spec_sha256_).path());
    if (chosen_by_.name.empty()) learn_chosen_by();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kData) throw;
    throw Error(ExitCode::kCheckpoint, error.what());
  }
  states_.resize(trials_.size());
  refresh();
  std::error_code ignored;
  best_ = find(fs::read_symlink(path_ / kBest, ignored));
}

// Of a sweep of an older version its runs tell what its metric means.
void Sweep::learn_chosen_by() {
  if (options_.metric.empty()) {
    throw Error(ExitCode::kData, escape((path_ / "plan.json").string()) +
                                     ": does not tell what its trials are chosen by");
  }
  chosen_by_ = {options_.metric, {"max", ""}};
  for (size_t i = 0; i < trials_.size(); ++i) {
    try {
      const Place metrics = RunDirectory::open(folder(i)).metrics();
      if (!exists(metrics)) continue;
      const auto infos = Metrics::read_alone(metrics).metrics;
      if (const auto found = infos.find(chosen_by_.name); found != infos.end()) {
        chosen_by_.info = found->second;
        return;
      }
    } catch (const Error&) {
      // What is wrong with a trial is told where it is read.
    }
  }
}

void Sweep::read_plan() {
  const fs::path file = path_ / "plan.json";
  const std::string where = escape(file.string());
  const Json plan = parse_ordered_json(read_file(file, kMostPlanBytes), file.string());
  ObjectReader reader(plan, where);
  if (reader.integer("format", 1) != kFormat)
    throw Error(ExitCode::kData, where + ": written by another version");
  if (reader.has("id")) id_ = reader.string("id");
  if (reader.has("sweep_sha256")) spec_sha256_ = reader.string("sweep_sha256");
  if (reader.has("chosen_by")) {
    ObjectReader chosen(reader.object("chosen_by"), where + ": chosen_by");
    chosen_by_ = {chosen.string("name"),
                  {chosen.one_of("goal", {"max", "min"}), chosen.string("unit")}};
    chosen.no_rest();
  }
  has_best_ = reader.boolean("has_best");
  jobs_ = reader.integer("jobs", 1);
  for (const Json& cell : reader.array("left_out")) {
    ObjectReader entry(cell, where + ": left_out");
    left_out_.push_back({entry.string("cell"), entry.string("reason")});
  }
  if (reader.has("to_come")) to_come_ = reader.integer("to_come", 0);
  if (reader.has("frozen")) thaw(reader.object("frozen"), where + ": frozen");
  read_trials(reader, where);
  if (reader.has("slurm_jobs")) {
    for (const Json& job : reader.array("slurm_jobs")) {
      const std::string place = fmt::format("{}: slurm_jobs[{}]", where, slurm_jobs_.size());
      slurm_jobs_.push_back(SlurmJob::from_json(job, place, trials_.size()));
    }
  }
  reader.no_rest();
}

void Sweep::read_trials(ObjectReader& plan, const std::string& where) {
  std::set<std::string> folders;
  for (const Json& trial : plan.array("trials")) {
    const std::string place = fmt::format("{}: trials[{}]", where, trials_.size());
    trials_.push_back(Trial::from_json(trial, place));
    const Trial& last = trials_.back();
    if (!last.differences.is_null() && last.config >= configs_.size())
      throw Error(ExitCode::kData, where + ": a trial has a config that there is not");
    if (!folders.insert(last.folder).second)
      throw Error(ExitCode::kData, place + ": folder is that of another trial");
  }
  if (trials_.empty()) throw Error(ExitCode::kData, plan.place("trials") + " is empty");
}

}  // namespace vitrine
