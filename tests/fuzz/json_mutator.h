#pragma once

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace vitrine {

// Changes a value within a JSON text, so that most mutations are still JSON.
class JsonMutator {
 public:
  using Json = nlohmann::ordered_json;

  explicit JsonMutator(unsigned seed) : random_(seed) {}

  // Changes the bytes instead one time in eight, and where they are no JSON.
  size_t mutate(uint8_t* data, size_t size, size_t most) {
    // Deeper ones than any reader takes would overflow the stack when written.
    const auto is_flat = [](int depth, Json::parse_event_t, Json&) { return depth < 100; };
    Json text = Json::parse(data, data + size, is_flat, false);
    if (text.is_discarded() || below(8) == 0) return LLVMFuzzerMutate(data, size, most);
    for (size_t count = 1 + below(3); count > 0; --count) change(text);
    const std::string out = text.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (out.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::memcpy(data, out.data(), out.size());
    return out.size();
  }

 private:
  // A number below `count`, or 0.
  size_t below(size_t count) { return count == 0 ? 0 : random_() % count; }

  static void collect(Json& value, std::vector<Json*>& out) {
    out.push_back(&value);
    if (!value.is_structured()) return;
    for (Json& member : value) collect(member, out);
  }

  void change(Json& text) {
    std::vector<Json*> values;
    collect(text, values);
    Json& value = *values[below(values.size())];
    switch (below(8)) {
      case 0:
        return remove_member(value);
      case 1:
        return add_member(value, Json(*values[below(values.size())]));
      case 2:
        return change_text(value);
      case 3:
        return change_number(value);
      case 4:
        return rename_member(value);
      case 5: {
        const Json other = *values[below(values.size())];
        value = other;
        return;
      }
      default:
        value = odd_value();
    }
  }

  void remove_member(Json& value) {
    if (value.is_structured() && !value.empty())
      value.erase(std::next(value.begin(), static_cast<ptrdiff_t>(below(value.size()))));
  }

  void add_member(Json& value, Json member) {
    if (value.is_array()) value.push_back(std::move(member));
    if (value.is_object()) value[odd_text()] = std::move(member);
  }

  void rename_member(Json& value) {
    if (!value.is_object() || value.empty()) return;
    const auto member = std::next(value.begin(), static_cast<ptrdiff_t>(below(value.size())));
    const Json old = *member;
    std::string key = member.key();
    value.erase(member);
    value[below(2) == 0 ? odd_text() : mutated(std::move(key))] = old;
  }

  void change_text(Json& value) {
    if (value.is_string()) value = mutated(value.get<std::string>());
  }

  void change_number(Json& value) {
    if (value.is_number_integer()) {
      value = value.get<int64_t>() / 2 + static_cast<int64_t>(below(5)) - 2;
    } else if (value.is_number()) {
      value = value.get<double>() * (below(2) == 0 ? -1e100 : 1e-100);
    }
  }

  std::string mutated(std::string text) {
    constexpr size_t kMostAdded = 16;
    const size_t size = text.size();
    text.resize(size + kMostAdded);
    text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
    return text;
  }

  std::string odd_text() {
    static const std::vector<std::string> kTexts = {
        "",      ".",     "..",       "a.b",          "a..b",    "type",     "0",
        "1e999", "nan",   "${a}",     "$${a",         "${env:A", "base",     "seed",
        "name",  "tags+", "</script", "\xe2\x80\xa8", "\x01\n",  "-",        "~",
        "null",  "true",  "[1",       "test/loss",    "/",       "a\"b'c\\d"};
    return kTexts[below(kTexts.size())];
  }

  Json odd_value() {
    static const std::vector<Json> kValues = {nullptr,
                                              true,
                                              false,
                                              0,
                                              -1,
                                              1,
                                              2,
                                              255,
                                              256,
                                              INT32_MAX,
                                              INT64_MAX,
                                              INT64_MIN,
                                              UINT64_MAX,
                                              0.5,
                                              -0.0,
                                              1e-320,
                                              1e308,
                                              -1e308,
                                              Json::array(),
                                              Json::object(),
                                              Json::array({Json::array()}),
                                              {{"type", "a"}}};
    const size_t i = below(kValues.size() + 4);
    return i < kValues.size() ? kValues[i] : Json(odd_text());
  }

  std::minstd_rand random_;
};

}  // namespace vitrine

// Has libFuzzer change values of JSON inputs.
#define VITRINE_MUTATES_JSON                                                         \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, \
                                            unsigned seed) {                         \
    return vitrine::JsonMutator(seed).mutate(data, size, most);                      \
  }                                                                                  \
  static_assert(true)
