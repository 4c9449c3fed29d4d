#include "framework/sweeps/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/config/scalar.h"
#include "framework/runs/run_directory.h"
#include "framework/training/engine.h"

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

// The values that one argument gives, with ranges of whole numbers spelled out.
std::vector<Node> values_of(const Assignment& assignment) {
  std::vector<Node> out;
  for (size_t i = 0; i < assignment.size(); ++i) {
    Node value = value_of(assignment, i);
    const bool plain = value.kind == Node::Kind::kScalar && !value.quoted;
    const auto range = plain ? integers_of(value.scalar) : std::nullopt;
    if (!range) {
      out.push_back(std::move(value));
      continue;
    }
    for (const int64_t number : *range) {
      out.push_back(Node::plain(std::to_string(number)));
      out.back().location = value.location;
    }
  }
  return out;
}

// {path: values}, as it would stand in a file, so that it is read and checked in one way.
Node entry_of(const Assignment& assignment, std::vector<Node> values) {
  Node list = Node::sequence(std::move(values));
  list.location = assignment.place(assignment.path().size() + 1);
  list.key = assignment.path();
  list.key_location = assignment.place(0);
  return list;
}

class SpecReader {
 public:
  SweepSpec read(const std::vector<std::string>& files,
                 const std::vector<std::string>& assignments) {
    for (const std::string& file : files)
      spec_.configs.push_back({file, load_config({file, {}, {}})});
    take_sweep(files);
    std::set<std::string> seen;
    for (const std::string& text : assignments) {
      const Assignment assignment(text);
      if (!seen.insert(assignment.path()).second) {
        refuse(assignment.place(0), escape(assignment.path()) + ": given twice",
               "several values stand in one argument, parted by commas");
      }
      take(assignment);
    }
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
    std::vector<Node> values = values_of(assignment);
    if (path == "name") {
      if (values.size() > 1 || spec_.configs.size() > 1)
        refuse(assignment.place(0), "name: it cannot vary", "each trial has a folder of its own");
      for (BaseConfig& config : spec_.configs) set_value(config.written, path, values[0]);
      return;
    }
    Node entry = entry_of(assignment, std::move(values));
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

  // A key that two parts of the sweep would set.
  void check_overlaps(Problems& problems) const {
    for (const auto& settings : spec_.options.cells.list) {
      for (const Setting& setting : settings) {
        for (const Parameter& parameter : spec_.options.parameters.list) {
          if (parameter.path != setting.path) continue;
          problems.add(setting.value.key_location,
                       "sweep.cells: " + escape(setting.path) + " is set by a parameter as well",
                       "that is at " + parameter.location.text());
          return;
        }
      }
    }
  }

  // What `configs` names, with the sweep file's own keys over it.
  void load_configs(const std::string& file) {
    const auto& names = spec_.options.configs;
    if (names.empty()) return;
    spec_.own = spec_.configs[0].written;
    spec_.configs.clear();
    for (const std::string& name : names) {
      const fs::path path = (fs::path(file).parent_path() / name).lexically_normal();
      spec_.configs.push_back({path.string(), merge(load_config({path, {}, {}}), spec_.own)});
    }
  }

  std::string name() const {
    if (!spec_.options.name.empty()) return spec_.options.name;
    std::string out;
    for (const BaseConfig& config : spec_.configs) {
      const Node* given = from_file_ ? nullptr : config.written.find("name");
      const bool named = given && given->kind == Node::Kind::kScalar;
      out += out.empty() ? "" : "-";
      out += named ? given->scalar : fs::path(config.file).stem().string();
    }
    return is_valid_name(out) ? out : "sweep";
  }

  static constexpr std::string_view kPrefix = "sweep.";

  SweepSpec spec_;
  Node sweep_ = Node::mapping();
  bool from_file_ = false;
};

}  // namespace

Location SweepSpec::place_of(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (const Node* given = written.find(name)) return given->location;
  }
  return written.location;
}

SweepSpec read_spec(const std::vector<std::string>& files,
                    const std::vector<std::string>& assignments) {
  return SpecReader().read(files, assignments);
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
