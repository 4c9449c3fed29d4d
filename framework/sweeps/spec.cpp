#include "framework/sweeps/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/engine/engine.h"
#include "framework/files/paths.h"
#include "framework/registry/given_plugins.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/range.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The i-th value that one argument gives.
Node value_of(const Assignment& assignment, size_t i) {
  Node out = assignment.value(i);
  const bool is_empty = assignment.text(i).find_first_not_of(' ') == std::string::npos;
  if (out.kind == Node::Kind::kNull && is_empty) {
    refuse(out.location, escape(assignment.path()) + ": a value is missing",
           "nothing at all is written null");
  }
  return out;
}

// {path: values}, as it would stand in a file, so that it is read and checked in one way. A lone
// mapping may be a range, or hold some.
Node entry_of(const Assignment& assignment) {
  std::vector<Node> values;
  for (size_t i = 0; i < assignment.size(); ++i) values.push_back(value_of(assignment, i));
  Node out = values.size() == 1 && values[0].is_mapping() ? values[0] : Node::sequence(values);
  out.location = assignment.place(assignment.path().size() + 1);
  out.key = assignment.path();
  out.key_location = assignment.place(0);
  return out;
}

// Whether `value`, or one of several, says what stands at `path` below it.
bool holds(const Node& value, const std::string& path) {
  if (path.empty()) return true;
  const auto holds_path = [&](const Node& item) { return holds(item, path); };
  if (value.kind == Node::Kind::kScalar) return path == "type";
  if (value.kind == Node::Kind::kSequence &&
      std::any_of(value.children.begin(), value.children.end(), holds_path))
    return true;
  const size_t dot = std::min(path.find('.'), path.size());
  const Node* below = value.at_path(path.substr(0, dot));
  return below && holds(*below, path.substr(std::min(dot + 1, path.size())));
}

// Whether what is set at one path says what stands at the other.
bool overlaps(const std::string& path, const Node& value, const std::string& other) {
  return path == other ||
         (other.starts_with(path + ".") && holds(value, other.substr(path.size() + 1)));
}

class SpecReader {
 public:
  explicit SpecReader(std::vector<BaseConfig> frozen) : frozen_(std::move(frozen)) {}

  SweepSpec read(const std::vector<std::string>& files,
                 const std::vector<std::string>& assignments) {
    for (const std::string& file : files)
      spec_.configs.push_back({shown_config(file), load_config({file, {}, {}})});
    take_sweep(files);
    std::set<std::string> seen;
    for (const std::string& text : assignments) {
      const Assignment assignment(text);
      if (!seen.insert(assignment.path() + (assignment.appends() ? "+" : "")).second) {
        refuse(assignment.place(0), escape(assignment.path()) + ": given twice",
               "several values stand in one argument, parted by commas");
      }
      take(assignment);
    }
    take_values();
    Problems problems;
    problems.also_known([&](KnownKeys& keys) {
      const KnownKeys of_configs = known_keys_of_engine(spec_.configs[0].written);
      for (const KnownKey& key : of_configs.list()) keys.add(key);
    });
    read_fields(fields_of(spec_.options), sweep_, "sweep", problems);
    const bool readable = problems.empty();
    if (readable) spec_.options.check(Check(sweep_, "sweep", problems));
    check_overlaps(problems);
    if (!problems.empty()) throw ConfigError(problems, files[0], readable);
    load_configs(files[0]);
    spec_.name = name();
    spec_.written = std::move(sweep_);
    return std::move(spec_);
  }

 private:
  // The sweep's own part of its file.
  void take_sweep(const std::vector<std::string>& files) {
    for (BaseConfig& config : spec_.configs) {
      Node* sweep = config.written.find("sweep");
      if (!sweep) continue;
      if (files.size() > 1) {
        refuse(sweep->key_location, "sweep: a sweep file stands alone",
               "sweep.configs names configs that are swept side by side");
      }
      sweep_ = *sweep;
      config.written.erase("sweep");
      from_file_ = true;
      if (sweep_.kind == Node::Kind::kNull) sweep_.kind = Node::Kind::kMapping;
      return;
    }
  }

