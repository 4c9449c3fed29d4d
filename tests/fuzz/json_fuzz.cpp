#include "framework/files/json.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  const nlohmann::json value = parse_json(bytes, "fuzz");
  // What was accepted can be written, and reads back as the same text.
  const std::string text = value.dump();
  require(parse_json(text, "fuzz").dump() == text);
  json_integer(value, "fuzz", 0, 100);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
