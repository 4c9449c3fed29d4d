#include "framework/comparing/groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "framework/comparing/differences.h"
#include "framework/comparing/group_labels.h"
#include "framework/comparing/group_values.h"
#include "framework/comparing/telling_keys.h"
#include "framework/config/load.h"
#include "framework/error.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;

constexpr size_t kMostMainKeys = 12;

// Data whose difference the config does not tell are marked, and code.
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

// Whether `by` have as many kinds of values without the key as with it.
bool is_told(const Comparison& comparison, const std::string& key,
             const std::vector<std::string>& by) {
  std::unordered_set<std::string> without, with;
  for (const Group& group : comparison.groups) {
    std::string text;
    for (const std::string& one : by) text += group.values.value(one, Json()).dump() + "\n";
    without.insert(text);
    with.insert(text + group.values.value(key, Json()).dump());
  }
  return without.size() == with.size();
}

// Takes out each of `last` that those before it, and `first`, tell.
void drop_told(Comparison& comparison, std::vector<std::string> first,
               const std::vector<std::string>& last) {
  for (const std::string& key : last) {
    if (!std::count(comparison.keys.begin(), comparison.keys.end(), key)) continue;
    if (!first.empty() && is_told(comparison, key, first)) {
      std::erase(comparison.keys, key);
    } else {
      first.push_back(key);
    }
  }
}

// A commit tells more than the sources that are its, and these more than what was built from them;
// what a config says of its data tells more than their digest.
void drop_what_follows(Comparison& comparison) {
  drop_told(comparison, {},
            {"environment.git", "environment.sources", "environment.plugins", "environment.build"});
  std::vector<std::string> of_data;
  for (const std::string& key : comparison.keys) {
    if (key.starts_with("dataset") && key != "dataset.sha256") of_data.push_back(key);
  }
  drop_told(comparison, of_data, {"dataset.sha256"});
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

}  // namespace

bool is_hash(const std::string& key) {
  return key == "dataset.sha256" || key == "environment.git" || key == "environment.sources" ||
         key == "environment.build";
}

std::string shown_key_value(const std::string& key, const nlohmann::ordered_json& value) {
  const std::string text = shown_value(value);
  if (!is_hash(key)) return text;
  return shortened_hash(text) + (text.ends_with("-dirty") ? "-dirty" : "");
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
  out.main_keys = main_keys(pointers_to(out.groups), out.keys, kMostMainKeys);
  label_groups(out);
  return out;
}

}  // namespace vitrine
