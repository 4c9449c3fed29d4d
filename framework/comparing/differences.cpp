#include "framework/comparing/differences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;

// What a run depends on besides its config.
constexpr const char* kOfDataset[] = {"sha256"};
constexpr const char* kOfEnvironment[] = {"git", "sources", "plugins", "build", "torch"};

enum class KeyRole { kNone, kPlace, kResult };

// What runs say of their keys; many say the same as the one before.
class Meanings {
 public:
  explicit Meanings(const Runs& runs) {
    const Json* before = nullptr;
    for (const RunRecord* run : runs) {
      if (before && *before == run->metrics.keys) continue;
      before = &run->metrics.keys;
      for (const auto& [role, paths] : run->metrics.keys.items()) {
        for (const Json& path : paths) note(role, path.get_ref<const std::string&>());
      }
    }
  }

  KeyRole role_of(const std::string& key) const {
    if (other_.contains(key)) return KeyRole::kNone;
    return places_.contains(key) ? KeyRole::kPlace : KeyRole::kResult;
  }
  bool is_set(const std::string& key) const { return set_.contains(key); }

 private:
  void note(const std::string& role, const std::string& path) {
    if (role == "set") {
      set_.insert(path);
    } else if (role == "place") {
      places_.insert(path);
    } else if (role != "replicate") {
      other_.insert(path);
    }
  }

  // Members of metrics.json by themselves, whatever a run says.
  std::unordered_set<std::string> other_ = {"name", "note", "tags"};
  std::unordered_set<std::string> places_, set_;
};

// The place's content decides; of one that has none of its own, as a data set's, nothing here.
bool is_place(const RunRecord& run, const std::string& key) {
  const auto places = run.metrics.keys.find("place");
  return places != run.metrics.keys.end() &&
         std::find(places->begin(), places->end(), key) != places->end();
}

// "optimizer.lr 0.005 -> 0.001 at step 100" of each change that makes the run another experiment.
std::string inexact_changes(const RunRecord& run) {
  std::vector<std::string> out;
  for (const Change& change : run.metrics.changes) {
    if (change.exact || change.key.starts_with("environment.")) continue;
    out.push_back(fmt::format("{} {} -> {} at step {}", change.key, change.from.dump(),
                              change.to.dump(), change.step));
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

struct Seen {
  Json first;
  size_t count = 0;
  bool differs = false;
};

class Collector {
 public:
  void note(const std::string& key, const Json& value) {
    const auto [found, is_new] = seen_.try_emplace(key);
    Seen& seen = found->second;
    if (is_new) order_.push_back(key), seen.first = value;
    ++seen.count;
    if (!seen.differs) seen.differs = seen.first != value;
  }
  void note_members(const Json& object, const std::string& prefix, auto& names) {
    for (const char* name : names) {
      if (const auto found = object.find(name); found != object.end()) note(prefix + name, *found);
    }
  }

  std::vector<std::string> differing(size_t runs, const Meanings& meanings) const {
    std::vector<std::string> out;
    for (const std::string& key : order_) {
      const Seen& seen = seen_.at(key);
      if (seen.differs || (seen.count < runs && !follows(key, runs, meanings))) out.push_back(key);
    }
    return out;
  }

 private:
  // Whether the key is there in some runs alone because of another key, and says nothing more.
  bool follows(const std::string& key, size_t runs, const Meanings& meanings) const {
    if (meanings.is_set(key)) return false;
    for (size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
      const auto above = seen_.find(key.substr(0, dot));
      if (above == seen_.end()) continue;
      if (above->second.differs || above->second.count < runs) return true;
    }
    return false;
  }

  std::vector<std::string> order_;
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace

std::vector<std::string> replicate_keys(const Runs& runs, const KeyOptions& options) {
  if (!options.over.empty()) return options.over;
  std::vector<std::string> out;
  for (const RunRecord* run : runs) {
    const auto named = run->metrics.keys.find("replicate");
    if (named == run->metrics.keys.end()) continue;
    for (const Json& key : *named) {
      if (std::find(out.begin(), out.end(), key.get<std::string>()) == out.end())
        out.push_back(key.get<std::string>());
    }
  }
  return out.empty() ? std::vector<std::string>{"seed"} : out;
}

std::vector<std::string> differing_keys(const Runs& runs, const KeyOptions& options) {
  const Meanings meanings(runs);
  std::unordered_set<std::string> ignored(options.ignore.begin(), options.ignore.end());
  const std::unordered_set<std::string> by(options.by.begin(), options.by.end());
  for (std::string& key : replicate_keys(runs, options)) ignored.insert(std::move(key));
  std::unordered_map<std::string, KeyRole> roles;
  const auto role_of = [&](const std::string& key) {
    const auto [found, is_new] = roles.try_emplace(key, KeyRole::kNone);
    if (is_new && !ignored.contains(key) && !by.contains(key))
      found->second = meanings.role_of(key);
    return found->second;
  };
  Collector collector;
  const auto note = [&](const RunRecord& run, const std::string& key, const Json& value) {
    const KeyRole role = role_of(key);
    if (role == KeyRole::kResult) return collector.note(key, value);
    if (role == KeyRole::kNone) return;
    const auto digest = run.metrics.contents.find(key);
    if (digest != run.metrics.contents.end()) collector.note(key, *digest);
  };
  for (const RunRecord* run : runs) {
    if (run->value(kConfirmingTag)) collector.note(kConfirmingTag, true);
    for (const auto& [key, value] : run->config.get_ref<const Json::object_t&>())
      note(*run, key, value);
    for (const std::string& key : options.by) {
      if (const auto value = run->value(key)) collector.note(key, *value);
    }
    collector.note_members(run->metrics.dataset, "dataset.", kOfDataset);
    collector.note_members(run->metrics.environment, "environment.", kOfEnvironment);
    if (const auto changes = telling_value(*run, kChangesKey))
      collector.note(kChangesKey, *changes);
  }
  std::vector<std::string> out = collector.differing(runs.size(), meanings);
  std::erase_if(out, [&](const std::string& key) { return ignored.contains(key); });
  return out;
}

std::optional<nlohmann::ordered_json> telling_value(const RunRecord& run, const std::string& key) {
  if (key == kChangesKey) {
    const std::string changes = inexact_changes(run);
    return changes.empty() ? std::nullopt : std::optional<Json>(changes);
  }
  if (!is_place(run, key)) return run.value(key);
  const auto digest = run.metrics.contents.find(key);
  return digest == run.metrics.contents.end() ? std::nullopt : std::optional<Json>(*digest);
}

}  // namespace vitrine
