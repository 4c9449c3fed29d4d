#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vitrine {

// Nesting that a JSON text may have; deeper ones would overflow the stack when written again.
inline constexpr int kMaxJsonDepth = 64;

// Reads strict JSON (RFC 8259): valid UTF-8, no duplicate keys, no NaN or infinity, numbers within
// range, at most kMaxJsonDepth levels. Throws Error(kData), which tells `name` and the position in
// bytes.
nlohmann::json parse_json(std::string_view text, std::string_view name);
// Parses it, and keeps the order of keys; an object may have at most 10,000 of them.
nlohmann::ordered_json parse_ordered_json(std::string_view text, std::string_view name);

// The text for programs, indented. A path or a word of the command line may be no UTF-8, which JSON
// has to be: each of its odd bytes becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);

// Ranges checked, unlike nlohmann::json::get, where -1 wraps and 1.9 becomes 1. `where` is the
// subject of the message of the Error(kData) thrown: "<where>: expected an integer from 0 to 5, got
// 1.9".
int64_t json_integer(const nlohmann::json& value, std::string_view where,
                     int64_t smallest = INT64_MIN, int64_t largest = INT64_MAX);
double json_number(const nlohmann::json& value, std::string_view where);
std::string json_string(const nlohmann::json& value, std::string_view where);
// The member `key` of the object `value`.
const nlohmann::json& json_member(const nlohmann::json& value, std::string_view key,
                                  std::string_view where);

}  // namespace vitrine
