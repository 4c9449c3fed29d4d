#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// Numbers as people write them: 8, -3, 1_000, 0.005, .5, 1e-3, inf, nan. A leading zero ("0777") is
// no number, since readers disagree about it. None for anything else.
std::optional<double> parse_number(std::string_view text);
// A number that is whole and fits ("1e4" is 10000, "8.0" is not written as a whole number).
std::optional<int64_t> parse_integer(std::string_view text);
// The whole numbers of "0..9", both ends included; none where `text` is no such range.
std::optional<std::vector<int64_t>> integers_of(const std::string& text);
// Whether it is meant as a range of numbers, as sweeps take them: "0..9", "1e-4..0.1",
// "log:8..512", "0..1:0.25". What is wrong with its second half is for whoever reads it.
bool is_range_text(std::string_view text);
// true or false, in lower, upper or capitalised letters.
std::optional<bool> parse_bool(std::string_view text);
bool is_null_word(std::string_view text);  // "", ~, null

// The shortest text that reads back as the same double: 0.005, 1e-08, 3.
std::string number_text(double value);
// The number for people: -0 is 0.
std::string shown_number(double value);
// The number with so many digits behind the point; what rounds to nothing has no sign: -0.00001 is
// "0.0000".
std::string fixed_text(double value, int digits);

}  // namespace vitrine
