#include "framework/config/meant.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "framework/config/fields.h"
#include "framework/error.h"

namespace vitrine {
namespace {

using Parts = std::vector<std::string>;

constexpr size_t kMostLetters = 100;          // of a part that is compared
constexpr size_t kLeastStart = 3;             // letters of a name that are enough to tell it
constexpr size_t kOfNames = 3, kOfWords = 5;  // one letter in so many may differ

Parts split(const std::string& text, const char* separators) {
  Parts out = {""};
  for (const char letter : text) {
    if (std::string_view(separators).find(letter) != std::string_view::npos) {
      out.emplace_back();
    } else {
      out.back() += letter;
    }
  }
  return out;
}

// "batchSize", "batch-size" and "batch_size" are one word.
std::string plain(const std::string& name) {
  std::string out;
  for (const char letter : name) {
    const bool parts = letter == '_' || letter == '-' || letter == ' ';
    if (!parts) out += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return out;
}

// Letters in which they differ, where these are at most one in `share`, and one at least is the
// same.
std::optional<size_t> nearness(const std::string& typed, const std::string& name, size_t share) {
  if (typed.empty() || name.empty()) return std::nullopt;
  const size_t most = std::min(std::max(name.size(), share) / share, name.size() - 1);
  const size_t longer = std::max(typed.size(), name.size());
  if (longer - std::min(typed.size(), name.size()) > most) return std::nullopt;
  const size_t distance = edit_distance(typed, name);
  return distance <= most ? std::optional(distance) : std::nullopt;
}

bool begins(const std::string& typed, const std::string& name) {
  return typed.size() >= kLeastStart && plain(name).starts_with(plain(typed));
}

// How well a part that was written names a key: the first that holds counts. Where a name stands
// matters less than whether it is the right one.
enum Naming { kSame, kWord, kNearSpelling = 4, kNearWord, kSomeOfIt, kNotAtAll };

struct Match {
  Naming naming = kNotAtAll;
  size_t distance = 0;
};

Match match(const std::string& typed, const std::string& name,
            const std::vector<std::string>& words) {
  if (typed.size() > kMostLetters) return {};
  const std::string letters = plain(typed);
  if (!letters.empty() && (typed == name || letters == plain(name))) return {kSame, 0};
  for (const std::string& word : words) {
    if (letters == plain(word)) return {kWord, 0};
  }
  if (const auto distance = nearness(typed, name, kOfNames)) return {kNearSpelling, *distance};
  if (begins(typed, name))
    return {kNearSpelling, name.size() - std::min(typed.size(), name.size())};
  Match out;
  for (const std::string& word : words) {
    const auto distance = word.size() >= kOfWords ? nearness(typed, word, kOfWords) : std::nullopt;
    if (!distance || (out.naming == kNearWord && *distance >= out.distance)) continue;
    out = {kNearWord, *distance};
  }
  return out;
}

// Whether one begins or ends with the words of the other: "dropout_rate" with "dropout".
std::optional<size_t> more_than(const std::string& typed, const std::string& name) {
  const Parts long_one = split(typed, "_-"), short_one = split(name, "_-");
  if (typed.size() > kMostLetters || name.size() < 2 || short_one.size() >= long_one.size()) {
    return std::nullopt;
  }
  if (!std::equal(short_one.begin(), short_one.end(), long_one.begin()) &&
      !std::equal(short_one.rbegin(), short_one.rend(), long_one.rbegin())) {
    return std::nullopt;
  }
  return long_one.size() - short_one.size();
}

Match loose_match(const std::string& typed, const KnownKey& key, const std::string& name) {
  Match out;
  const auto take = [&](const std::string& called) {
    const auto distance = more_than(typed, called);
    if (distance && (out.naming == kNotAtAll || *distance < out.distance)) {
      out = {kSomeOfIt, *distance};
    }
  };
  take(name);
  for (const std::string& word : key.words) take(word);
  return out;
}

bool is_number(const std::string& part) {
  return !part.empty() && part.find_first_not_of("0123456789") == part.npos;
}

}  // namespace

bool is_called(const std::string& typed, const KnownKey& key) {
  return match(typed, key.path.substr(key.path.rfind('.') + 1), key.words).naming < kNearWord;
}

bool is_of_next_item(const KnownKey& key) { return key.path.find(".N.") != std::string::npos; }

namespace {

// How far the place that was written is from a key's.
enum Place { kBeside, kMisspelled, kLeftOut, kElsewhere };

class Search {
 public:
  Search(const std::string& path, const KnownKeys& keys, bool is_mapping)
      : path_(path), keys_(keys), is_mapping_(is_mapping) {}

  std::vector<KnownKey> run() {
    const Parts typed = split(path_, "./");
    const KnownKey* same = keys_.find(path_);
    if (same && same->owner) return {*same};
    find(typed, /*joined=*/false);
    // What stands for a dot: "mlp_ratio".
    const std::string& last = typed.back();
    for (size_t i = 1; i + 1 < std::min(last.size(), kMostLetters); ++i) {
      if (last[i] != '_' && last[i] != '-') continue;
      Parts parted(typed.begin(), typed.end() - 1);
      parted.push_back(last.substr(0, i));
      parted.push_back(last.substr(i + 1));
      find(parted, /*joined=*/true);
    }
    if (ranked_.empty()) find(typed, /*joined=*/false, /*loosely=*/true);
    return best();
  }

