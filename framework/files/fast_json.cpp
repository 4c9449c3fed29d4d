#include "framework/files/fast_json.h"

#include <simdjson.h>

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

class Converter {
 public:
  explicit Converter(size_t most_keys) : most_keys_(most_keys) {}

  bool is_sound() const { return is_sound_; }

  Json convert(const simdjson::dom::element& from, int levels) {
    switch (from.type()) {
      case simdjson::dom::element_type::ARRAY:
        return convert_array(from, levels - 1);
      case simdjson::dom::element_type::OBJECT:
        return convert_object(from, levels - 1);
      case simdjson::dom::element_type::INT64:
        return convert_integer(from);
      case simdjson::dom::element_type::UINT64:
        return uint64_t(from);
      case simdjson::dom::element_type::DOUBLE:
        return double(from);
      case simdjson::dom::element_type::STRING:
        return std::string_view(from);
      case simdjson::dom::element_type::BOOL:
        return bool(from);
      case simdjson::dom::element_type::NULL_VALUE:
        break;
    }
    return nullptr;
  }

 private:
  // What is not negative is unsigned, as nlohmann's parser has it.
  static Json convert_integer(int64_t value) {
    return value < 0 ? Json(value) : Json(static_cast<uint64_t>(value));
  }

  Json convert_array(const simdjson::dom::array& from, int levels) {
    Json::array_t values;
    is_sound_ &= levels >= 0;
    if (!is_sound_) return nullptr;
    values.reserve(from.size());
    for (const simdjson::dom::element value : from) values.push_back(convert(value, levels));
    return Json(std::move(values));
  }

  Json convert_object(const simdjson::dom::object& from, int levels) {
    Json::object_t members;
    is_sound_ &= levels >= 0 && from.size() <= most_keys_;
    if (!is_sound_) return nullptr;
    members.reserve(from.size());  // growing copies all that is there
    for (const auto [key, value] : from) {
      for (const auto& [known, _] : members) is_sound_ &= known != key;
      members.Container::emplace_back(key, convert(value, levels));
    }
    return Json(std::move(members));
  }

  size_t most_keys_;
  bool is_sound_ = true;
};

}  // namespace

std::optional<Json> parse_sound_json(std::string_view text, size_t most_keys, int most_levels) {
  thread_local simdjson::dom::parser parser;  // its memory serves the next text
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  Converter converter(most_keys);
  Json out = converter.convert(root, most_levels);
  return converter.is_sound() ? std::optional<Json>(std::move(out)) : std::nullopt;
}

}  // namespace vitrine