  void take(const Assignment& assignment) {
    const std::string& path = assignment.path();
    if (path == "sweep" || path.starts_with("sweep.")) return set_option(assignment);
    if (assignment.appends()) return append(assignment);
    Node entry = entry_of(assignment);
    if (path == "plugins" && assignment.size() == 1) {
      // What a parameter is takes its types from them.
      for (BaseConfig& config : spec_.configs) set_value(config.written, path, assignment.value(0));
      return;
    }
    if (path == "name") {
      if (assignment.size() > 1 || spec_.configs.size() > 1)
        refuse(assignment.place(0), "name: it cannot vary", "each trial has a folder of its own");
      for (BaseConfig& config : spec_.configs) set_value(config.written, path, assignment.value(0));
      return;
    }
    if (path == "seed") {
      entry.key = "seeds";
      sweep_.set("seeds", std::move(entry));
      return;
    }
    Node* parameters = sweep_.find("parameters");
    if (!parameters) {
      Node empty = Node::mapping();
      empty.location = entry.location;
      parameters = &sweep_.set("parameters", std::move(empty));
    }
    parameters->set(path, std::move(entry));
  }

  // More items of a list, in all trials.
  void append(const Assignment& assignment) {
    if (assignment.size() > 1) {
      refuse(assignment.place(0), escape(assignment.path()) + "+: it cannot vary",
             "what all trials append is one list, in brackets; lists that vary are given whole");
    }
    if (assignment.path() == "seed") return set_value(sweep_, "seeds", assignment.value(0));
    for (BaseConfig& config : spec_.configs)
      set_value(config.written, assignment.path(), assignment.value(0));
  }

  // Options of the sweep may refer to keys of the config; what varies does so in each trial.
  void take_values() {
    Node all = spec_.configs[0].written;
    all.set("sweep", sweep_);
    const Node resolved = with_own_values(all);
    for (Node& option : sweep_.children) {
      const Node* value = resolved.find("sweep")->find(option.key);
      if (!value) continue;
      if (option.key != "parameters" && option.key != "cells") option = Node(*value);
      take_ends(option, *value);
    }
  }

  // A range is read before there are trials, so its ends are values that all of these share.
  // `value`: the same with the values of the config.
  void take_ends(Node& node, const Node& value) const {
    const auto take = [&](Node& end, const Node& own) {
      if (own.refers.empty() && !refers_to_any(end.refers, varying_keys())) end = Node(own);
    };
    if (refers_as_range(node)) take(node, value);
    // It was put together as a text, and is read as if it had been written so.
    if (!node.from.empty() && is_range_text(node.scalar)) node.quoted = false;
    for (size_t i = 0; i < node.children.size() && i < value.children.size(); ++i) {
      Node& child = node.children[i];
      if (!looks_like_range(node)) {
        take_ends(child, value.children[i]);
      } else if (!child.refers.empty()) {
        take(child, value.children[i]);
      }
    }
  }

  // Those that the sweep sets, with the seed.
  std::vector<std::string> varying_keys() const {
    std::vector<std::string> out = {"seed"};
    if (const Node* parameters = sweep_.find("parameters")) list_set(*parameters, "", out);
    if (const Node* cells = sweep_.find("cells")) {
      for (const Node& cell : cells->children) list_set(cell, "", out);
    }
    return out;
  }

  static void list_set(const Node& node, const std::string& path, std::vector<std::string>& out) {
    if (!node.is_mapping() || looks_like_range(node)) return out.push_back(path);
    for (const Node& child : node.children) list_set(child, join_path(path, child.key), out);
  }

  void set_option(const Assignment& assignment) {
    if (assignment.path() == "sweep" || (assignment.size() > 1 && is_option(assignment))) {
      refuse(assignment.place(0), "options of the sweep are set one by one",
             "such as sweep.trials=20; a list is written in brackets");
    }
    const std::string name = assignment.path().substr(kPrefix.size());
    Node value = value_of(assignment, 0);
    value.key_location = assignment.place(kPrefix.size());
    set_value(sweep_, name, std::move(value));
  }

  bool is_option(const Assignment& assignment) {
    KnownKeys options;
    list_known(fields_of(spec_.options), "sweep", nullptr, options);
    return options.find(assignment.path()) != nullptr;
  }

