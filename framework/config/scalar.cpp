#include "framework/config/scalar.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace vitrine {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `text` without sign and without underscores between digits; none where they stand elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  if (text == "inf" || text == ".inf" || text == "nan" || text == ".nan") {
    value = text.ends_with("inf") ? INFINITY : NAN;
  } else {
    const auto digits = without_underscores(text);
    if (!digits || digits->empty() || !(is_digit((*digits)[0]) || (*digits)[0] == '.'))
      return std::nullopt;
    if (digits->size() > 1 && (*digits)[0] == '0' && is_digit((*digits)[1])) return std::nullopt;
    if ((*digits)[0] == '.' && (digits->size() == 1 || !is_digit((*digits)[1])))
      return std::nullopt;
    const char* end = digits->data() + digits->size();
    const auto result = std::from_chars(digits->data(), end, value);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  const auto plain = without_underscores(text);
  const auto value = parse_number(text);
  if (!plain || !value || text.find('.') != text.npos) return std::nullopt;
  const std::string_view digits =
      plain->starts_with('+') ? std::string_view(*plain).substr(1) : *plain;
  int64_t whole = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  if (result.ec == std::errc() && result.ptr == digits.data() + digits.size()) return whole;
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double skips integers
  if (std::floor(*value) != *value || std::abs(*value) > kExact) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<std::vector<int64_t>> integers_of(const std::string& text) {
  constexpr uint64_t kMostIntegers = 100'000;
  const size_t dots = text.find("..");
  if (dots == text.npos) return std::nullopt;
  const auto first = parse_integer(text.substr(0, dots)),
             last = parse_integer(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  // Without a sign, in which every distance fits.
  const uint64_t distance = static_cast<uint64_t>(*last) - static_cast<uint64_t>(*first);
  if (distance >= kMostIntegers) return std::nullopt;
  std::vector<int64_t> out;
  for (uint64_t i = 0; i <= distance; ++i) out.push_back(*first + static_cast<int64_t>(i));
  return out;
}

bool is_range_text(std::string_view text) {
  if (text.starts_with("log:")) text.remove_prefix(4);
  const size_t dots = text.find("..");
  return dots != text.npos && dots + 2 < text.size() && parse_number(text.substr(0, dots)) &&
         text.find_first_not_of("0123456789.eE+-_:") == text.npos;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::string number_text(double value) { return fmt::format("{}", value); }

std::string shown_number(double value) { return number_text(value == 0 ? 0 : value); }

std::string fixed_text(double value, int digits) {
  std::string out = fmt::format("{:.{}f}", value, digits);
  if (out.find_first_not_of("-0.") == out.npos && out.starts_with('-')) out.erase(0, 1);
  return out;
}

}  // namespace vitrine
