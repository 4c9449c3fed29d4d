#include "framework/sweeps/options.h"

#include <fmt/format.h>

#include <set>

#include "framework/config/scalar.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/range.h"

namespace vitrine {

using Json = nlohmann::ordered_json;

namespace {

bool is_path(const std::string& text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == text.npos;
}

// Reports keys that a sweep cannot set. False: not one of a config.
bool check_path(const Node& entry, const std::string& path, Problems& problems) {
  const auto wrong = [&](const std::string& message, const std::string& hint) {
    problems.add(entry.key_location, join_path(path, escape(entry.key)) + ": " + message, hint);
    return false;
  };
  if (!is_path(entry.key)) return wrong("expected a key of a config", "such as model.hidden_d");
  if (entry.key == "seed") return wrong("seeds have a place of their own", "sweep.seeds");
  for (const char* key : {"base", "sweep", "name"}) {
    if (entry.key == key || entry.key.starts_with(std::string(key) + "."))
      return wrong("a sweep cannot vary it", "");
  }
  return true;
}

// Whether a lone text says of several values, as "0..9" does.
bool is_range(const Node& node) {
  return refers_as_range(node) ||
         (node.kind == Node::Kind::kScalar && !node.quoted && is_range_text(node.scalar));
}

void refuse_repetitions(const std::vector<Node>& values, const std::string& path,
                        Problems& problems) {
  std::set<std::string> seen;
  for (const Node& value : values) {
    if (seen.insert(to_flow_yaml(value)).second) continue;
    problems.add(value.location, fmt::format("{}: {} is listed twice", path, value.shown()),
                 "each value once; more runs of one value are what seeds are for");
  }
}

}  // namespace

void Parameters::read(const Node& node, const std::string& path, Problems& problems) {
  if (!node.is_mapping()) {
    problems.add(node.location, path + ": expected a mapping, got " + node.shown(),
                 "written as {model.hidden_d: [8, 16]}");
    return;
  }
  list.clear();
  for (const Node& entry : node.children) {
    if (!check_path(entry, path, problems)) continue;
    const std::string name = join_path(path, entry.key);
    const bool is_list = entry.kind == Node::Kind::kSequence;
    if (is_list) refuse_repetitions(entry.children, name, problems);
    if ((is_list ? entry.children.empty() : !entry.is_mapping()) && !is_range(entry)) {
      problems.add(entry.location,
                   fmt::format("{}: expected a list of values or a range, got {}", name,
                               is_list ? "an empty list" : entry.shown()),
                   "[8, 16], or {min: 0.001, max: 0.1, log: true}");
    }
    list.push_back({entry.key, entry, entry.key_location});
  }
}

Node Parameters::write() const {
  Node out = Node::mapping();
  for (const Parameter& parameter : list) out.set(parameter.path, parameter.values);
  return out;
}

Json Parameters::schema() {
  Range range;
  const Json values = {{"type", "array"}, {"minItems", 1}};
  const Json nested = {{"type", "object"}};
  return {{"type", "object"},
          {"additionalProperties",
           {{"anyOf",
             Json::array(
                 {values, schema_of_fields(fields_of(range)), nested, {{"type", "string"}}})}}}};
}

void GivenCells::read(const Node& node, const std::string& path, Problems& problems) {
  if (node.kind != Node::Kind::kSequence) {
    problems.add(node.location, path + ": expected a list, got " + node.shown(),
                 "written as [{model.hidden_d: 8, optimizer.lr: 0.01}]");
    return;
  }
  list.clear();
  for (size_t i = 0; i < node.children.size(); ++i)
    read_cell(node.children[i], join_path(path, std::to_string(i)), problems);
  refuse_repetitions(node.children, path, problems);
}

void GivenCells::read_cell(const Node& item, const std::string& path, Problems& problems) {
  if (!item.is_mapping()) {
    problems.add(item.location, path + ": expected a mapping, got " + item.shown(),
                 "written as {model.hidden_d: 8, optimizer.lr: 0.01}");
    return;
  }
  GivenCell cell = {"", {}, item.location};
  for (const Node& entry : item.children) {
    if (entry.key != "name") {
      if (check_path(entry, path, problems)) cell.settings.push_back({entry.key, entry});
      continue;
    }
    cell.name = entry.scalar;
    const auto wrong = [&](const std::string& message) {
      problems.add(entry.location, fmt::format("{}.name: {}", path, message));
    };
    if (entry.kind != Node::Kind::kScalar || entry.scalar.empty())
      wrong("expected a text, got " + entry.shown());
    for (const GivenCell& other : list) {
      if (!cell.name.empty() && other.name == cell.name)
        wrong(fmt::format("{} is the name of another cell", entry.shown()));
    }
  }
  list.push_back(std::move(cell));
}

Node GivenCells::write() const {
  Node out = Node::sequence({});
  for (const GivenCell& cell : list) {
    Node& item = out.children.emplace_back(Node::mapping());
    if (!cell.name.empty()) item.set("name", Node::string(cell.name));
    for (const Setting& setting : cell.settings) item.set(setting.path, setting.value);
  }
  return out;
}

Json GivenCells::schema() { return {{"type", "array"}, {"items", {{"type", "object"}}}}; }

void Seeds::read(const Node& node, const std::string& path, Problems& problems) {
  std::vector<Node> items = {node};
  if (node.kind == Node::Kind::kSequence) items = node.children;
  const bool lone = node.kind == Node::Kind::kScalar && parse_integer(node.scalar);
  std::vector<Node> values;
  for (const Node& item : items) {
    const bool plain = item.kind == Node::Kind::kScalar && !item.quoted && !lone;
    const auto range = plain ? integers_of(item.scalar) : std::nullopt;
    const auto number = plain ? parse_integer(item.scalar) : std::nullopt;
    if (!(range && range->front() >= 0) && !(number && *number >= 0)) {
      problems.add(item.location, fmt::format("{}: expected seeds, got {}", path, item.shown()),
                   "whole numbers at least 0: 0..2, or [0, 1, 2], on the command line 0,1,2");
      return;
    }
    for (const int64_t value : range.value_or(std::vector<int64_t>{number.value_or(0)})) {
      values.push_back(Node::plain(std::to_string(value)));
      values.back().location = item.location;
    }
  }
  refuse_repetitions(values, path, problems);
  list.clear();
  for (const Node& value : values) list.push_back(*parse_integer(value.scalar));
}

Node Seeds::write() const {
  Node out = Node::sequence({});
  for (const int64_t seed : list) out.children.push_back(Node::plain(std::to_string(seed)));
  return out;
}

Json Seeds::schema() {
  const Json range = {{"type", "string"}, {"pattern", R"(^[0-9_]+\.\.[0-9_]+$)"}};
  const Json seed = {{"type", "integer"}, {"minimum", 0}};
  const Json item = {{"anyOf", Json::array({seed, range})}};
  return {{"anyOf", Json::array({range, {{"type", "array"}, {"items", item}}})}};
}

void Confirmation::visit(Fields& field) {
  field("top", top, "how many of the best cells are run again", at_least(1))
      .words({"top_k", "n_best"});
  field("seeds", seeds, "how many fresh seeds each of them gets", at_least(1))
      .words({"repeats", "replicates", "n_seeds"});
}

void SweepOptions::visit(Fields& field) {
  field("name", name, "the sweep is kept under runs/<name>; default: the name of its file");
  field("configs", configs, "configs side by side, each swept like `base`");
  field("method", method, "how the cells are chosen: every combination, by chance, by a search")
      .words({"search", "strategy", "searcher", "sampler"});
  field("metric", metric, "what the best is chosen by").words({"objective", "monitor"});
  field("parameters", parameters, "the keys that vary")
      .words({"params", "grid", "space", "search_space"});
  field("cells", cells, "values that go together, one mapping a variant")
      .words({"variants", "combinations"});
  field("seeds", seeds, "seeds that each cell is run with; none: that of the config");
  field("replicate", replicate,
        "the keys that take the seeds' numbers, such as [seed, dataset.split_seed]; none: those "
        "that the config names")
      .words({"repeat", "folds"});
  field("trials", trials, "how many cells are tried, where not all are", at_least(1))
      .words({"n_trials", "num_trials", "samples", "num_samples", "budget"});
  field("search_seed", search_seed, "seed of what is drawn", at_least(0));
  field("jobs", jobs, "trials at a time; null: as many as there are cores or GPUs", at_least(1))
      .words({"n_jobs", "parallel", "concurrency", "max_concurrent"});
  field("confirm", confirm, "run the best cells again on fresh seeds");
  field("launcher", launcher, "where the trials run: here, or as jobs of a cluster")
      .words({"backend", "executor"});
  field("slurm", slurm, "options of sbatch, for the launcher slurm");
}

void SweepOptions::check(Check check) const {
  if (metric.starts_with("test/")) {
    check.error({"metric"},
                "the best cannot be chosen by " + escape(metric) +
                    ": the test set would no longer tell how good it is on new images; choose by "
                    "what validation tells");
  } else if (!metric.empty() && !metric.starts_with("validation/") &&
             !metric.starts_with("train/")) {
    check.error({"metric"},
                fmt::format("unknown metric \"{}\": one of validation or of training is "
                            "written as validation/loss or train/loss",
                            escape(metric)));
  }
  if (!name.empty() && !is_valid_name(name)) {
    check.error({"name"}, fmt::format("the name \"{}\" cannot be a folder's: 1 to 128 letters, "
                                      "digits, '.', '_' or '-', not beginning with '.' or '-'",
                                      escape(name)));
  }
  // Defaults may stand there: sweep.yaml spells everything out.
  const SweepOptions defaults;
  const auto idle = [&](const char* field, bool is_default, const std::string& reason) {
    if (!is_default) check.no_effect(field, reason);
  };
  if (!draws()) {
    const std::string reason =
        fmt::format("a {} draws nothing; sweep.method=random does", method.type());
    idle("trials", !trials, reason);
    idle("search_seed", search_seed == defaults.search_seed, reason);
  } else if (!trials) {
    check.error({"method"}, method.type() + " needs to know how many cells to try: trials: 20");
  }
  if (slurm) slurm->check(check.at("slurm"));
}

}  // namespace vitrine
