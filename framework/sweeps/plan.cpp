#include "framework/sweeps/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "framework/config/scalar.h"
#include "framework/sweeps/combinations.h"

namespace vitrine {
namespace {

constexpr size_t kMostTrials = 100'000;

// The keys that take more than one value, with what they are called for short.
std::map<std::string, std::string> short_names(const SweepOptions& options) {
  std::set<std::string> varying;
  for (const Parameter& parameter : options.parameters.list) {
    if (parameter.range || parameter.values.size() > 1) varying.insert(parameter.path);
  }
  if (options.cells.list.size() > 1) {
    for (const auto& settings : options.cells.list) {
      for (const Setting& setting : settings) varying.insert(setting.path);
    }
  }
  const std::vector<std::string> paths(varying.begin(), varying.end());
  std::map<std::string, std::string> out;
  for (const std::string& path : paths) out[path] = short_name(path, paths);
  return out;
}

// Of each config its file's stem; its path too where another one has the same.
std::vector<std::string> names_of(const std::vector<BaseConfig>& configs) {
  std::vector<std::string> out;
  for (const BaseConfig& config : configs) {
    const std::filesystem::path file = config.file;
    const auto is_like = [&](const BaseConfig& other) {
      return std::filesystem::path(other.file).stem() == file.stem();
    };
    const bool alone = std::count_if(configs.begin(), configs.end(), is_like) == 1;
    out.push_back((alone ? file.stem() : file.parent_path() / file.stem()).string());
  }
  return out;
}

// What a trial computes, and how; equal for cells that differ in how they are written alone.
std::string computed(const ResolvedConfig& config, const std::vector<std::string>& given) {
  std::string out;
  for (const Key& key : config.keys) {
    const bool is_given = std::find(given.begin(), given.end(), key.path) != given.end();
    if (key.role == Role::kLabel || is_given) continue;
    const Node* value = config.resolved.at_path(key.path);
    out += key.path + "=" + to_flow_yaml(key.is_type ? *value->find("type") : *value) + "\n";
  }
  return out;
}

// Somebody may mean an option of the sweep itself.
void list_options(KnownKeys& out) {
  SweepOptions options;
  list_known(fields_of(options), "sweep", nullptr, out);
}

class Planner {
 public:
  Planner(const SweepSpec& spec, Engine& engine)
      : spec_(spec),
        engine_(engine),
        configs_(names_of(spec.configs)),
        names_(short_names(spec.options)) {}

  void run(Plan& plan) {
    Combinations combinations(spec_);
    // Of what is drawn, as many as are possible; a space with hardly any is given up.
    const size_t wanted = spec_.options.draws() ? static_cast<size_t>(*spec_.options.trials)
                                                : std::numeric_limits<size_t>::max();
    const size_t most_left_out = spec_.options.draws() ? 100 + 10 * wanted : wanted;
    while (plan.cells.size() < wanted && plan.left_out.size() < most_left_out) {
      const auto combination = combinations.next();
      if (!combination) break;
      add(plan, *combination);
      if (plan.trials() <= kMostTrials) continue;
      throw Error(ExitCode::kUsage, fmt::format("the sweep has more than {} trials", kMostTrials));
    }
    for (Cell& cell : plan.cells) name_followers(cell, plan);
    if (!plan.cells.empty()) return;
    if (plan.left_out.size() == 1) std::rethrow_exception(first_);
    throw Error(ExitCode::kUsage, "no cell of the sweep is possible:" + to_text(plan.left_out));
  }

 private:
  void add(Plan& plan, const Combination& combination) {
    const BaseConfig& base = spec_.configs[combination.config];
    Cell cell = {combination.settings, label(combination), nullptr, {}};
    try {
      cell.resolved =
          engine_.resolve(written(base, combination, plan.seeds), base.file, list_options);
      for (const std::string& note : cell.resolved->notes) {
        if (std::find(plan.notes.begin(), plan.notes.end(), note) == plan.notes.end())
          plan.notes.push_back(note);
      }
      if (is_known(plan, cell)) return;
      cell.work = engine_.workload(cell.resolved);
    } catch (const ConfigError& error) {
      // A typing mistake would shrink the sweep silently.
      if (!error.impossible()) throw;
      leave_out(plan, cell, fmt::format("{}", fmt::join(error.messages(), "; ")));
      return;
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      leave_out(plan, cell, "the model needs more memory than there is");
      return;
    }
    plan.cells.push_back(std::move(cell));
  }

