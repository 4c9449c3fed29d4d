#include "framework/config/yaml.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  const Node node = parse_yaml(bytes, "fuzz");
  // Whatever was accepted can be shown: it is of limited size and depth.
  node.json().dump();
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
