#pragma once

#include <string>
#include <vector>

#include "framework/data/splits.h"

namespace vitrine {

// What there is to learn: "10 classes, 5421 to 6742 images each", "kind: 3 classes, ...; age: 1
// value"; empty where there are no labels.
std::string shown_columns(const Split& train, const std::vector<LabelColumn>& columns);

// What looks like a mistake in the data, or in how much of them is taken: each a sentence that
// tells a way out. `loaded` is the training set before limits; of the training split the first
// `used` images are seen.
std::vector<std::string> data_findings(const Split& loaded, const Splits& splits,
                                       const DatasetInfo& info, int64_t used);

}  // namespace vitrine
