#include "framework/runs/object_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {

namespace {

using Object = nlohmann::ordered_json;

void expect(bool fits, const std::string& where, const std::string& what, const Object& got) {
  if (fits) return;
  const std::string shown = got.is_structured() ? got.type_name() : got.dump();
  throw Error(ExitCode::kData,
              fmt::format("{}: expected {}, got {}", where, what, escape(shown.substr(0, 80))));
}

}  // namespace

ObjectReader::ObjectReader(const Object& object, std::string where)
    : object_(object), where_(std::move(where)) {
  expect(object.is_object(), where_, "an object", object);
}

const Object& ObjectReader::at(const std::string& key) {
  read_.insert(key);
  if (const auto member = object_.find(key); member != object_.end()) return *member;
  throw Error(ExitCode::kData, fmt::format("{}: \"{}\" is missing", where_, key));
}

const Object& ObjectReader::object(const std::string& key) {
  const Object& value = at(key);
  expect(value.is_object(), place(key), "an object", value);
  return value;
}

const Object& ObjectReader::array(const std::string& key) {
  const Object& value = at(key);
  expect(value.is_array(), place(key), "an array", value);
  return value;
}

std::string ObjectReader::string(const std::string& key) {
  const Object& value = at(key);
  expect(value.is_string(), place(key), "a string", value);
  return value.get<std::string>();
}

std::string ObjectReader::string_or_null(const std::string& key) {
  return at(key).is_null() ? "" : string(key);
}

std::string ObjectReader::one_of(const std::string& key, const std::vector<std::string>& allowed) {
  const Object& value = at(key);
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const bool fits = value.is_string() && std::count(allowed.begin(), allowed.end(), text);
  expect(fits, place(key), fmt::format("one of {}", fmt::join(allowed, ", ")), value);
  return text;
}

std::vector<std::string> ObjectReader::strings(const std::string& key) {
  std::vector<std::string> values;
  for (const Object& value : array(key)) {
    if (!value.is_string())
      expect(false, fmt::format("{}[{}]", place(key), values.size()), "a string", value);
    values.push_back(value.get<std::string>());
  }
  return values;
}

bool ObjectReader::boolean(const std::string& key) {
  const Object& value = at(key);
  expect(value.is_boolean(), place(key), "true or false", value);
  return value.get<bool>();
}

int64_t ObjectReader::integer(const std::string& key, int64_t smallest) {
  return json_integer(at(key), place(key), smallest);
}

void ObjectReader::rest_are_numbers() const {
  for (const auto& [key, value] : object_.items()) {
    if (read_.contains(key)) continue;
    expect(value.is_number() || value.is_null(), place(key), "a number", value);
  }
}

void ObjectReader::no_rest() const {
  for (const auto& [key, value] : object_.items()) {
    if (read_.contains(key)) continue;
    throw Error(ExitCode::kData, fmt::format("{}: unknown key \"{}\"", where_, escape(key)));
  }
}

std::string ObjectReader::place(const std::string& key) const {
  return fmt::format("{}: {}", where_, escape(key));
}

}  // namespace vitrine
