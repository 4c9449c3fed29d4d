#pragma once

#include <string>
#include <vector>

namespace vitrine {

// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `count` of them;
// `low` alone where there is no range.
std::vector<double> ticks_between(double low, double high, size_t count, bool whole);

// All with the digits that the steps between them need: 1.9, 2.0, 2.1.
std::vector<std::string> tick_texts(const std::vector<double>& ticks);

}  // namespace vitrine
