#pragma once

#include "framework/comparing/comparison.h"

namespace vitrine {

// Turns the groups' values into what people know: a place into its last names, a list of tasks or
// transforms into these' names with what differs between the groups.
void make_values_readable(Comparison& comparison);

// The first digits, which tell hashes apart.
std::string shortened_hash(const std::string& hash);

}  // namespace vitrine
