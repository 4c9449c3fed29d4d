#include "framework/sweeps/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace vitrine {
namespace {

bool is_list(const Node& node) { return node.kind == Node::Kind::kSequence; }

// Whether a mapping at a place of this type is a range.
bool means_range(const Node& node, const FieldType& type) {
  if (type.takes_number() && !type.takes_mapping()) return true;
  return looks_like_range(node) && !(type.is_known() && type.takes_mapping());
}

// Whether a list at a place of this type is one of values. A list that is itself a value holds no
// list.
bool means_several(const Node& node, const FieldType& type) {
  return !type.takes_list() || std::any_of(node.children.begin(), node.children.end(), is_list);
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

class SpaceReader {
 public:
  SpaceReader(const SweepOptions& options, const FieldTypes& types, Problems& problems)
      : options_(options), types_(types), problems_(problems) {}

  Space read() {
    Space out;
    for (size_t i = 0; i < options_.cells.list.size(); ++i) {
      where_ = fmt::format("sweep.cells.{}.", i);
      out.cells.push_back(cell(options_.cells.list[i]));
    }
    out.has_cells = !out.cells.empty();
    if (!out.has_cells) out.cells.emplace_back();
    where_ = "sweep.parameters.";
    for (const Parameter& parameter : options_.parameters.list) {
      Variable variable = parameter_of(parameter);
      if (variable.range || !variable.variants.empty())
        out.parameters.push_back(std::move(variable));
    }
    return out;
  }

 private:
  Variant cell(const GivenCell& given) {
    Variant out;
    for (const Setting& setting : given.settings)
      add(out, setting.path, setting.value, types_.at(setting.path));
    out.name = given.name;
    if (!given.name.empty()) give_name(out);
    return out;
  }

  static void give_name(Variant& variant) {
    for (Setting& setting : variant.settings) setting.has_name = true;
  }

  Variable parameter_of(const Parameter& parameter) {
    const FieldType type = types_.at(parameter.path);
    const Node& given = parameter.values;
    if (is_list(given)) return choices(parameter.path, given, type);
    Variant alone;
    add(alone, parameter.path, given, type);
    const bool is_variable = alone.settings.empty() && alone.variables.size() == 1 &&
                             alone.variables[0].path == parameter.path;
    if (is_variable) return std::move(alone.variables[0]);
    Variable out = {parameter.path, {}, {}};
    if (!alone.settings.empty() || !alone.variables.empty())
      out.variants.push_back(std::move(alone));
    return out;
  }

  // Adds what `node` sets at `path`, and what varies in it.
  void add(Variant& to, const std::string& path, const Node& node, const FieldType& type) {
    const bool is_text = type.is_known() && !type.takes_number();
    if (const auto range = is_text ? std::nullopt : spelled_out(node, where_ + path, problems_)) {
      if (!is_list(*range)) return add_mapping(to, path, *range, type);
      if (range->children.empty() || refuses_whole_range(node, path, type)) return;
      return to.variables.push_back(choices(path, *range, FieldType()));
    }
    if (node.is_mapping()) return add_mapping(to, path, node, type);
    if (!is_list(node)) return to.settings.push_back({path, node});
    if (!means_several(node, type)) return add_list(to, path, node, type);
    Variable variable = choices(path, node, type);
    if (variable.range || !variable.variants.empty()) to.variables.push_back(std::move(variable));
  }

  // "0..1" is a list of two numbers; who draws for a key that takes any number may mean what lies
  // between.
  bool refuses_whole_range(const Node& node, const std::string& path, const FieldType& type) {
    if (!options_.draws() || !type.takes_real() || type.takes_whole()) return false;
    problems_.add(node.location,
                  fmt::format("{}{}: {} is a list of whole numbers, and the key takes any number",
                              where_, path, node.shown()),
                  "0.0..1.0 draws what lies between; a list is spelled out");
    return true;
  }

  void add_mapping(Variant& to, const std::string& path, const Node& node, const FieldType& type) {
    if (means_range(node, type)) {
      auto range = read_range(node, where_ + path, type, problems_);
      if (!range) return;
      range->key = node.key;
      range->place_of_key = node.key_location;
      to.variables.push_back({path, {}, range, type});
      return refuse_in_grid(node, to.variables.back());
    }
    const size_t before = problems_.size();
    Variant inner = parts_of_mapping(path, node, type);
    if (inner.variables.empty() && problems_.size() == before)
      return to.settings.push_back({path, node});
    append(to.settings, std::move(inner.settings));
    append(to.variables, std::move(inner.variables));
  }

  void refuse_in_grid(const Node& node, const Variable& variable) {
    const Range& range = *variable.range;
    if (options_.draws() || (range.step && !range.log)) return;
    if (range.step) {
      problems_.add(node.find("log")->key_location,
                    where_ + variable.path + ".log has no effect: a grid takes every value",
                    "remove it");
      return;
    }
    problems_.add(
        node.location,
        where_ + variable.path + ": a grid takes lists; the other methods draw values from ranges",
        fmt::format("sweep.method=random, or step: {} for every value in steps",
                    range.is_whole(variable.type) ? "1" : "0.1"));
  }

  // Each key of a mapping for itself, its type first: it decides on what the others are.
  Variant parts_of_mapping(const std::string& path, const Node& node, const FieldType& type) {
    Variant out;
    const Node* chosen = node.find("type");
    const bool is_fixed = chosen && chosen->kind == Node::Kind::kScalar;
    const FieldType inner = is_fixed ? type.of_component(chosen->scalar) : type;
    if (chosen) add(out, path, *chosen, is_list(*chosen) ? FieldType() : inner);
    for (const Node& child : node.children) {
      if (&child == chosen) continue;
      if (child.key.find('.') == child.key.npos && !child.key.empty()) {
        add(out, join_path(path, child.key), child, inner.below(child.key));
        continue;
      }
      Node layer = Node::mapping();  // no key, which whoever reads the config will say
      layer.location = node.location;
      layer.children.push_back(child);
      out.settings.push_back({path, std::move(layer)});
    }
    return out;
  }

  // A list that is a value, of which items may vary.
  void add_list(Variant& to, const std::string& path, const Node& node, const FieldType& type) {
    Variant inner;
    Node rest = node;
    for (size_t i = 0; i < node.children.size(); ++i) {
      const Node& item = node.children[i];
      const std::string number = std::to_string(i);
      Variant part;
      const size_t before = problems_.size();
      add(part, join_path(path, number), item, type.below(number));
      if (part.variables.empty() && problems_.size() == before) continue;
      rest.children[i] = item.is_mapping() ? Node::mapping() : Node::null();
      rest.children[i].location = item.location;
      append(inner.settings, std::move(part.settings));
      append(inner.variables, std::move(part.variables));
    }
    to.settings.push_back({path, std::move(rest)});
    append(to.settings, std::move(inner.settings));
    append(to.variables, std::move(inner.variables));
  }

  Variable choices(const std::string& path, const Node& list, const FieldType& type) {
    Variable out = {path, {}, {}, type};
    if (list.children.empty())
      problems_.add(list.location, where_ + path + ": expected values, got an empty list");
    for (Node item : list.children) {
      item.key = list.key;  // whose value it may be
      item.key_location = list.key_location;
      Variant variant;
      // A list among the values is one of them.
      if (is_list(item) && !type.takes_list()) {
        variant.settings.push_back({path, item});
      } else {
        add(variant, path, item, type);
      }
      const bool splits = variant.settings.empty() && variant.variables.size() == 1 &&
                          variant.variables[0].path == path;
      if (splits && list.children.size() == 1) return std::move(variant.variables[0]);
      if (splits && !variant.variables[0].range && !is_list(item)) {
        append(out.variants, std::move(variant.variables[0].variants));
      } else if (!variant.settings.empty() || !variant.variables.empty()) {
        out.variants.push_back(std::move(variant));
      }
    }
    refuse_repetitions(list, out);
    return out;
  }

  // Of values that a text such as "8..10" stands for; those that were written are compared as
  // they are read.
  void refuse_repetitions(const Node& list, const Variable& variable) {
    if (variable.variants.size() == list.children.size()) return;
    std::set<std::string> seen;
    for (const Variant& variant : variable.variants) {
      if (variant.settings.size() != 1 || !variant.variables.empty()) continue;
      const Node& value = variant.settings[0].value;
      if (seen.insert(to_flow_yaml(value)).second) continue;
      problems_.add(value.location,
                    fmt::format("{}{}: {} is listed twice", where_, variable.path, value.shown()),
                    "each value once; more runs of one value are what seeds are for");
    }
  }

  const SweepOptions& options_;
  const FieldTypes& types_;
  Problems& problems_;
  std::string where_;  // what stands before a path in messages
};

// `list`: the path of the list that they are items of, which is one value; empty outside of lists.
void add_varying(const std::vector<Variant>& variants, bool varies, const std::string& list,
                 std::set<std::string>& paths) {
  for (const Variant& variant : variants) {
    for (const Setting& setting : variant.settings) {
      if (varies) paths.insert(list.empty() ? setting.path : list);
    }
    for (const Variable& variable : variant.variables) {
      std::string outer = list;
      for (const Setting& setting : variant.settings) {
        const bool is_item = variable.path.starts_with(setting.path + ".");
        if (outer.empty() && is_item && is_list(setting.value)) outer = setting.path;
      }
      if (variable.range) paths.insert(outer.empty() ? variable.path : outer);
      add_varying(variable.variants, varies || variable.variants.size() > 1, outer, paths);
    }
  }
}

// Counts from the inside outwards.
Count count(std::vector<Variable>& variables);

Count count(std::vector<Variant>& variants) {
  uint64_t sum = 0;
  bool known = true;
  for (Variant& variant : variants) {
    variant.count = count(variant.variables);
    known = known && variant.count && (sum += *variant.count) <= Space::kMostCombinations;
  }
  return known ? Count(sum) : std::nullopt;
}

// Of a range whose kind depends on what else is chosen nothing is known.
Count count(const Range& range, const FieldType& type) {
  const bool depends = type.takes_whole() && type.takes_real() && !range.step;
  return depends ? std::nullopt : product(range.count(range.is_whole(type)), 1);
}

Count count(std::vector<Variable>& variables) {
  Count out = 1;
  for (Variable& variable : variables) {
    variable.count =
        variable.range ? count(*variable.range, variable.type) : count(variable.variants);
    out = product(out, variable.count);
  }
  return out;
}

}  // namespace

Count product(Count a, Count b) {
  constexpr uint64_t kMost = Space::kMostCombinations;
  if (!a || !b || *a > kMost || *b > kMost || *a * *b > kMost) return std::nullopt;
  return *a * *b;
}

Space read_space(const SweepOptions& options, const FieldTypes& types, Problems& problems) {
  Space out = SpaceReader(options, types, problems).read();
  out.count_of_cells = count(out.cells);
  out.count_of_parameters = count(out.parameters);
  return out;
}

std::vector<std::string> varying_paths(const Space& space) {
  std::set<std::string> out;
  add_varying(space.cells, space.cells.size() > 1, "", out);
  add_varying({{"", {}, space.parameters}}, false, "", out);
  return {out.begin(), out.end()};
}

}  // namespace vitrine
