#pragma once

#include <string>
#include <vector>

#include "framework/config/meant.h"
#include "framework/config/node.h"

// What is said to somebody who wrote a key that is not known.
namespace vitrine {

// "did you mean model.norm.eps or optimizer.eps (of adam, not of sgd)?", or, where `path` itself
// is an option of components that are not chosen, whose it is; empty for no keys.
std::string did_you_mean(const std::string& path, const std::vector<KnownKey>& meant);

// ", nor optimizer.momentum", where what is meant is not there either; empty for no keys.
std::string nor_is(const std::vector<KnownKey>& meant);

// What a key of a config may mean that is unknown in the mapping at `path`.
std::string hint_for_unknown(const std::string& path, const Node& unknown, const KnownKeys& keys);

// What a key with dots in a file would be, written as mappings.
std::string hint_for_dots(const std::string& path, const std::string& key, const KnownKeys& keys);

// "a", "a or b", "a, b or c"
std::string enumerated(const std::vector<std::string>& names, const std::string& last = "or");

}  // namespace vitrine