  void leave_out(Plan& plan, const Cell& cell, const std::string& reason) {
    if (!first_) first_ = std::current_exception();
    plan.left_out.push_back({cell.label, reason});
  }

  // Whether an earlier cell computes the same. Of draws one is enough; of what was listed somebody
  // means another value.
  bool is_known(const Plan& plan, const Cell& cell) {
    const auto given =
        plan.seeds.empty() ? std::vector<std::string>() : replicate_of(cell.resolved->resolved);
    const auto [known, is_new] = known_.emplace(computed(*cell.resolved, given), cell.label);
    if (is_new || spec_.options.draws()) return !is_new;
    throw Error(ExitCode::kUsage, fmt::format("{} and {} are the same: every value is equal",
                                              escape(known->second), escape(cell.label)));
  }

  Node written(const BaseConfig& base, const Combination& combination,
               const std::vector<int64_t>& seeds) const {
    std::vector<Setting> settings = combination.settings;
    std::stable_sort(settings.begin(), settings.end(), [](const Setting& a, const Setting& b) {
      return depth_of(a.path) < depth_of(b.path);
    });
    Node out = base.written;
    for (const Setting& setting : settings) set_value(out, setting.path, setting.value);
    const auto& replicate = spec_.options.replicate;
    if (!replicate.empty()) {
      Node keys = Node::sequence({});
      for (const std::string& key : replicate) keys.children.push_back(Node::string(key));
      out.set("replicate", std::move(keys));
    }
    // Any of the seeds tells whether these keys take one at all.
    for (const std::string& key : replicate_of(out)) {
      if (!seeds.empty()) set_value(out, key, Node::plain(std::to_string(seeds.back())));
    }
    return out;
  }

  // An option that goes with a swept component's type, and that nobody chose, is named behind it:
  // "optimizer=adamw (lr 0.001)".
  void name_followers(Cell& cell, const Plan& plan) const {
    for (const Setting& setting : cell.settings) {
      const auto name = names_.find(setting.path);
      if (name == names_.end()) continue;
      const std::vector<std::string> own = followers(setting.path, cell, plan);
      if (own.empty()) continue;
      const std::string part = name->second + "=" + to_flow_yaml(setting.value);
      const size_t at = (" " + cell.label + " ").find(" " + part + " ");
      if (at != std::string::npos)
        cell.label.insert(at + part.size(), fmt::format(" ({})", fmt::join(own, ", ")));
    }
  }

  // "lr 0.001" of each option below the component that other types have as well, with another value.
  static std::vector<std::string> followers(const std::string& component, const Cell& cell,
                                            const Plan& plan) {
    std::vector<std::string> out;
    const Node* mine = cell.resolved->resolved.at_path(component);
    if (!mine || !mine->find("type")) return out;
    for (const Key& key : cell.resolved->keys) {
      if (key.is_type || key.role != Role::kResult || !key.path.starts_with(component + "."))
        continue;
      const auto is_chosen = [&](const Setting& setting) {
        const std::string below = key.path.substr(setting.path.size() < key.path.size()
                                                      ? setting.path.size() + 1
                                                      : key.path.size());
        return setting.path == key.path ||
               (key.path.starts_with(setting.path + ".") && setting.value.at_path(below));
      };
      if (std::any_of(cell.settings.begin(), cell.settings.end(), is_chosen)) continue;
      const std::string value = to_flow_yaml(*cell.resolved->resolved.at_path(key.path));
      const auto differs = [&](const Cell& other) {
        const Node* there = other.resolved->resolved.at_path(key.path);
        const Node* type = other.resolved->resolved.at_path(component + ".type");
        return there && type && type->scalar != mine->find("type")->scalar &&
               to_flow_yaml(*there) != value;
      };
      if (std::any_of(plan.cells.begin(), plan.cells.end(), differs))
        out.push_back(key.path.substr(component.size() + 1) + " " + value);
    }
    return out;
  }

