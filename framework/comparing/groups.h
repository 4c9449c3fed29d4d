#pragma once

#include <vector>

#include "framework/comparing/comparison.h"

namespace vitrine {

// The first step of compare_runs: sets `keys`, `groups` (all but `counted`, `remarks` and
// `contrast`) and `left_out`. Throws Error(kData) where no run can be compared.
Comparison group_runs(const std::vector<const RunRecord*>& runs, const KeyOptions& options = {});

// Whether tables show only the beginning of the value.
bool is_hash(const std::string& key);

// A value of Comparison::keys for people: shown_value(), hashes shortened.
std::string shown_key_value(const std::string& key, const nlohmann::ordered_json& value);

}  // namespace vitrine
