#include "framework/error.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <new>
#include <numeric>

namespace vitrine {

Error::Error(ExitCode code, const std::string& message, int system_code)
    : std::runtime_error(message), code_(code), system_code_(system_code) {}

// Out of line, so that its type information lives in the core alone and plug-ins can catch it.
Error::~Error() = default;

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string_view message = error.what();
  for (const char* words :
       {"DefaultCPUAllocator", "out of memory", "Storage size calculation overflowed"}) {
    if (message.find(words) != message.npos) return true;
  }
  return false;
}

void refuse_data(std::string_view name, const std::string& problem) {
  throw Error(ExitCode::kData, escape(name) + ": " + problem);
}

namespace {

// Length of the UTF-8 sequence at `text[i]`, its code point in `code`; 0 where it is malformed.
size_t decode_utf8(std::string_view text, size_t i, uint32_t& code) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  const size_t length = first < 0x80       ? 1
                        : first >> 5 == 6  ? 2
                        : first >> 4 == 14 ? 3
                        : first >> 3 == 30 ? 4
                                           : 0;
  if (length == 0 || i + length > text.size()) return 0;
  code = length == 1 ? first : first & (0xFF >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    if (byte(i + k) >> 6 != 2) return 0;
    code = code << 6 | (byte(i + k) & 0x3F);
  }
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return code < kSmallest[length] || code > 0x10FFFF || surrogate ? 0 : length;
}

bool steers_terminal(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x61C ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char buffer[16];
  for (size_t i = 0; i < text.size();) {
    uint32_t code = 0;
    const size_t length = decode_utf8(text, i, code);
    if (length == 0) {
      std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned char>(text[i]));
    } else if (steers_terminal(code)) {
      std::snprintf(buffer, sizeof buffer, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
    } else {
      out.append(text, i, length);
      i += length;
      continue;
    }
    const bool named = length == 1 && (code == '\n' || code == '\t' || code == '\r');
    out += !named ? buffer : code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r";
    i += std::max<size_t>(length, 1);
  }
  return out;
}

std::string escape_lines(std::string_view text) {
  std::string out;
  for (size_t begin = 0;;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    out += escape(text.substr(begin, end - begin));
    if (end == text.size()) return out;
    out += '\n';
    begin = end + 1;
  }
}

std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool is_utf8(std::string_view text) {
  uint32_t code = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = decode_utf8(text, i, code);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + !same(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string nearest_names(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string_view short_name = name.substr(0, 100);
  std::vector<std::pair<size_t, std::string>> near;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(short_name, candidate);
    // A third of the letters may differ; a candidate that continues what was typed counts as near
    // as well.
    const bool continues = short_name.size() >= 3 && candidate.starts_with(short_name);
    if (distance * 3 <= std::max<size_t>(candidate.size(), 3) || continues)
      near.emplace_back(distance, candidate);
  }
  std::sort(near.begin(), near.end());
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(near.size(), 3); ++i)
    out += (i ? ", " : "") + near[i].second;
  return out;
}

}  // namespace vitrine
