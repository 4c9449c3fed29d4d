#include "framework/comparing/telling_keys.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace vitrine {

namespace {

// Which kind each group is of, counted from 0.
using Kinds = std::vector<uint32_t>;

bool is_among(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The groups' values of `key`, equal ones as equal numbers.
Kinds kinds_of(const std::vector<const Group*>& groups, const std::string& key) {
  std::unordered_map<std::string, uint32_t> known;
  Kinds out;
  for (const Group* group : groups) {
    const auto value = group->values.find(key);
    const std::string text = value == group->values.end() ? "" : value->dump();
    out.push_back(known.try_emplace(text, static_cast<uint32_t>(known.size())).first->second);
  }
  return out;
}

// The kinds of both together, and how many there are.
Kinds refined(const Kinds& one, const Kinds& other, size_t& count) {
  std::unordered_map<uint64_t, uint32_t> known;
  Kinds out;
  for (size_t i = 0; i < one.size(); ++i) {
    const uint64_t both = uint64_t{one[i]} << 32 | other[i];
    out.push_back(known.try_emplace(both, static_cast<uint32_t>(known.size())).first->second);
  }
  count = known.size();
  return out;
}

size_t number_of_kinds(const Kinds& kinds) {
  return *std::max_element(kinds.begin(), kinds.end()) + 1;
}

// Whether a key above this one (the component that it is an option of) differs too, and is not
// chosen.
bool comes_later(const std::string& key, const std::vector<std::string>& keys,
                 const std::vector<std::string>& chosen) {
  for (size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
    const std::string above = key.substr(0, dot);
    if (is_among(keys, above) && !is_among(chosen, above)) return true;
  }
  return false;
}

class Chooser {
 public:
  Chooser(const std::vector<const Group*>& groups, const std::vector<std::string>& keys)
      : keys_(keys), kinds_(groups.size(), 0) {
    for (const std::string& key : keys) of_key_.push_back(kinds_of(groups, key));
  }

  // Takes the key that adds the most kinds; false where none adds any.
  bool take_telling(bool options_too) {
    size_t best = keys_.size(), most = number_of_kinds(kinds_);
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (is_among(chosen, keys_[i]) || (!options_too && comes_later(keys_[i], keys_, chosen)))
        continue;
      size_t count = 0;
      refined(kinds_, of_key_[i], count);
      if (count > most) most = count, best = i;
    }
    if (best == keys_.size()) return false;
    take(best);
    return true;
  }

  // Takes the key of the most values.
  bool take_varied() {
    size_t best = keys_.size(), most = 1;
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (is_among(chosen, keys_[i]) || comes_later(keys_[i], keys_, {})) continue;
      const size_t count = number_of_kinds(of_key_[i]);
      if (count > most) most = count, best = i;
    }
    if (best == keys_.size()) return false;
    take(best);
    return true;
  }

  std::vector<std::string> chosen;

 private:
  void take(size_t key) {
    size_t ignored = 0;
    chosen.push_back(keys_[key]);
    kinds_ = refined(kinds_, of_key_[key], ignored);
  }

  const std::vector<std::string>& keys_;
  std::vector<Kinds> of_key_;
  Kinds kinds_;  // by the chosen keys together
};

Chooser with_telling(const std::vector<const Group*>& groups, const std::vector<std::string>& keys,
                     size_t most) {
  Chooser out(groups, keys);
  while (out.chosen.size() < most && (out.take_telling(false) || out.take_telling(true))) {
  }
  return out;
}

}  // namespace

std::vector<std::string> telling_keys(const std::vector<const Group*>& groups,
                                      const std::vector<std::string>& keys, size_t most) {
  if (groups.size() < 2) return {};
  return with_telling(groups, keys, most).chosen;
}

std::vector<std::string> main_keys(const std::vector<const Group*>& groups,
                                   const std::vector<std::string>& keys, size_t most) {
  if (groups.size() < 2) return {};
  Chooser out = with_telling(groups, keys, most);
  while (out.chosen.size() < most && out.take_varied()) {
  }
  return out.chosen;
}

std::vector<const Group*> pointers_to(const std::vector<Group>& groups) {
  std::vector<const Group*> out;
  for (const Group& group : groups) out.push_back(&group);
  return out;
}

std::vector<std::string> in_order_of(const std::vector<std::string>& keys,
                                     const std::vector<std::string>& chosen) {
  std::vector<std::string> out;
  for (const std::string& key : keys) {
    if (is_among(chosen, key)) out.push_back(key);
  }
  return out;
}

}  // namespace vitrine
