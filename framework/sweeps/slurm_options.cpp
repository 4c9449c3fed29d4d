#include "framework/sweeps/slurm_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace vitrine {
namespace {

// Options that are the sweep's own business, or that keep sbatch from submitting.
constexpr const char* kOwn[] = {"array",   "job-name",   "output",    "error",    "open-mode",
                                "requeue", "no-requeue", "signal",    "parsable", "quiet",
                                "wait",    "wrap",       "test-only", "help",     "usage",
                                "version", "clusters",   "comment",   "chdir",    "input"};

bool is_text(const std::string& value) { return !value.empty() && escape(value) == value; }

// "--mail-type=FAIL" -> "mail-type"
std::string option_of(const std::string& argument) {
  return argument.substr(2, argument.find('=') - 2);
}

// The keys that are options of sbatch themselves, as sbatch spells them.
std::vector<std::string> options_with_keys() {
  SlurmOptions options;
  std::vector<std::string> out;
  for (std::string name : fields_of(options).names()) {
    if (name == "trials_per_task" || name == "ranks" || name == "extra") continue;
    std::replace(name.begin(), name.end(), '_', '-');
    out.push_back(std::move(name));
  }
  return out;
}

}  // namespace

std::optional<int64_t> slurm_seconds(const std::string& time) {
  const auto number = [](const std::string& text) -> std::optional<int64_t> {
    constexpr size_t kMostDigits = 9;
    const bool digits = text.find_first_not_of("0123456789") == text.npos;
    if (text.empty() || text.size() > kMostDigits || !digits) return std::nullopt;
    return std::stoll(text);
  };
  const size_t dash = time.find('-');
  const bool has_days = dash != time.npos;
  std::vector<int64_t> units = {86400, 3600, 60, 1}, counts;
  std::string rest = has_days ? time.substr(dash + 1) : time;
  if (has_days) {
    const auto days = number(time.substr(0, dash));
    if (!days) return std::nullopt;
    counts.push_back(*days);
  }
  for (size_t colon = 0; colon != rest.npos;) {
    colon = rest.find(':');
    const auto count = number(rest.substr(0, colon));
    if (!count || counts.size() == units.size()) return std::nullopt;
    counts.push_back(*count);
    if (colon != rest.npos) rest.erase(0, colon + 1);
  }
  if (!has_days && counts.size() > 3) return std::nullopt;
  // Without days the first is an hour where there are three, else a minute.
  size_t unit = has_days ? 0 : counts.size() == 3 ? 1 : 2;
  int64_t out = 0;
  for (const int64_t count : counts) out += count * units[unit++];
  return out;
}

bool SlurmOptions::is_own_variable(std::string_view name) {
  if (name == "SBATCH_ARRAY_INX") return true;  // --array
  const auto is_it = [&](std::string option) {
    std::transform(option.begin(), option.end(), option.begin(),
                   [](char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    return name == "SBATCH_" + option;
  };
  return std::any_of(std::begin(kOwn), std::end(kOwn), is_it);
}

std::optional<int64_t> SlurmOptions::seconds() const {
  return time ? slurm_seconds(*time) : std::nullopt;
}

void SlurmOptions::visit(Fields& field) {
  field("partition", partition, "where the job runs").words({"queue"});
  field("time", time, "limit of a task's time, as Slurm writes it; trials save before it and go on")
      .words({"time_limit", "timeout", "walltime"});
  field("cpus_per_task", cpus_per_task, "cores of a trial; null: as many as it has threads",
        at_least(1));
  field("mem", mem, "memory, such as 4G").words({"memory"});
  field("gpus", gpus, "GPUs, such as 1 or a100:1");
  field("gres", gres, "other generic resources, or GPUs where Slurm does not know gpus: gpu:1")
      .words({"resources"});
  field("account", account, "who is charged");
  field("qos", qos, "quality of service").words({"quality_of_service"});
  field("constraint", constraint, "features that nodes must have");
  field("trials_per_task", trials_per_task, "trials that a task of the array runs one by one",
        at_least(1))
      .words({"pack"});
  field("ranks", ranks,
        "processes that a trial is trained in, by MPI; cpus_per_task and mem are of each",
        at_least(1))
      .words({"ntasks", "tasks", "processes"});
  field("extra", extra, "further options of sbatch, such as --mail-type=FAIL");
}

void SlurmOptions::check(Check check) const {
  const std::pair<const char*, const std::optional<std::string>&> texts[] = {
      {"partition", partition}, {"time", time},       {"mem", mem}, {"gpus", gpus},
      {"gres", gres},           {"account", account}, {"qos", qos}, {"constraint", constraint}};
  for (const auto& [name, value] : texts) {
    if (value && !is_text(*value))
      check.error({name}, fmt::format("{}: expected text, got \"{}\"", name, escape(*value)));
  }
  const auto seconds = this->seconds();
  if (time && !seconds) {
    check.error({"time"}, fmt::format("time: expected minutes, hours:minutes:seconds or "
                                      "days-hours, got \"{}\"",
                                      escape(*time)));
  } else if (seconds && *seconds < kLeastSeconds) {
    check.error({"time"}, fmt::format("time: at least {} minutes, since trials are asked to save "
                                      "{} minutes before the end",
                                      kLeastSeconds / 60, kSecondsToSave / 60));
  }
  const std::vector<std::string> keys = options_with_keys();
  for (const std::string& argument : extra) {
    if (!argument.starts_with("--") || argument.size() < 3 || !is_text(argument)) {
      check.error({"extra"}, fmt::format("extra: expected an option of sbatch with its value, such "
                                         "as --mail-type=FAIL, got \"{}\"",
                                         escape(argument)));
      continue;
    }
    const std::string name = option_of(argument);
    // sbatch takes abbreviations.
    const auto is_meant = [&](const std::string& option) { return option.starts_with(name); };
    if (std::any_of(std::begin(kOwn), std::end(kOwn), is_meant)) {
      check.error({"extra"}, fmt::format("extra: --{} is what the sweep itself decides", name));
    } else if (std::any_of(keys.begin(), keys.end(), is_meant)) {
      check.error({"extra"}, fmt::format("extra: --{} has a key of its own in sweep.slurm", name));
    }
  }
}

std::vector<std::string> SlurmOptions::arguments(const std::string& dependency) const {
  std::vector<std::string> out;
  const auto add = [&](const char* option, const std::optional<std::string>& value) {
    if (value) out.push_back(fmt::format("--{}={}", option, *value));
  };
  add("partition", partition);
  add("time", time);
  out.push_back(fmt::format("--cpus-per-task={}", cpus_per_task.value_or(1)));
  if (ranks > 1) out.push_back(fmt::format("--ntasks={}", ranks));
  add("mem", mem);
  add("gpus", gpus);
  add("gres", gres);
  add("account", account);
  add("qos", qos);
  add("constraint", constraint);
  out.insert(out.end(), extra.begin(), extra.end());
  if (dependency.empty()) return out;
  for (std::string& argument : out) {
    const bool is_dependency =
        argument.starts_with("--dep") && std::string("dependency").starts_with(option_of(argument));
    if (!is_dependency) continue;
    argument += "," + dependency;
    return out;
  }
  out.push_back("--dependency=" + dependency);
  return out;
}

}  // namespace vitrine
