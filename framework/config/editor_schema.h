#pragma once

#include <nlohmann/json.hpp>

namespace vitrine {

// The JSON Schema of a config, which tells what each key takes, with what a file may say besides: a
// text that refers to other values in the place of a value, `KEY+` for more items of a list,
// numbers for single items of one, and `base` and `unset` at the top.
nlohmann::ordered_json editor_schema(nlohmann::ordered_json schema);

}  // namespace vitrine
