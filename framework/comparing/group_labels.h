#pragma once

#include "framework/comparing/comparison.h"

namespace vitrine {

// Gives each group a label of its own: by name where names tell the groups apart, with what differs
// where some share one; by what differs alone where all do, or where names are no help; by number
// where nothing is. Sets `label_keys`.
void label_groups(Comparison& comparison);

}  // namespace vitrine
