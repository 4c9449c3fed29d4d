#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/json.h"

namespace vitrine {

// Typed values out of one object of a file, which must outlive this. Every failure is an
// Error(kData), which begins with `where` and the key.
class ObjectReader {
 public:
  using Object = nlohmann::ordered_json;

  ObjectReader(const Object& object, std::string where);
  // Where there are many of them: `where` is asked only for an error.
  ObjectReader(const Object& object, std::function<std::string()> where);

  bool has(const std::string& key) const { return object_.contains(key); }
  const Object& at(const std::string& key);
  const Object& object(const std::string& key);
  const Object& array(const std::string& key);
  std::string string(const std::string& key);
  std::string string_or_null(const std::string& key);  // empty for null
  std::string one_of(const std::string& key, const std::vector<std::string>& allowed);
  std::vector<std::string> strings(const std::string& key);
  const Object& array_of_strings(const std::string& key);
  bool boolean(const std::string& key);
  int64_t integer(const std::string& key, int64_t smallest);

  // Checks all keys that were not read before: each is a number (or null, for a number that there
  // is none), and there is none.
  void rest_are_numbers() const;
  void no_rest() const;

  std::string place(const std::string& key) const;  // "<where>: <key>"

 private:
  const Object& object_;
  std::function<std::string()> where_;
  std::vector<bool> read_;  // of each member
};

}  // namespace vitrine
