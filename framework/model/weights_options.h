#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/config/fields.h"

namespace vitrine {

// Where weights lie: a path, or an https address. Of a run's folder it is the model that it tested.
struct WeightsFile {
  static constexpr Role kRole = Role::kPlace;

  std::string value;

  bool empty() const { return value.empty(); }
  bool is_address() const;
  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const;
  static std::string type() { return "path or https address, or null"; }
  static nlohmann::ordered_json schema();
};

// The weights that a model starts from. In a config a plain file is short for {file: FILE}, and
// null is none.
struct WeightsOptions {
  WeightsFile file;
  std::optional<std::string> sha256, layout, prefix;  // none: recorded, or recognised
  std::vector<std::string> skip, freeze;              // patterns of the model's names

  bool empty() const { return file.empty(); }
  void visit(Fields& field);
};

// Lists the option `weights` among a model's.
Field& weights_field(Fields& fields, WeightsOptions& weights);

}  // namespace vitrine