  // Keys that two parts of the sweep would set.
  void check_overlaps(Problems& problems) const {
    const auto& parameters = spec_.options.parameters.list;
    for (const GivenCell& cell : spec_.options.cells.list) {
      for (const Setting& setting : cell.settings) {
        for (const Parameter& parameter : parameters) {
          if (overlaps(parameter.path, parameter.values, setting.path) ||
              overlaps(setting.path, setting.value, parameter.path)) {
            refuse_overlap(setting.value.key_location, "sweep.cells: " + escape(setting.path),
                           "a parameter", parameter.location, problems);
          }
        }
        for (const Setting& other : cell.settings) {
          if (&other != &setting && overlaps(other.path, other.value, setting.path))
            refuse_overlap(setting.value.key_location, "sweep.cells: " + escape(setting.path),
                           escape(other.path), other.value.key_location, problems);
        }
      }
    }
    for (const Parameter& parameter : parameters) {
      for (const Parameter& other : parameters) {
        if (&other != &parameter && overlaps(other.path, other.values, parameter.path))
          refuse_overlap(parameter.location, "sweep.parameters: " + escape(parameter.path),
                         escape(other.path), other.location, problems);
      }
    }
  }

  static void refuse_overlap(const Location& place, const std::string& what,
                             const std::string& other, const Location& other_place,
                             Problems& problems) {
    problems.add(place, fmt::format("{} is set by {} as well", what, other),
                 "that is at " + other_place.text());
  }

  // What `configs` names, with the sweep file's own keys over it.
  void load_configs(const std::string& file) {
    const auto& names = spec_.options.configs;
    if (!names.empty()) spec_.own = spec_.configs[0].written;
    if (!frozen_.empty()) spec_.configs = frozen_;
    if (names.empty() || !frozen_.empty()) return;
    spec_.configs.clear();
    for (const std::string& name : names) {
      const fs::path path = (folder_of(file) / expand_home(name)).lexically_normal();
      std::error_code error;
      if (!fs::exists(path, error) && !error) {
        throw Error(ExitCode::kUsage,
                    fmt::format("sweep.configs: no such file: {}; a relative path counts from the "
                                "folder of the sweep file",
                                escape(fs::absolute(path).lexically_normal().string())));
      }
      Node base = load_config({path, {}, {}}), own = spec_.own;
      take_back(base, own);
      spec_.configs.push_back({path.string(), inherit(std::move(base), std::move(own))});
    }
  }

  std::string name() const {
    if (!spec_.options.name.empty()) return spec_.options.name;
    std::string out;
    for (const BaseConfig& config : spec_.configs) {
      const Node values = with_own_values(config.written);
      const Node* given = from_file_ ? nullptr : values.find("name");
      const bool named = given && given->kind == Node::Kind::kScalar;
      out += out.empty() ? "" : "-";
      out += named ? given->scalar : default_name(config.file);
    }
    return is_valid_name(out) ? out : "sweep";
  }

  static constexpr std::string_view kPrefix = "sweep.";

  std::vector<BaseConfig> frozen_;
  SweepSpec spec_;
  Node sweep_ = Node::mapping();
  bool from_file_ = false;
};

}  // namespace

Location SweepSpec::place_of(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (const Node* given = written.at_path(name)) return given->location;
  }
  return written.location;
}

SweepSpec read_spec(const std::vector<std::string>& files,
                    const std::vector<std::string>& assignments, std::vector<BaseConfig> frozen) {
  return SpecReader(std::move(frozen)).read(files, assignments);
}

void add_given_plugins(SweepSpec& spec) {
  if (given_plugins().empty()) return;
  Node list = Node::sequence({});
  for (const std::string& file : given_plugins()) {
    list.children.push_back(Node::string(fs::absolute(file).lexically_normal().string()));
    list.children.back().location = place_of_given_plugins();
  }
  list.location = place_of_given_plugins();
  list.appends = true;
  for (BaseConfig& config : spec.configs) set_value(config.written, "plugins", list);
  if (spec.own.is_mapping()) set_value(spec.own, "plugins", list);
}

std::string to_yaml(const SweepSpec& spec) {
  SweepOptions options = spec.options;
  options.name = spec.name;
  options.configs.clear();
  Node out = spec.own;
  if (spec.configs.size() == 1) {
    out = spec.configs[0].written;
  } else {
    for (const BaseConfig& config : spec.configs)
      options.configs.push_back(fs::absolute(config.file).lexically_normal().string());
  }
  out.set("sweep", write_fields(fields_of(options)));
  return to_yaml(out);
}

}  // namespace vitrine
