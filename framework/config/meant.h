#pragma once

#include <string>
#include <vector>

#include "framework/config/known_keys.h"
#include "framework/config/node.h"

// Which key somebody meant who wrote one that is not known.
namespace vitrine {

// The keys that may be meant by `path`, nearest first; empty where none is near. They are looked
// for at every level, by their last part, its near spellings and other words for it. Parts are
// parted by dots, in the names of metrics by slashes as well. `is_mapping`: a mapping was written
// there.
std::vector<KnownKey> meant_by(const std::string& path, const KnownKeys& keys,
                               bool is_mapping = false);

// "did you mean model.norm.eps or optimizer.eps (of adam, not of sgd)?", or, where `path` itself
// is an option of components that are not chosen, whose it is; empty for no keys.
std::string did_you_mean(const std::string& path, const std::vector<KnownKey>& meant);

// The same for a key of a config that is unknown in the mapping at `path`.
std::string hint_for_unknown(const std::string& path, const Node& unknown, const KnownKeys& keys);

// "a", "a or b", "a, b or c"
std::string enumerated(const std::vector<std::string>& names, const std::string& last = "or");

}  // namespace vitrine
