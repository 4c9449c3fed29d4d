#pragma once

#include <initializer_list>
#include <string>

#include "framework/config/node.h"
#include "framework/config/problems.h"

namespace vitrine {

// Where a component or a group of options reports what is wrong between its fields.
class Check {
 public:
  // `node` is what the user wrote for it (it may be null), `path` its name ("model.attention").
  Check(const Node& node, std::string path, Problems& problems)
      : node_(node), path_(std::move(path)), problems_(problems) {}

  // Shown at the first of `fields` that the user wrote, with the places of the others.
  void error(std::initializer_list<const char*> fields, const std::string& message);
  bool is_set(const char* field) const { return node_.find(field) != nullptr; }
  // An error if the user wrote `field`: it would have no effect because of `reason`.
  void no_effect(const char* field, const std::string& reason);
  Check at(const char* field) const;  // of a group or list item below
  Problems& problems() const { return problems_; }
  const std::string& path() const { return path_; }

 private:
  const Node& node_;
  std::string path_;
  Problems& problems_;
};

}  // namespace vitrine
