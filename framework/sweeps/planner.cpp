#include "framework/sweeps/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/files/paths.h"
#include "framework/registry/given_plugins.h"

namespace vitrine {
namespace {

// The keys that take more than one value, with what they are called for short.
std::map<std::string, std::string> short_names(const Space& space) {
  const std::vector<std::string> paths = varying_paths(space);
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
    const std::string name = default_name(file);
    out.push_back(alone ? name : (file.parent_path() / name).string());
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

// The paths under `plugins`, which may be a lone one.
std::vector<Node*> plugins_in(Node& config) {
  std::vector<Node*> out;
  Node* plugins = config.find("plugins");
  if (plugins && plugins->kind == Node::Kind::kScalar) out.push_back(plugins);
  for (size_t i = 0; plugins && i < plugins->children.size(); ++i)
    out.push_back(&plugins->children[i]);
  return out;
}

// Lets the config name the copies of plug-ins that a sweep has.
void take_copies(Node& config, const std::map<std::string, std::string>& plugins) {
  for (Node* plugin : plugins_in(config)) {
    const auto path = std::filesystem::absolute(expand_home(plugin->scalar)).lexically_normal();
    if (const auto copy = plugins.find(path.string()); copy != plugins.end())
      plugin->scalar = copy->second;
  }
}

// The types of all keys, those of plug-ins included.
FieldTypes types_of(const SweepSpec& spec, const Grown& grown, Engine& engine) {
  for (BaseConfig config : spec.configs) {
    config.written = with_own_values(config.written);
    take_copies(config.written, grown.plugins);
    std::vector<std::string> files;
    for (const Node* plugin : plugins_in(config.written)) {
      if (!plugin->scalar.empty()) files.push_back(plugin->scalar);
    }
    load_plugins(files);
  }
  return FieldTypes(engine.schema());
}

}  // namespace

Planner::Planner(const SweepSpec& spec, const Grown& grown, Engine& engine)
    : spec_(spec),
      grown_(grown),
      engine_(engine),
      configs_(names_of(spec.configs)),
      types_(types_of(spec, grown, engine)),
      space_(read_space(spec.options, types_, mistakes_.problems())),
      names_(short_names(space_)),
      dimensions_(dimensions_of(space_, spec.configs.size())),
      combinations_(spec, space_, types_) {}

size_t Planner::expected_trials() const {
  const auto drawn = static_cast<uint64_t>(spec_.options.trials.value_or(INT64_MAX));
  const uint64_t cells = std::min(combinations_.count().value_or(drawn), drawn);
  return static_cast<size_t>(cells) * std::max<size_t>(spec_.options.seeds.list.size(), 1);
}

void Planner::run(Plan& plan) {
  find_mistakes();
  adopt(plan);
  combinations_.skip(grown_.drawn);
  if (spec_.options.draws()) plan.left_out = grown_.left_out;
  // Of what is drawn, as many as are possible; a space with hardly any is given up.
  const auto startup = spec_.options.searcher()->startup();
  const int64_t all = spec_.options.trials.value_or(0);
  const size_t wanted = spec_.options.draws()
                            ? static_cast<size_t>(std::min(all, startup.value_or(all)))
                            : std::numeric_limits<size_t>::max();
  const size_t most_left_out =
      spec_.options.draws() ? plan.left_out.size() + 100 + 10 * wanted : wanted;
  while (plan.cells.size() + mistaken_ < wanted && plan.left_out.size() < most_left_out &&
         !is_hopeless()) {
    const auto combination = combinations_.next();
    if (!combination) break;
    add(plan, *combination);
    if (plan.trials() <= Plan::kMostTrials) continue;
    throw Error(ExitCode::kUsage,
                fmt::format("the sweep has more than {} trials", Plan::kMostTrials));
  }
  mistakes_.refuse_if_any(spec_.configs[0].file);
  plan.drawn = combinations_.drawn();
  if (startup && plan.cells.size() >= wanted && !combinations_.is_exhausted())
    plan.to_come = std::max<int64_t>(all - static_cast<int64_t>(plan.cells.size()), 0);
  if (!spec_.options.draws()) refuse_lost(plan);
  for (Cell& cell : plan.cells) name_followers(cell, plan);
  if (!plan.cells.empty()) return;
  const std::string hint = hint_for_lists(plan.left_out);
  if (plan.left_out.size() == 1 && hint.empty()) std::rethrow_exception(first_);
  throw Error(ExitCode::kUsage,
              "no cell of the sweep is possible:" + to_text(plan.left_out) + hint);
}

void Planner::find_mistakes() {
  if (!spec_.options.draws() && mistakes_.size() == 0) return;
  for (const Combination& combination : combinations_.samples()) {
    try {
      resolve(combination.config, combination.settings);
    } catch (const ConfigError&) {  // each value for itself could be read
    }
  }
  mistakes_.refuse_if_any(spec_.configs[0].file);
}

std::string Planner::hint_for_lists(const std::vector<LeftOut>& cells) const {
  for (const Parameter& parameter : spec_.options.parameters.list) {
    const Node& given = parameter.values;
    const std::string name = parameter.path.substr(parameter.path.rfind('.') + 1);
    const bool is_told = std::any_of(cells.begin(), cells.end(), [&](const LeftOut& cell) {
      return cell.reason.find(name) != std::string::npos;
    });
    if (given.kind != Node::Kind::kSequence || given.children.size() < 2 || !is_told ||
        !types_.at(parameter.path).takes_list())
      continue;
    const auto is_list = [](const Node& item) { return item.kind == Node::Kind::kSequence; };
    if (std::any_of(given.children.begin(), given.children.end(), is_list)) continue;
    const std::string list = escape(to_flow_yaml(given)), path = escape(parameter.path);
    return fmt::format(
        "\nits values are choices, so a list that is one of them has brackets of its own: "
        "{}: [{}], or {}={} on the command line",
        path, list, path, list);
  }
  return "";
}

bool Planner::is_hopeless() {
  constexpr size_t kMost = 1000;
  if (mistakes_.size() > told_) {
    told_ = mistakes_.size();
    told_at_ = mistaken_;
  }
  return mistaken_ - told_at_ > kMost;
}

std::shared_ptr<const ResolvedConfig> Planner::resolve(size_t config,
                                                       const std::vector<Setting>& settings) {
  const BaseConfig& base = spec_.configs[config];
  try {
    Node written = this->written(config, settings);
    take_copies(written, grown_.plugins);
    return engine_.resolve(written, base.file, list_options, spec_.options.is_elsewhere());
  } catch (const ConfigError& error) {
    // A typing mistake would shrink the sweep silently.
    if (error.impossible() || is_under_way_) throw;
    mistakes_.add(error, base.file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUsage || is_under_way_) throw;
    mistakes_.add(error);
  }
  ++mistaken_;
  return nullptr;
}

void Planner::add(Plan& plan, const Combination& combination) {
  Cell cell = {combination.config, combination.settings, label(combination), nullptr, {}};
  try {
    cell.resolved = resolve(combination.config, combination.settings);
    if (!cell.resolved || mistakes_.size() > 0) return;
    for (const std::string& note : cell.resolved->notes) {
      if (std::find(plan.notes.begin(), plan.notes.end(), note) == plan.notes.end())
        plan.notes.push_back(note);
    }
    if (is_known(plan, cell)) return;
    cell.work = engine_.workload(cell.resolved);
    if (spec_.options.searcher()->startup()) cell.point = to_point(dimensions_, combination.shares);
  } catch (const ConfigError& error) {
    leave_out(plan, cell, fmt::format("{}", fmt::join(error.messages(), "; ")));
    return;
  } catch (const Error& error) {
    if (!is_under_way_ || error.code() != ExitCode::kUsage) throw;
    leave_out(plan, cell, error.what());
    return;
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    leave_out(plan, cell, "the model needs more memory than there is");
    return;
  }
  if (!labels_.insert(cell.label).second) {
    throw Error(ExitCode::kUsage, fmt::format("two cells are called {}: another name for one of "
                                              "them tells them apart",
                                              escape(cell.label)));
  }
  plan.cells.push_back(std::move(cell));
}

void Planner::adopt(Plan& plan, const Grown::PastCell& past) {
  Cell cell = {past.config, past.settings, past.label, nullptr, {}};
  cell.resolved = resolve(past.config, past.settings);
  mistakes_.refuse_if_any(spec_.configs[0].file);
  cell.work = engine_.workload(cell.resolved);
  Known known = {cell.label, {}};
  if (spec_.options.draws()) {
    labels_.insert(cell.label);
  } else {
    known.past = plan.cells.size();
  }
  known_.emplace(text_of(cell), std::move(known));
  plan.cells.push_back(std::move(cell));
}

void Planner::adopt(Plan& plan) {
  for (const Grown::PastCell& cell : grown_.cells) {
    adopt(plan, cell);
    if (!cell.point.empty()) combinations_.exclude(combinations_.at(cell.point));
  }
}

bool Planner::add_at(Plan& plan, const SearchPoint& point) {
  is_under_way_ = true;
  const Combination combination = combinations_.at(point);
  if (!combinations_.exclude(combination)) return false;
  const size_t before = plan.cells.size();
  add(plan, combination);
  if (plan.cells.size() == before) return false;
  name_followers(plan.cells.back(), plan);
  return true;
}

void Planner::leave_out(Plan& plan, const Cell& cell, const std::string& reason) {
  if (!first_) first_ = std::current_exception();
  const auto is_it = [&](const LeftOut& other) { return other.label == cell.label; };
  if (std::none_of(plan.left_out.begin(), plan.left_out.end(), is_it))
    plan.left_out.push_back({cell.label, reason});
}

bool Planner::is_known(Plan& plan, const Cell& cell) {
  const auto [known, is_new] = known_.emplace(text_of(cell), Known{cell.label, {}});
  if (is_new || spec_.options.draws()) return !is_new;
  if (const auto past = std::exchange(known->second.past, std::nullopt)) {
    Cell& same = plan.cells[*past];
    labels_.insert(cell.label);
    same.settings = cell.settings;
    same.label = known->second.label = cell.label;
    return true;
  }
  throw Error(ExitCode::kUsage, fmt::format("{} and {} are the same: every value is equal",
                                            escape(known->second.label), escape(cell.label)));
}

std::string Planner::text_of(const Cell& cell) const {
  const bool has_seeds = !spec_.options.seeds.list.empty();
  return computed(*cell.resolved,
                  has_seeds ? replicate_of(cell.resolved->resolved) : std::vector<std::string>());
}

Node Planner::written(size_t config, const std::vector<Setting>& settings) const {
  Node out = config_of(spec_, config, settings);
  const auto& replicate = spec_.options.replicate;
  if (!replicate.empty()) {
    Node keys = Node::sequence({});
    for (const std::string& key : replicate) keys.children.push_back(Node::string(key));
    out.set("replicate", std::move(keys));
  }
  // Any of the seeds tells whether these keys take one at all.
  const std::vector<int64_t>& seeds = spec_.options.seeds.list;
  for (const std::string& key : replicate_of(out)) {
    if (!seeds.empty()) set_value(out, key, Node::plain(std::to_string(seeds.back())));
  }
  return out;
}

void Planner::name_followers(Cell& cell, const Plan& plan) const {
  for (const Setting& setting : cell.settings) {
    const auto name = names_.find(setting.path);
    if (name == names_.end()) continue;
    const std::string part = name->second + "=" + to_flow_yaml(setting.value);
    const size_t at = (" " + cell.label + " ").find(" " + part + " ");
    if (at == std::string::npos) continue;
    const size_t end = at + part.size();
    // What was said before the sweep grew.
    if (cell.label.substr(end).starts_with(" ("))
      cell.label.erase(end, cell.label.find(')', end) + 1 - end);
    const std::vector<std::string> own = followers(setting.path, cell, plan);
    if (!own.empty()) cell.label.insert(end, fmt::format(" ({})", fmt::join(own, ", ")));
  }
}

std::vector<std::string> Planner::followers(const std::string& component, const Cell& cell,
                                            const Plan& plan) {
  std::vector<std::string> out;
  const Node* mine = cell.resolved->resolved.at_path(component);
  if (!mine || !mine->find("type")) return out;
  for (const Key& key : cell.resolved->keys) {
    if (key.is_type || key.role != Role::kResult || !key.path.starts_with(component + "."))
      continue;
    const auto is_chosen = [&](const Setting& setting) {
      const std::string below = key.path.substr(
          setting.path.size() < key.path.size() ? setting.path.size() + 1 : key.path.size());
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

void Planner::refuse_lost(const Plan& plan) const {
  std::string lost;
  for (const auto& [text, known] : known_) {
    if (known.past) lost += "\n  " + escape(plan.cells[*known.past].label);
  }
  if (lost.empty()) return;
  throw Error(ExitCode::kUsage,
              "a sweep only grows, and would no longer have these cells (name their values as "
              "well):" +
                  lost);
}

std::string Planner::label(const Combination& combination) const {
  std::vector<std::string> parts;
  if (spec_.configs.size() > 1) parts.push_back(configs_[combination.config]);
  if (!combination.name.empty()) parts.push_back(combination.name);
  for (const Setting& setting : combination.settings) {
    const auto name = names_.find(setting.path);
    if (name != names_.end() && !setting.has_name)
      parts.push_back(name->second + "=" + to_flow_yaml(setting.value));
  }
  if (parts.empty()) parts.push_back(configs_[0]);
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace vitrine
