#include "framework/sweeps/growth.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/sweeps/range.h"

namespace vitrine {
namespace {

// Options of the sweep that may be given to one that has begun: what makes it larger, and how its
// trials are run.
constexpr std::string_view kChangeable[] = {"trials", "cells",   "parameters", "seeds",
                                            "jobs",   "confirm", "slurm"};

// The values of a parameter, one by one, those of "0..9" spelled out; a range or a mapping is one.
std::vector<Node> values_of(const Node& given) {
  std::vector<Node> out;
  const bool is_several = given.kind == Node::Kind::kSequence;
  for (const Node& item : is_several ? given.children : std::vector<Node>{given}) {
    Problems ignored;  // whoever plans says what is wrong
    const Node value = spelled_out(item, "", ignored).value_or(item);
    if (value.kind == Node::Kind::kSequence && item.kind == Node::Kind::kScalar) {
      out.insert(out.end(), value.children.begin(), value.children.end());
    } else {
      out.push_back(value);
    }
  }
  return out;
}

// Whether every number of one range is in the other.
bool is_within(const Node& range, const Node& other) {
  if (!looks_like_range(range) || !looks_like_range(other)) return false;
  auto a = range.json(), b = other.json();
  for (const char* end : {"min", "max"}) {
    if (!a.contains(end) || !b.contains(end) || !a[end].is_number() || !b[end].is_number())
      return false;
  }
  const bool fits = b["min"].get<double>() <= a["min"].get<double>() &&
                    b["max"].get<double>() >= a["max"].get<double>();
  for (const char* end : {"min", "max"}) a.erase(end), b.erase(end);
  return fits && a == b;
}

bool has(const std::vector<Node>& values, const Node& value) {
  return std::any_of(values.begin(), values.end(), [&](const Node& other) {
    return other.json() == value.json() || is_within(value, other);
  });
}

class GrowthChecker {
 public:
  GrowthChecker(const Sweep& sweep, const SweepSpec& spec) : sweep_(sweep), spec_(spec) {}

  void check() {
    const SweepOptions &before = sweep_.options(), &now = spec_.options;
    if (before.trials && now.trials && *now.trials < *before.trials) {
      refuse_less(spec_.place_of({"trials"}),
                  fmt::format("sweep.trials: the sweep has {} cells", *before.trials));
    }
    check_seeds();
    if (spec_.options.searcher()->startup()) {
      check_space();
    } else {
      for (const Parameter& parameter : before.parameters.list) check_parameter(parameter);
      check_new_keys();
      check_cells();
    }
    if (!problems_.empty()) throw ConfigError(problems_, spec_.configs[0].file, true);
  }

 private:
  void refuse_less(const Location& place, const std::string& message,
                   const std::string& hint = "") {
    problems_.add(place, message + " already, and a sweep only grows", hint);
  }

  // What was recorded of a cell is where it lies among all that may be chosen.
  void check_space() {
    const auto& before = sweep_.options();
    const auto keep = [&](const Location& place, const std::string& what) {
      problems_.add(
          place,
          fmt::format("{}: {} keeps what it chooses among", escape(what), before.method.type()),
          "it takes more trials and more seeds; other values are for a new sweep");
    };
    const Node values = before.parameters.write();
    for (const Parameter& now : spec_.options.parameters.list) {
      const Node* had = values.find(now.path);
      if (!had || to_flow_yaml(*had) != to_flow_yaml(now.values)) keep(now.location, now.path);
    }
    if (to_flow_yaml(before.cells.write()) != to_flow_yaml(spec_.options.cells.write()))
      keep(spec_.place_of({"cells"}), "sweep.cells");
  }

