#include "framework/reports/groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "framework/config/load.h"
#include "framework/error.h"
#include "framework/reports/differences.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;

constexpr size_t kHashDigits = 8;
constexpr size_t kMostKeysOfLabel = 6;
constexpr size_t kMostKeysAfterName = 3;
constexpr size_t kMostNames = 3;

const char* mark_of(const std::string& key) {
  if (key == "dataset.sha256") return "other data";
  if (key.starts_with("environment.")) return "other code";
  return nullptr;
}

// Groups by the values of `keys`, in the order of their first runs.
std::vector<Group> groups_by(const std::vector<std::string>& keys, const Runs& runs) {
  std::vector<Group> out;
  std::unordered_map<std::string, size_t> known;
  for (const RunRecord* run : runs) {
    Json values = Json::object();
    for (const std::string& key : keys) {
      if (auto value = telling_value(*run, key)) values[key] = std::move(*value);
    }
    const auto [found, is_new] = known.try_emplace(values.dump(), out.size());
    if (is_new) {
      out.emplace_back();
      out.back().values = std::move(values);
    }
    out[found->second].runs.push_back(run);
  }
  return out;
}

// A commit tells more than the sources that are its, and these more than what was built from them.
void drop_what_follows(Comparison& comparison) {
  std::vector<std::string> told;
  for (const char* name : {"git", "sources", "plugins", "build"}) {
    const std::string key = std::string("environment.") + name;
    if (!std::count(comparison.keys.begin(), comparison.keys.end(), key)) continue;
    std::set<std::string> by, both;
    for (const Group& group : comparison.groups) {
      std::string values;
      for (const std::string& one : told) values += group.values.value(one, Json()).dump();
      by.insert(values);
      both.insert(values + group.values.value(key, Json()).dump());
    }
    if (!told.empty() && by.size() == both.size()) {
      std::erase(comparison.keys, key);
    } else {
      told.push_back(key);
    }
  }
}

// What the keys of a mapping are called by whoever turned it on.
bool has_below(const RunRecord& run, const std::string& key) {
  const auto next = [&](const auto& item) { return item.starts_with(key + "."); };
  for (const auto& [name, value] : run.config.items()) {
    if (next(name)) return true;
  }
  return false;
}

// Values as people know them: a place by its last names, with the digest where two share these; a
// mapping that is turned on by "on".
void make_values_readable(Comparison& comparison) {
  for (const std::string& key : comparison.keys) {
    std::map<std::string, std::set<std::string>> digests;
    const auto place_of = [&](const Group& group) {
      const RunRecord& run = *group.runs[0];
      const auto digest = run.metrics.contents.find(key);
      const auto place = run.config.find(key);
      if (digest == run.metrics.contents.end() || place == run.config.end() || !place->is_string())
        return std::string();
      const std::filesystem::path path = place->get<std::string>();
      return (path.parent_path().filename() / path.filename()).string();
    };
    for (const Group& group : comparison.groups) {
      if (const std::string place = place_of(group); !place.empty())
        digests[place].insert(group.values.value(key, ""));
    }
    for (Group& group : comparison.groups) {
      const std::string place = place_of(group);
      if (!place.empty()) {
        const std::string digest = group.values.value(key, "").substr(0, kHashDigits);
        group.values[key] = digests[place].size() > 1 ? place + " " + digest : place;
      } else if (!group.values.contains(key) && has_below(*group.runs[0], key)) {
        group.values[key] = "on";
      }
    }
  }
}

// Says of a group what it pools over.
void mark_pooled(Comparison& comparison, const KeyOptions& options) {
  for (Group& group : comparison.groups) {
    for (const std::string& key : options.ignore) {
      std::set<std::string> values;
      for (const RunRecord* run : group.runs) {
        values.insert(telling_value(*run, key).value_or(nullptr).dump());
      }
      if (values.size() > 1) group.marks.push_back(fmt::format("pooled over {}", key));
    }
  }
}

// Marks groups whose data or code is not that of most runs.
void mark_others(Comparison& comparison) {
  for (const std::string& key : comparison.keys) {
    const char* mark = mark_of(key);
    if (mark == nullptr) continue;
    std::vector<std::pair<Json, size_t>> counts;
    const auto value_of = [&](const Group& group) { return group.values.value(key, Json()); };
    for (const Group& group : comparison.groups) {
      const auto same = [&](const auto& count) { return count.first == value_of(group); };
      auto found = std::find_if(counts.begin(), counts.end(), same);
      if (found == counts.end()) found = counts.insert(found, {value_of(group), 0});
      found->second += group.runs.size();
    }
    const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
    const Json most = std::max_element(counts.begin(), counts.end(), fewer)->first;
    for (Group& group : comparison.groups) {
      if (value_of(group) == most) continue;
      group.is_other = true;
      if (!std::count(group.marks.begin(), group.marks.end(), mark)) group.marks.emplace_back(mark);
    }
  }
}

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
    if (names.size() > kMostNames) names.resize(kMostNames), names.push_back("...");
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

