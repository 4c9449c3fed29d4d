#include "framework/files/json.h"

#include <cmath>
#include <iterator>
#include <map>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "framework/error.h"
#include "framework/files/fast_json.h"

namespace vitrine {
namespace {

using nlohmann::json;

// An ordered object looks keys up in linear time, so that many of them take for ever.
constexpr size_t kMaxOrderedKeys = 10'000;
constexpr size_t kUsualKeys = 24;

// A pointer that counts what the lexer has taken, because events do not tell their position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  size_t* count_;
};

// At most the first 20 bytes, so that a message stays a line.
std::string excerpt(std::string_view text) {
  return "\"" + escape(text.substr(0, 20)) + (text.size() > 20 ? "\"..." : "\"");
}

// Builds the value from the parser's events; throws at the first fault.
template <class Json>
class Builder : public nlohmann::json_sax<Json> {
 public:
  using typename nlohmann::json_sax<Json>::number_integer_t;
  using typename nlohmann::json_sax<Json>::number_unsigned_t;
  using typename nlohmann::json_sax<Json>::number_float_t;
  using typename nlohmann::json_sax<Json>::string_t;
  using typename nlohmann::json_sax<Json>::binary_t;
  using ObjectOf = typename Json::object_t;

  Builder(std::string_view text, std::string_view name, const size_t* position)
      : text_(text), name_(name), position_(position) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override {
    open(Json::object());
    // An ordered object that grows copies its keys and all below them.
    if constexpr (kOrdered) open_.back()->template get_ref<ObjectOf&>().reserve(kUsualKeys);
    return true;
  }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    Json& object = *open_.back();
    if (is_duplicate(object, value)) fail("duplicate key " + excerpt(value), *position_);
    if (kOrdered && object.size() == kMaxOrderedKeys) {
      fail("an object of more than " + std::to_string(kMaxOrderedKeys) + " keys", *position_);
    }
    if constexpr (kOrdered) {
      // operator[] would look for it among all others.
      auto& members =
          static_cast<typename ObjectOf::Container&>(object.template get_ref<ObjectOf&>());
      members.emplace_back(value, nullptr);
      slot_ = &members.back().second;
    } else {
      slot_ = &object[value];
    }
    return true;
  }

  bool parse_error(size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    constexpr int kNumberOutOfRange = 406;
    if (error.id == kNumberOutOfRange) fail("number out of range " + excerpt(token), position);
    if (std::string_view(error.what()).find("UTF-8") != std::string_view::npos) {
      fail("text that is not UTF-8", position);
    }
    if (position > text_.size()) fail("unexpected end", position);
    fail("unexpected " + excerpt(text_.substr(position - 1)), position);
    return false;
  }

 private:
  static constexpr bool kOrdered = std::is_same_v<Json, nlohmann::ordered_json>;

  [[noreturn]] void fail(const std::string& problem, size_t position) const {
    throw Error(ExitCode::kData, escape(name_) + ": invalid JSON at byte " +
                                     std::to_string(position) + ": " + problem);
  }

  // Of an ordered object with many keys they are kept apart, where they are found at once.
  bool is_duplicate(const Json& object, const std::string& key) {
    if (!kOrdered || object.size() < kUsualKeys) return object.contains(key);
    std::unordered_set<std::string>& seen = keys_[open_.size()];
    if (object.size() == kUsualKeys) {
      seen.clear();
      for (const auto& [name, member] : object.items()) seen.insert(name);
    }
    return !seen.insert(key).second;
  }

  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_object()) {
      *slot_ = std::move(value);
      return slot_;
    }
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  // Pointers stay valid: a container grows only while it is the innermost open one.
  bool open(Json container) {
    if (open_.size() >= static_cast<size_t>(kMaxJsonDepth)) {
      fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels", *position_);
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view name_;
  const size_t* position_;
  Json root_;
  std::vector<Json*> open_;                                 // from the root to the innermost
  Json* slot_ = nullptr;                                    // of the last key
  std::map<size_t, std::unordered_set<std::string>> keys_;  // by the depth of their object
};

template <class Json>
Json parse(std::string_view text, std::string_view name) {
  size_t position = 0;
  Builder<Json> builder(text, name, &position);
  const CountingIterator begin(text.data(), &position);
  const CountingIterator end(text.data() + text.size(), &position);
  Json::sax_parse(begin, end, &builder);
  return builder.take();
}

[[noreturn]] void fail(std::string_view where, const std::string& expected, const json& got) {
  const std::string text = got.is_structured()
                               ? std::string("an ") + got.type_name()
                               : got.dump(-1, ' ', false, json::error_handler_t::replace);
  throw Error(ExitCode::kData, escape(where) + ": expected " + expected + ", got " +
                                   escape(text.substr(0, 60)) + (text.size() > 60 ? "..." : ""));
}

std::string integer_range(int64_t smallest, int64_t largest) {
  if (smallest == INT64_MIN && largest == INT64_MAX) return "an integer";
  if (largest == INT64_MAX) return "an integer of at least " + std::to_string(smallest);
  return "an integer from " + std::to_string(smallest) + " to " + std::to_string(largest);
}

}  // namespace

json parse_json(std::string_view text, std::string_view name) { return parse<json>(text, name); }

nlohmann::ordered_json parse_ordered_json(std::string_view text, std::string_view name) {
  if (auto sound = parse_sound_json(text, kMaxOrderedKeys, kMaxJsonDepth)) return std::move(*sound);
  return parse<nlohmann::ordered_json>(text, name);
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int64_t json_integer(const json& value, std::string_view where, int64_t smallest, int64_t largest) {
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= uint64_t{INT64_MAX}
                                               : value.is_number_integer();
  const int64_t number = fits ? value.get<int64_t>() : 0;
  if (!fits || number < smallest || number > largest) {
    fail(where, integer_range(smallest, largest), value);
  }
  return number;
}

double json_number(const json& value, std::string_view where) {
  if (!value.is_number()) fail(where, "a number", value);
  return value.get<double>();
}

std::string json_string(const json& value, std::string_view where) {
  if (!value.is_string()) fail(where, "a string", value);
  return value.get<std::string>();
}

const json& json_member(const json& value, std::string_view key, std::string_view where) {
  if (!value.is_object()) fail(where, "an object", value);
  const auto found = value.find(std::string(key));
  if (found == value.end()) {
    throw Error(ExitCode::kData, escape(where) + ": \"" + escape(key) + "\" is missing");
  }
  return *found;
}

}  // namespace vitrine