  void check_seeds() {
    const std::vector<int64_t>& now = spec_.options.seeds.list;
    if (now.empty()) return;
    std::set<int64_t> lost;
    for (const Trial& trial : sweep_.trials()) {
      const bool is_kept = std::find(now.begin(), now.end(), trial.seed) != now.end();
      if (!trial.confirms && !is_kept) lost.insert(trial.seed);
    }
    if (lost.empty()) return;
    refuse_less(spec_.place_of({"seeds"}),
                fmt::format("sweep.seeds: the sweep has trials of seed {}", fmt::join(lost, ", ")),
                "seeds that are there are named as well as new ones");
  }

  void check_parameter(const Parameter& before) {
    const auto& list = spec_.options.parameters.list;
    const auto now = std::find_if(list.begin(), list.end(), [&](const Parameter& parameter) {
      return parameter.path == before.path;
    });
    std::string lost;
    const std::vector<Node> values =
        now == list.end() ? std::vector<Node>() : values_of(now->values);
    for (const Node& value : values_of(before.values)) {
      if (!has(values, value)) lost += (lost.empty() ? "" : ", ") + to_flow_yaml(value);
    }
    if (lost.empty()) return;
    refuse_less(now == list.end() ? spec_.place_of({"parameters"}) : now->location,
                fmt::format("{}: the sweep has {}", escape(before.path), escape(lost)),
                "values that are there are named as well as new ones");
  }

  // A grid may get another key if the value that its trials have is among the new ones.
  void check_new_keys() {
    const auto& before = sweep_.options().parameters.list;
    for (const Parameter& parameter : spec_.options.parameters.list) {
      const bool is_known = std::any_of(before.begin(), before.end(), [&](const Parameter& other) {
        return other.path == parameter.path;
      });
      if (is_known) continue;
      const std::string path = escape(parameter.path);
      if (sweep_.options().draws()) {
        problems_.add(parameter.location, path + ": the trials that are there did not vary it",
                      "a search that has begun keeps its keys, and may get more values of them");
      } else if (values_of(parameter.values).size() == 1) {
        problems_.add(parameter.location,
                      path + ": the trials that are there keep what they were started with",
                      fmt::format("several values, theirs among them, add trials: {}={},...", path,
                                  escape(value_now(parameter.path))));
      }
    }
  }

  std::string value_now(const std::string& path) const {
    const Node config = sweep_.config(0);
    const Node* value = config.at_path(path);
    if (value && value->find("type")) value = value->find("type");
    return value ? to_flow_yaml(*value) : "VALUE";
  }

  void check_cells() {
    const Node before = sweep_.options().cells.write(), now = spec_.options.cells.write();
    for (const Node& cell : before.children) {
      if (has(now.children, cell)) continue;
      refuse_less(spec_.place_of({"cells"}),
                  fmt::format("sweep.cells: the sweep has {}", escape(to_flow_yaml(cell))),
                  "cells that are there are listed as well as new ones");
    }
  }

  const Sweep& sweep_;
  const SweepSpec& spec_;
  Problems problems_;
};

}  // namespace

SweepSpec grown_spec(const Sweep& sweep, const std::vector<std::string>& assignments) {
  for (const std::string& text : assignments) {
    const Assignment assignment(text);
    const std::string& path = assignment.path();
    const bool is_option = path == "sweep" || path.starts_with("sweep.");
    const std::string option = is_option && path.size() > 6 ? path.substr(6) : "";
    const std::string_view name = std::string_view(option).substr(0, option.find('.'));
    const bool is_changeable =
        std::find(std::begin(kChangeable), std::end(kChangeable), name) != std::end(kChangeable);
    if (path == "name" || assignment.appends() || (is_option && !is_changeable)) {
      refuse(assignment.place(0), escape(path) + ": a sweep that has begun keeps it",
             fmt::format("it takes more seeds, more values of a key, and sweep.{}",
                         fmt::join(kChangeable, ", sweep.")));
    }
  }
  SweepSpec out = read_spec({(sweep.path() / "sweep.yaml").string()}, assignments, sweep.configs());
  GrowthChecker(sweep, out).check();
  return out;
}

}  // namespace vitrine
