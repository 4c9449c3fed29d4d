#include "framework/comparing/group_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kHashDigits = 8;

// What the keys of a mapping are called by whoever turned it on.
bool has_below(const RunRecord& run, const std::string& key) {
  const auto next = [&](const auto& item) { return item.starts_with(key + "."); };
  for (const auto& [name, value] : run.config.items()) {
    if (next(name)) return true;
  }
  return false;
}

// A place by its last names, with the digest where two share these; a mapping that is turned on by
// "on".
void shorten_places(Comparison& comparison) {
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
        const std::string digest = shortened_hash(group.values.value(key, ""));
        group.values[key] = digests[place].size() > 1 ? place + " " + digest : place;
      } else if (!group.values.contains(key) && has_below(*group.runs[0], key)) {
        group.values[key] = "on";
      }
    }
  }
}

// What an item of a list is called: "above_five", or the type of a component; empty for other
// items.
std::string name_of_item(const Json& item) {
  if (!item.is_object()) return "";
  for (const char* member : {"name", "type"}) {
    const auto found = item.find(member);
    if (found != item.end() && found->is_string()) return found->get<std::string>();
  }
  return "";
}

// The named items of lists, and which of their members are not the same in all lists.
class NamedItems {
 public:
  // Whether all items have names.
  bool add(const Json& list) {
    for (const Json& item : list) {
      const std::string name = name_of_item(item);
      if (name.empty()) return false;
      const Json& first = first_.emplace(name, item).first->second;
      for (const Json* of : {&item, &first}) {
        for (const auto& [member, value] : of->items()) {
          if (item.value(member, Json()) != first.value(member, Json()))
            differing_[name].insert(member);
        }
      }
    }
    return true;
  }

  // "[digit, above_five (weight 0.5)]"
  std::string shown(const Json& list) const {
    std::vector<std::string> out;
    for (const Json& item : list) {
      const std::string name = name_of_item(item);
      std::vector<std::string> own;
      if (const auto found = differing_.find(name); found != differing_.end()) {
        for (const std::string& member : found->second)
          own.push_back(member + " " + shown_value(item.value(member, Json())));
      }
      out.push_back(own.empty() ? name : fmt::format("{} ({})", name, fmt::join(own, ", ")));
    }
    return fmt::format("[{}]", fmt::join(out, ", "));
  }

 private:
  std::map<std::string, Json> first_;
  std::map<std::string, std::set<std::string>> differing_;
};

// Lists of mappings that have names, such as tasks and transforms, by these.
void name_items(Comparison& comparison) {
  for (const std::string& key : comparison.keys) {
    NamedItems items;
    std::vector<Json*> lists;
    bool all_named = true;
    for (Group& group : comparison.groups) {
      const auto list = group.values.find(key);
      if (list == group.values.end() || !list->is_array() || list->empty()) continue;
      all_named = all_named && items.add(*list);
      lists.push_back(&*list);
    }
    for (Json* list : lists) {
      if (all_named) *list = items.shown(*list);
    }
  }
}

}  // namespace

std::string shortened_hash(const std::string& hash) { return hash.substr(0, kHashDigits); }

void make_values_readable(Comparison& comparison) {
  shorten_places(comparison);
  name_items(comparison);
}

}  // namespace vitrine
