#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/check.h"
#include "framework/config/fields.h"
#include "framework/sweeps/launcher.h"
#include "framework/sweeps/searcher.h"
#include "framework/sweeps/slurm_options.h"

namespace vitrine {

// A key of a config and the value that a sweep gives it.
struct Setting {
  std::string path;
  Node value;
  bool has_name = false;  // it belongs to a cell with a name, which stands for it in labels
};

// A swept key and what it varies over, as it was written: a list of values, a range, or a mapping
// that holds some (see Space).
struct Parameter {
  std::string path;
  Node values;
  Location location;
};

// {optimizer.lr: [0.01, 0.001], model.hidden_d: {min: 8, max: 64, log: true}}
struct Parameters {
  std::vector<Parameter> list;

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "mapping of keys to lists or ranges"; }
  static nlohmann::ordered_json schema();
};

// Values that go together; lists and ranges within them vary.
struct GivenCell {
  std::string name;  // its label; may be empty
  std::vector<Setting> settings;
  Location location;
};

// [{model.hidden_d: 8, optimizer.lr: 0.01}, {name: wide, model.hidden_d: [32, 64]}, ...]
struct GivenCells {
  std::vector<GivenCell> list;

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "list of mappings of keys to values"; }
  static nlohmann::ordered_json schema();

 private:
  void read_cell(const Node& item, const std::string& path, Problems& problems);
};

// [0, 1, 2], or 0..2
struct Seeds {
  std::vector<int64_t> list;

  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "list of integers, or FIRST..LAST"; }
  static nlohmann::ordered_json schema();
};

struct Confirmation {
  int64_t top = 3, seeds = 10;

  void visit(Fields& field);
};

// What stands under `sweep:`.
struct SweepOptions {
  std::string name;  // empty: that of the file or the config
  std::vector<std::string> configs;
  Choice<Searcher> method{"grid"};
  std::string metric;  // empty: what the configs' best checkpoints are chosen by
  Parameters parameters;
  GivenCells cells;
  Seeds seeds;
  std::vector<std::string> replicate;  // keys that take the seeds' numbers; empty: the configs' own
  std::optional<int64_t> trials;
  int64_t search_seed = 0;
  std::optional<int64_t> jobs;
  std::optional<Confirmation> confirm;
  Choice<Launcher> launcher{"local"};
  std::optional<SlurmOptions> slurm;

  std::shared_ptr<const Searcher> searcher() const { return method.create({}); }
  bool draws() const { return searcher()->draws(); }
  // Whether trials run on other machines.
  bool is_elsewhere() const { return launcher.create({})->is_elsewhere(); }

  void visit(Fields& field);
  void check(Check check) const;
};

}  // namespace vitrine
