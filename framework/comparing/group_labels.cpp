#include "framework/comparing/group_labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "framework/comparing/groups.h"
#include "framework/comparing/telling_keys.h"
#include "framework/config/load.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostKeysOfLabel = 6;
constexpr size_t kMostKeysAfterName = 3;
constexpr size_t kMostNames = 3;

// The names of the groups' experiments, where one name is all of a group's; of a group that is
// alone, all its names.
std::vector<std::string> names_of(const std::vector<Group>& groups) {
  std::vector<std::string> out;
  for (const Group& group : groups) {
    std::vector<std::string> names;
    for (const RunRecord* run : group.runs) {
      if (!std::count(names.begin(), names.end(), run->metrics.name)) {
        names.push_back(run->metrics.name);
      }
    }
    const bool clear = names.size() == 1 || groups.size() == 1;
    if (names.size() > kMostNames) names.resize(kMostNames), names.emplace_back("...");
    out.push_back(clear ? fmt::format("{}", fmt::join(names, ", ")) : "");
  }
  return out;
}

// The last parts of the paths of groups of one run.
std::vector<std::string> ids_of(const std::vector<Group>& groups) {
  std::vector<std::string> out;
  for (const Group& group : groups) {
    out.push_back(group.runs.size() == 1 ? group.runs[0]->path.filename().string() : "");
  }
  return out;
}

bool tell_apart(const std::vector<std::string>& labels) {
  const std::set<std::string> distinct(labels.begin(), labels.end());
  return distinct.size() == labels.size() && !distinct.contains("");
}

// For each of `keys` that takes one value with each of a component's types the component's key.
using Following = std::map<std::string, std::string>;

Following following_keys(const std::vector<Group>& groups, const std::vector<std::string>& keys) {
  Following out;
  for (const std::string& key : keys) {
    for (size_t dot = key.rfind('.'); dot != key.npos && dot > 0; dot = key.rfind('.', dot - 1)) {
      const std::string above = key.substr(0, dot);
      if (!std::count(keys.begin(), keys.end(), above)) continue;
      std::map<std::string, std::set<std::string>> values;
      for (const Group& group : groups)
        values[group.values.value(above, Json()).dump()].insert(
            group.values.value(key, Json()).dump());
      const auto is_one = [](const auto& of_type) { return of_type.second.size() == 1; };
      if (std::all_of(values.begin(), values.end(), is_one)) out[key] = above;
    }
  }
  return out;
}

// "hidden_d=8 optimizer=adamw (lr 0.001)"; a key is whole where another one has the same last part.
std::string label_of(const Group& group, const std::vector<std::string>& keys,
                     const Following& following) {
  std::string out;
  const auto shown = [&](const std::string& key) {
    const auto value = group.values.find(key);
    return value == group.values.end() ? "-" : shown_key_value(key, *value);
  };
  const auto follows = [&](const std::string& key) {
    const auto found = following.find(key);
    return found != following.end() && std::count(keys.begin(), keys.end(), found->second);
  };
  for (const std::string& key : keys) {
    if (follows(key)) continue;
    out += (out.empty() ? "" : " ") + short_name(key, keys) + "=" + shown(key);
    std::vector<std::string> own;
    for (const std::string& other : keys) {
      if (!follows(other) || following.at(other) != key || !group.values.contains(other)) continue;
      own.push_back(other.substr(key.size() + 1) + " " + shown(other));
    }
    if (!own.empty()) out += fmt::format(" ({})", fmt::join(own, ", "));
  }
  return out;
}

// A name that several groups share is followed by what tells these apart.
std::vector<std::string> completed(const std::vector<std::string>& names,
                                   const Comparison& comparison) {
  std::map<std::string, std::vector<const Group*>> sharing;
  for (size_t i = 0; i < names.size(); ++i) sharing[names[i]].push_back(&comparison.groups[i]);
  std::map<std::string, std::vector<std::string>> keys;
  for (const auto& [name, groups] : sharing)
    keys[name] =
        in_order_of(comparison.keys, telling_keys(groups, comparison.keys, kMostKeysAfterName));
  const Following following = following_keys(comparison.groups, comparison.keys);
  std::vector<std::string> out;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string told = label_of(comparison.groups[i], keys[names[i]], following);
    out.push_back(names[i] + (names[i].empty() || told.empty() ? "" : " ") + told);
  }
  return out;
}

std::vector<std::string> key_labels(const Comparison& comparison,
                                    const std::vector<std::string>& keys) {
  const Following following = following_keys(comparison.groups, comparison.keys);
  std::vector<std::string> out;
  for (const Group& group : comparison.groups) out.push_back(label_of(group, keys, following));
  return out;
}

}  // namespace

void label_groups(Comparison& comparison) {
  std::vector<Group>& groups = comparison.groups;
  const std::vector<std::string> names = names_of(groups);
  const bool few_keys = comparison.keys.size() <= kMostKeysOfLabel;
  const bool one_name = std::set<std::string>(names.begin(), names.end()).size() == 1;
  std::vector<std::string> labels = names;
  if (!one_name) labels = completed(names, comparison);
  if (!tell_apart(labels)) {
    comparison.label_keys =
        few_keys ? comparison.keys
                 : in_order_of(comparison.keys, telling_keys(pointers_to(groups), comparison.keys,
                                                             kMostKeysOfLabel));
    labels = key_labels(comparison, comparison.label_keys);
    if (!tell_apart(labels)) comparison.label_keys.clear();
  }
  if (!tell_apart(labels)) labels = ids_of(groups);
  for (size_t i = 0; i < groups.size(); ++i) groups[i].label = labels[i];
  if (tell_apart(labels)) return;
  for (size_t i = 0; i < groups.size(); ++i) groups[i].label = fmt::format("#{}", i + 1);
}

}  // namespace vitrine