// A few keys that tell the groups apart, or as many of them as so few can; in the order of `keys`.
std::vector<std::string> telling_keys(const std::vector<const Group*>& groups,
                                      const std::vector<std::string>& keys) {
  std::set<std::string> chosen;
  const auto in_order = [&](const std::string& more) {
    std::vector<std::string> out;
    for (const std::string& key : keys) {
      if (key == more || chosen.contains(key)) out.push_back(key);
    }
    return out;
  };
  const Following none;
  for (size_t told = 1; told < groups.size() && chosen.size() < kMostKeysAfterName;) {
    std::string best;
    for (const std::string& key : keys) {
      const std::vector<std::string> candidates = in_order(key);
      std::set<std::string> labels;
      for (const Group* group : groups) labels.insert(label_of(*group, candidates, none));
      if (labels.size() > told) told = labels.size(), best = key;
    }
    if (best.empty()) break;
    chosen.insert(best);
  }
  return in_order("");
}

// A name that several groups share is followed by what tells these apart.
std::vector<std::string> completed(const std::vector<std::string>& names,
                                   const Comparison& comparison) {
  std::map<std::string, std::vector<const Group*>> sharing;
  for (size_t i = 0; i < names.size(); ++i) sharing[names[i]].push_back(&comparison.groups[i]);
  std::map<std::string, std::vector<std::string>> keys;
  for (const auto& [name, groups] : sharing) keys[name] = telling_keys(groups, comparison.keys);
  const Following following = following_keys(comparison.groups, comparison.keys);
  std::vector<std::string> out;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string told = label_of(comparison.groups[i], keys[names[i]], following);
    out.push_back(names[i] + (names[i].empty() || told.empty() ? "" : " ") + told);
  }
  return out;
}

// By name where names tell the groups apart, with what differs where some share one; by what
// differs alone where all do, or where names are no help; by number where nothing is.
void label_groups(Comparison& comparison) {
  std::vector<Group>& groups = comparison.groups;
  const std::vector<std::string> names = names_of(groups);
  const bool few_keys = comparison.keys.size() <= kMostKeysOfLabel;
  const bool one_name = std::set<std::string>(names.begin(), names.end()).size() == 1;
  std::vector<std::string> labels = names;
  if (!one_name || !few_keys) labels = completed(names, comparison);
  if (!tell_apart(labels) && few_keys) {
    const Following following = following_keys(groups, comparison.keys);
    for (size_t i = 0; i < groups.size(); ++i)
      labels[i] = label_of(groups[i], comparison.keys, following);
    comparison.labels_are_keys = tell_apart(labels);
  }
  if (!tell_apart(labels)) labels = ids_of(groups);
  for (size_t i = 0; i < groups.size(); ++i) groups[i].label = labels[i];
  if (tell_apart(labels)) return;
  for (size_t i = 0; i < groups.size(); ++i) groups[i].label = fmt::format("#{}", i + 1);
}

}  // namespace

bool is_hash(const std::string& key) {
  return key == "dataset.sha256" || key == "environment.git" || key == "environment.sources" ||
         key == "environment.build";
}

std::string shown_key_value(const std::string& key, const nlohmann::ordered_json& value) {
  const std::string text = shown_value(value);
  if (!is_hash(key)) return text;
  return text.substr(0, kHashDigits) + (text.ends_with("-dirty") ? "-dirty" : "");
}

Comparison group_runs(const std::vector<const RunRecord*>& runs, const KeyOptions& options) {
  Comparison out;
  Runs compared;
  for (const RunRecord* run : runs) {
    if (!run->is_readable()) {
      out.left_out.emplace_back(run, run->error);
    } else if (run->metrics.config_sha256.empty()) {
      out.left_out.emplace_back(run, run->status == "waiting"
                                         ? "never started"
                                         : run->status + " before its first metrics.json");
    } else {
      compared.push_back(run);
    }
  }
  if (compared.empty()) {
    throw Error(ExitCode::kData,
                runs.empty() ? "there is no run to compare"
                             : fmt::format("no run can be compared; the first, "
                                           "{}: {}",
                                           escape(runs[0]->path.string()), out.left_out[0].second));
  }
  out.replicate = replicate_keys(compared, options);
  out.keys = differing_keys(compared, options);
  out.groups = groups_by(out.keys, compared);
  drop_what_follows(out);
  mark_pooled(out, options);
  mark_others(out);
  make_values_readable(out);
  label_groups(out);
  return out;
}

}  // namespace vitrine
