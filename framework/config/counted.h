#pragma once

#include "framework/config/fields.h"

namespace vitrine {

// Has the schema say that a list has exactly so many items, where a check refuses others: a lone
// value too, which `field` of its own takes for a list of one.
Field& counted(Field& field, int64_t count);

}  // namespace vitrine
