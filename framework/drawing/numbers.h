#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vitrine {

// What one direction of a picture counts or measures.
struct NumbersAxis {
  std::string name, unit;         // the unit is empty where it has none
  nlohmann::ordered_json values;  // a list: at each place a number or a label
};

// A block of numbers with names, as behind a heat map: the last axis runs fastest.
struct Numbers {
  std::vector<NumbersAxis> axes;
  std::string value, unit;    // what each number is
  std::vector<float> values;  // as many as the axes' lengths multiply to
};

// Numbers that a JSON file of a picture holds at most.
inline constexpr size_t kMaxNumbers = 10'000'000;

// 0 to count - 1.
nlohmann::ordered_json counted(int64_t count);

// {"axes": [{"name", "unit", "values"}], "value": {"name", "unit"}, "values": nested lists}; null
// for a unit that there is none of, and for what is no finite number. Throws Error(kUsage) beyond
// kMaxNumbers.
nlohmann::ordered_json json_of(const Numbers& numbers);

}  // namespace vitrine
