#pragma once

#include <string>
#include <vector>

#include "framework/comparing/comparison.h"

namespace vitrine {

// The keys that tell the groups apart, at most `most` of `keys`, or as many of the groups as so few
// can: the one that parts them into the most kinds, then the one that adds the most, and so on. An
// option of a component comes after the component itself. The first is the most telling.
std::vector<std::string> telling_keys(const std::vector<const Group*>& groups,
                                      const std::vector<std::string>& keys, size_t most);

// The telling keys and, up to `most`, those that part the groups most by themselves.
std::vector<std::string> main_keys(const std::vector<const Group*>& groups,
                                   const std::vector<std::string>& keys, size_t most);

std::vector<const Group*> pointers_to(const std::vector<Group>& groups);

// Those of `keys` that are among `chosen`, in their order.
std::vector<std::string> in_order_of(const std::vector<std::string>& keys,
                                     const std::vector<std::string>& chosen);

}  // namespace vitrine