  std::string label(const Combination& combination) const {
    std::vector<std::string> parts;
    if (spec_.configs.size() > 1) parts.push_back(configs_[combination.config]);
    for (const Setting& setting : combination.settings) {
      const auto name = names_.find(setting.path);
      if (name != names_.end()) parts.push_back(name->second + "=" + to_flow_yaml(setting.value));
    }
    if (parts.empty()) parts.push_back(configs_[0]);
    return fmt::format("{}", fmt::join(parts, " "));
  }

  const SweepSpec& spec_;
  Engine& engine_;
  std::vector<std::string> configs_;
  std::map<std::string, std::string> names_;  // of the keys that vary
  std::map<std::string, std::string> known_;  // labels of what is computed
  std::exception_ptr first_;
};

// The cells that were asked for, before any is found impossible.
size_t expected_trials(const SweepSpec& spec) {
  const auto count = Combinations(spec).count();
  const auto drawn = static_cast<uint64_t>(spec.options.trials.value_or(INT64_MAX));
  const uint64_t cells = std::min(count.value_or(drawn), drawn);
  return static_cast<size_t>(cells) * std::max<size_t>(spec.options.seeds.list.size(), 1);
}

std::vector<std::string> tasks_of(const ResolvedConfig& config) {
  std::vector<std::string> out;
  const Node* tasks = config.resolved.at_path("model.tasks");
  for (size_t i = 0; tasks && i < tasks->children.size(); ++i) {
    if (const Node* name = tasks->children[i].find("name")) out.push_back(name->scalar);
  }
  return out;
}

[[noreturn]] void refuse_sweep(const SweepSpec& spec, const Location& place,
                               const std::string& message, const std::string& hint = "") {
  Problems problems;
  problems.add(place, message, hint);
  throw ConfigError(problems, spec.configs[0].file, true);
}

// A metric that would be missed only when the first trial has ended.
void check_metric(const Plan& plan, const SweepSpec& spec) {
  const SweepOptions& options = spec.options;
  const auto refuse_metric = [&](const Cell& cell, const std::string& reason,
                                 const std::string& hint) {
    refuse_sweep(spec, spec.place_of({"metric", "confirm", "method"}),
                 fmt::format("sweep.metric: {} is not known of {}: {}", escape(options.metric),
                             escape(cell.label), reason),
                 hint);
  };
  const bool needs_best =
      options.method == "asha" || options.confirm || options.metric != SweepOptions().metric;
  const size_t dot = options.metric.find('.');
  for (const Cell& cell : plan.cells) {
    const bool validation = options.metric.starts_with("validation/");
    if (validation && needs_best && !cell.work.validates)
      refuse_metric(cell, "there is no validation split", "dataset.validation=0.1 makes one");
    const auto tasks = tasks_of(*cell.resolved);
    if (dot != options.metric.npos &&
        std::find(tasks.begin(), tasks.end(), options.metric.substr(dot + 1)) == tasks.end()) {
      refuse_metric(cell,
                    tasks.empty() ? "it has one task"
                                  : fmt::format("its tasks are {}", fmt::join(tasks, ", ")),
                    tasks.empty() ? "write " + escape(options.metric.substr(0, dot)) : "");
    }
  }
}

// Where a key of the trials' configs is given; else where the method is.
Location place_of_key(const SweepSpec& spec, const std::string& path) {
  for (const Parameter& parameter : spec.options.parameters.list) {
    if (parameter.path == path) return parameter.location;
  }
  for (const auto& settings : spec.options.cells.list) {
    for (const Setting& setting : settings) {
      if (setting.path == path) return setting.value.key_location;
    }
  }
  for (const BaseConfig& config : spec.configs) {
    if (const Node* given = config.written.at_path(path)) return given->key_location;
  }
  return spec.place_of({"method"});
}

// Halving compares after so many epochs, so that all need to have as many.
void check_asha(const Plan& plan, const SweepSpec& spec) {
  const SweepOptions& options = spec.options;
  if (options.method != "asha") return;
  if (plan.seeds.size() > 1) {
    refuse_sweep(spec, spec.place_of({"seeds"}),
                 "sweep.seeds: asha compares single runs and takes one seed",
                 "--confirm runs the winners again on fresh seeds");
  }
  const auto epochs_of = [](const Cell& cell) {
    return cell.resolved->resolved.at_path("training.epochs")->scalar;
  };
  for (const Cell& cell : plan.cells) {
    if (cell.resolved->resolved.at_path("training.max_steps")->kind != Node::Kind::kNull) {
      refuse_sweep(spec, place_of_key(spec, "training.max_steps"),
                   "training.max_steps: asha compares trials after whole epochs",
                   "training.epochs says how many");
    }
    if (epochs_of(cell) == epochs_of(plan.cells[0])) continue;
    refuse_sweep(spec, place_of_key(spec, "training.epochs"),
                 "training.epochs: asha compares trials after equal numbers of epochs",
                 "the same number for all of them");
  }
  const auto epochs = parse_integer(epochs_of(plan.cells[0]));
  if (options.min_epochs < *epochs) return;
  refuse_sweep(spec, spec.place_of({"min_epochs", "method"}),
               fmt::format("sweep.min_epochs ({}) must be below training.epochs ({})",
                           options.min_epochs, *epochs),
               "else asha would never compare");
}

int64_t jobs_of(const Plan& plan, const Machine& machine, Engine& engine) {
  if (machine.jobs) return *machine.jobs;
  const ResolvedConfig& first = *plan.cells[0].resolved;
  if (first.device != "cpu") return std::max<int64_t>(engine.devices(first.device), 1);
  int64_t threads = 1;
  for (const Cell& cell : plan.cells) threads = std::max(threads, cell.resolved->threads);
  const int64_t most = std::max<int64_t>(machine.cores / threads, 1);
  return std::min(most, static_cast<int64_t>(plan.trials()));
}

}  // namespace

std::vector<std::string> replicate_of(const Node& config) {
  std::vector<std::string> out;
  const Node* keys = config.find("replicate");
  if (keys && keys->kind == Node::Kind::kScalar) out.push_back(keys->scalar);
  if (keys && keys->kind == Node::Kind::kSequence) {
    for (const Node& key : keys->children) out.push_back(key.scalar);
  }
  return out.empty() ? std::vector<std::string>{"seed"} : out;
}

std::string to_text(const std::vector<LeftOut>& cells) {
  constexpr size_t kMostShown = 30;
  std::string out;
  for (size_t i = 0; i < std::min(cells.size(), kMostShown); ++i)
    out += fmt::format("\n  {}: {}", escape(cells[i].label), escape(cells[i].reason));
  if (cells.size() > kMostShown) out += fmt::format("\n  and {} more", cells.size() - kMostShown);
  return out;
}

nlohmann::ordered_json to_json(const std::vector<LeftOut>& cells) {
  auto out = nlohmann::ordered_json::array();
  for (const LeftOut& cell : cells) out.push_back({{"cell", cell.label}, {"reason", cell.reason}});
  return out;
}

Plan make_plan(const SweepSpec& spec, const Machine& machine, Engine& engine) {
  Plan plan;
  plan.seeds = spec.options.seeds.list;
  const auto expected = static_cast<int64_t>(std::min<size_t>(expected_trials(spec), kMostTrials));
  const int64_t jobs = machine.jobs.value_or(std::min(machine.cores, expected));
  engine.set_threads(std::max<int64_t>(machine.cores / std::max<int64_t>(jobs, 1), 1));
  Planner(spec, engine).run(plan);
  check_metric(plan, spec);
  check_asha(plan, spec);
  plan.jobs = jobs_of(plan, machine, engine);
  return plan;
}

bool has_best(const Plan& plan, const SweepOptions& options) {
  return std::all_of(plan.cells.begin(), plan.cells.end(), [&](const Cell& cell) {
    return cell.work.validates || options.metric.starts_with("train/");
  });
}

}  // namespace vitrine
