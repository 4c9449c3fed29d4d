#include "framework/checking/placements.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/config/merge.h"
#include "framework/registry/registry.h"
#include "framework/training/config.h"

namespace vitrine {
namespace {

constexpr int kDeepest = 3;  // components within components

Node mapping_of(const std::string& key, Node value) {
  Node out = Node::mapping();
  out.set(key, std::move(value));
  return out;
}

// "mlp" of "mlp or null".
std::string kind_of(const std::string& type) { return type.substr(0, type.find(" or ")); }

class Search {
 public:
  Search(const std::string& kind, const Node& component) : kind_(kind), component_(component) {}

  // `chosen`: what stands there already; may be null.
  std::vector<Placement> below(const Fields& fields, const Node* chosen, int depth) const {
    std::vector<Placement> out;
    for (const Field& field : fields.list()) {
      const Node* here = chosen && chosen->is_mapping() ? chosen->find(field.name) : nullptr;
      for (Placement& found : at(*field.value, here, depth)) {
        found.key = found.key.empty() ? field.name : field.name + "." + found.key;
        found.config = mapping_of(field.name, std::move(found.config));
        out.push_back(std::move(found));
      }
    }
    return out;
  }

 private:
  std::vector<Placement> at(const FieldValue& value, const Node* chosen, int depth) const {
    const std::string type = value.type();
    if (kind_of(type) == kind_) return {{component_, ""}};
    if (type == "list of " + kind_) return {{Node::sequence({component_}), ""}};
    std::vector<Placement> out;
    value.below([&](const Fields& fields, const Fields&) {
      if (type == "mapping") out = below(fields, chosen, depth);
    });
    const auto kinds = Registry::instance().kinds();
    const bool is_choice = std::count(kinds.begin(), kinds.end(), kind_of(type)) > 0;
    return is_choice && depth > 0 ? within(kind_of(type), chosen, depth - 1) : out;
  }

  // In each component that may be chosen instead.
  std::vector<Placement> within(const std::string& kind, const Node* chosen, int depth) const {
    std::vector<Placement> out;
    const Node* type = chosen && chosen->is_mapping() ? chosen->find("type") : chosen;
    for (const std::string& name : Registry::instance().names(kind)) {
      if (type && type->scalar != name) continue;
      const Component& component = *Registry::instance().find(kind, name);
      const auto options = make_options(component);
      for (Placement& found : below(fields_of(component, options.get()), chosen, depth)) {
        Node config = mapping_of("type", Node::string(name));
        for (Node& child : found.config.children) config.children.push_back(std::move(child));
        found.config = std::move(config);
        found.key += fmt::format(" of {}", name);
        out.push_back(std::move(found));
      }
    }
    return out;
  }

  std::string kind_;
  Node component_;
};

}  // namespace

std::vector<Placement> placements(const std::string& kind, const Node& component,
                                  const Node& base) {
  const Search search(kind, component);
  Config config;
  const Fields fields = fields_of(config);
  for (int depth = 0; depth <= kDeepest; ++depth) {
    std::vector<Placement> found = search.below(fields, &base, depth);
    for (Placement& each : found) {
      Node whole = base;
      each.config = merge_keys(std::move(whole), std::move(each.config));
    }
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace vitrine
