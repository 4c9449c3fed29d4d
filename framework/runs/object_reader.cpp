#include "framework/runs/object_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {

namespace {

using Object = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& where, const std::string& what, const Object& got) {
  const std::string shown = got.is_structured() ? got.type_name() : got.dump();
  throw Error(ExitCode::kData,
              fmt::format("{}: expected {}, got {}", where, what, escape(shown.substr(0, 80))));
}

}  // namespace

ObjectReader::ObjectReader(const Object& object, std::string where)
    : ObjectReader(object, [where = std::move(where)] { return where; }) {}

ObjectReader::ObjectReader(const Object& object, std::function<std::string()> where)
    : object_(object), where_(std::move(where)), read_(object.size()) {
  if (!object.is_object()) refuse(where_(), "an object", object);
}

const Object& ObjectReader::at(const std::string& key) {
  const auto& members = object_.get_ref<const Object::object_t&>();
  const auto member = members.find(key);
  if (member == members.end())
    throw Error(ExitCode::kData, fmt::format("{}: \"{}\" is missing", where_(), key));
  read_[static_cast<size_t>(member - members.begin())] = true;
  return member->second;
}

const Object& ObjectReader::object(const std::string& key) {
  const Object& value = at(key);
  if (!value.is_object()) refuse(place(key), "an object", value);
  return value;
}

const Object& ObjectReader::array(const std::string& key) {
  const Object& value = at(key);
  if (!value.is_array()) refuse(place(key), "an array", value);
  return value;
}

std::string ObjectReader::string(const std::string& key) {
  const Object& value = at(key);
  if (!value.is_string()) refuse(place(key), "a string", value);
  return value.get<std::string>();
}

std::string ObjectReader::string_or_null(const std::string& key) {
  return at(key).is_null() ? "" : string(key);
}

std::string ObjectReader::one_of(const std::string& key, const std::vector<std::string>& allowed) {
  const Object& value = at(key);
  std::string text = value.is_string() ? value.get<std::string>() : "";
  if (!value.is_string() || !std::count(allowed.begin(), allowed.end(), text))
    refuse(place(key), fmt::format("one of {}", fmt::join(allowed, ", ")), value);
  return text;
}

std::vector<std::string> ObjectReader::strings(const std::string& key) {
  return array_of_strings(key).get<std::vector<std::string>>();
}

const Object& ObjectReader::array_of_strings(const std::string& key) {
  const Object& values = array(key);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_string()) refuse(fmt::format("{}[{}]", place(key), i), "a string", values[i]);
  }
  return values;
}

bool ObjectReader::boolean(const std::string& key) {
  const Object& value = at(key);
  if (!value.is_boolean()) refuse(place(key), "true or false", value);
  return value.get<bool>();
}

int64_t ObjectReader::integer(const std::string& key, int64_t smallest) {
  const Object& value = at(key);
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= uint64_t{INT64_MAX}
                                               : value.is_number_integer();
  if (fits && value.get<int64_t>() >= smallest) return value.get<int64_t>();
  return json_integer(value, place(key), smallest);  // which tells what is wrong
}

void ObjectReader::rest_are_numbers() const {
  size_t i = 0;
  for (auto member = object_.begin(); member != object_.end(); ++member) {
    if (read_[i++] || member->is_number() || member->is_null()) continue;
    refuse(place(member.key()), "a number", *member);
  }
}

void ObjectReader::no_rest() const {
  size_t i = 0;
  for (auto member = object_.begin(); member != object_.end(); ++member) {
    if (read_[i++]) continue;
    throw Error(ExitCode::kData,
                fmt::format("{}: unknown key \"{}\"", where_(), escape(member.key())));
  }
}

std::string ObjectReader::place(const std::string& key) const {
  return fmt::format("{}: {}", where_(), escape(key));
}

}  // namespace vitrine