 private:
  struct Ranked {
    int cost;
    Place place;
    Match match;
    size_t index;
  };

  bool takes_what_was_written(const KnownKey& key) const {
    return key.is_group ? is_mapping_ : !is_mapping_ || keys_.find(key.path + ".type");
  }

  void find(const Parts& typed, bool joined, bool loosely = false) {
    for (size_t i = 0; i < keys_.list().size(); ++i) {
      const KnownKey& key = keys_.list()[i];
      const Parts known = split(key.path, "./");
      const Match found = loosely ? loose_match(typed.back(), key, known.back())
                                  : match(typed.back(), known.back(), key.words);
      if (found.naming == kNotAtAll || key.path == path_) continue;
      // Of a name within a name nothing more can be told.
      const Place place = loosely ? kLeftOut : place_of(typed, known);
      // One that is not asked for by its place, there are too many of.
      const bool is_everywhere = joined || !key.kind.empty() || known.back() == "type";
      if (is_everywhere && (place == kElsewhere || typed.size() == 1)) continue;
      if (joined && typed.size() > known.size()) continue;
      const int cost = static_cast<int>(found.naming) + static_cast<int>(place) +
                       (key.owner ? 1 : 0) + (takes_what_was_written(key) ? 0 : 2);
      ranked_.push_back({cost, place, found, i});
    }
  }

  // The parts above the last.
  Place place_of(const Parts& typed, const Parts& known) const {
    if (std::equal(typed.begin(), typed.end() - 1, known.begin(), known.end() - 1)) return kBeside;
    if (typed.size() == known.size() && left_over(typed, known) == 0) return kMisspelled;
    const bool fewer = typed.size() < known.size();
    if (fewer ? left_over(typed, known) == 0 : is_within(known, typed)) return kLeftOut;
    return kElsewhere;
  }

  // How many of the parts that were written name none above the key, in their order.
  size_t left_over(const Parts& typed, const Parts& known) const {
    size_t found = 0;
    std::string path;
    for (size_t i = 0; i + 1 < known.size() && found + 1 < typed.size(); ++i) {
      path = join_path(path, known[i]);
      if (is_like(typed[found], known[i], path)) ++found;
    }
    return typed.size() - 1 - found;
  }

  bool is_within(const Parts& known, const Parts& typed) const {
    size_t found = 0;
    std::string path = known[0];
    for (size_t i = 0; i + 1 < typed.size() && found + 1 < known.size(); ++i) {
      if (!is_like(typed[i], known[found], path)) continue;
      ++found;
      path = join_path(path, known[found]);
    }
    return found + 1 == known.size();
  }

  bool is_like(const std::string& typed, const std::string& part, const std::string& path) const {
    if (part == KnownKey::kNextItem) return is_number(typed);
    const KnownKey* key = keys_.find(path);
    return is_called(typed, key ? *key : KnownKey{.path = part});
  }

  std::vector<KnownKey> best() {
    const auto order = [this](const Ranked& one) {
      const bool has_owner = keys_.list()[one.index].owner.has_value();
      return std::tuple(one.cost, one.place, has_owner, one.match.naming, one.match.distance,
                        one.index);
    };
    std::sort(ranked_.begin(), ranked_.end(),
              [&](const Ranked& a, const Ranked& b) { return order(a) < order(b); });
    std::vector<KnownKey> out;
    KnownKeys seen;
    for (const Ranked& one : ranked_) {
      const Ranked& first = ranked_[0];
      const KnownKey& key = keys_.list()[one.index];
      const bool as_good = one.place == first.place && one.cost <= first.cost + 1 &&
                           (one.match.naming <= kWord || one.match.naming == first.match.naming);
      if (!as_good || seen.find(key.path)) continue;
      seen.add(key);
      out.push_back(key);
    }
    drop_nested(out);
    // An item that is not there is meant last.
    if (!std::all_of(out.begin(), out.end(), is_of_next_item)) std::erase_if(out, is_of_next_item);
    return out;
  }

  // Where a component that is not chosen has one of a kind that the config has itself, as a model
  // within an experiment, the outer one is meant.
  void drop_nested(std::vector<KnownKey>& found) const {
    const std::vector<KnownKey> all = found;
    const auto is_of_component = [&](const KnownKey& key) {
      return keys_.find(key.path.substr(0, key.path.find('.')) + ".type") != nullptr;
    };
    std::erase_if(found, [&](const KnownKey& key) {
      return key.owner && std::any_of(all.begin(), all.end(), [&](const KnownKey& outer) {
               return is_of_component(outer) && key.path.ends_with("." + outer.path);
             });
    });
  }

  const std::string& path_;
  const KnownKeys& keys_;
  bool is_mapping_;
  std::vector<Ranked> ranked_;
};

}  // namespace

std::vector<KnownKey> meant_by(const std::string& path, const KnownKeys& keys, bool is_mapping) {
  return Search(path, keys, is_mapping).run();
}

}  // namespace vitrine
