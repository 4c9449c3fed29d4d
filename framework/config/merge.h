#pragma once

#include <functional>

#include "framework/config/node.h"

namespace vitrine {

// `over` on top of `base`: mappings merge, everything else replaces. A component's shorthand (`mlp:
// gelu`) counts as {type: gelu}, and where `type` changes the base's options of that component are
// dropped. A list that appends goes behind the base's, and a mapping of numbers changes items of
// it: {0: {pixels: 3}}. Throws Error(kUsage), with the place, where the base has no such list or
// item.
Node merge(Node base, Node over);

// Merges mappings that are no components, such as whole configs.
Node merge_keys(Node base, Node over);

// A config over one that it inherits from: as merge_keys, but its plug-ins come behind those of the
// base, which needs them.
Node inherit(Node base, Node own);

// {type: gelu} of `gelu`; other values stay as they are.
Node spelled_out(Node component);

// Keys that end in "+", anywhere in `config`, lose it, and their values are lists that append.
void take_appended(Node& config);

// Takes what `over` lists under `unset` back from `base`, which it is to be merged over, and erases
// that list. Throws Error(kUsage), with the place, for what the base does not set.
void take_back(Node& base, Node& over);

// What stands in the way of taking a key back.
enum class NotTaken { kNothing, kItem, kAbsent };
NotTaken take_back(Node& config, const std::string& path);

}  // namespace vitrine
