#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/config/node.h"

namespace vitrine {

// What may stand at a place of a config: whole numbers, any numbers, lists, ... Of a place that
// nobody knows nothing is known, and nothing is refused.
class FieldType {
 public:
  FieldType() = default;

  bool is_known() const { return !alternatives_.empty(); }
  bool takes_whole() const { return takes("integer"); }
  bool takes_real() const { return takes("number"); }
  bool takes_number() const { return takes_whole() || takes_real(); }
  bool takes_list() const { return takes("array"); }
  bool takes_mapping() const { return takes("object"); }
  bool takes_text() const { return takes("string"); }
  // The type below: of a mapping's key, or of a list's items ("0", "1", ...).
  FieldType below(const std::string& key) const;
  // The type of the component `name`; of all of them where it is none of these.
  FieldType of_component(const std::string& name) const;

 private:
  friend class FieldTypes;
  using Schema = nlohmann::ordered_json;

  bool takes(const char* type) const;
  void add(const Schema& schema);

  std::vector<const Schema*> alternatives_;
};

// The types of all fields of a config, from its JSON Schema.
class FieldTypes {
 public:
  FieldTypes() = default;  // knows none
  explicit FieldTypes(nlohmann::ordered_json schema);

  FieldType root() const;
  // The type at a dotted path, whichever components are chosen.
  FieldType at(const std::string& path) const;
  // The type there with the components that `config` chooses.
  FieldType at(const Node& config, const std::string& path) const;

 private:
  std::shared_ptr<const nlohmann::ordered_json> schema_;
};

}  // namespace vitrine
