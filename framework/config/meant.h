#pragma once

#include <string>
#include <vector>

#include "framework/config/known_keys.h"

// Which key somebody meant who wrote one that is not known.
namespace vitrine {

// The keys that may be meant by `path`, nearest first; empty where none is near. They are looked
// for at every level, by their last part, its near spellings and other words for it. Parts are
// parted by dots, in the names of metrics by slashes as well. `is_mapping`: a mapping was written
// there.
std::vector<KnownKey> meant_by(const std::string& path, const KnownKeys& keys,
                               bool is_mapping = false);

// Whether the last part of a key is called so, or nearly.
bool is_called(const std::string& name, const KnownKey& key);

// An item that is not there yet can only be written with its list.
bool is_of_next_item(const KnownKey& key);

}  // namespace vitrine
