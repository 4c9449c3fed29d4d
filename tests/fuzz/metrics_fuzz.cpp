#include "framework/runs/metrics.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  try {
    for (const Metrics::Object& row : parse_rows(bytes, "fuzz")) row.dump();
  } catch (const Error&) {
  }
  const Metrics metrics = Metrics::parse(bytes, "fuzz");
  const std::string text = metrics.text();
  require(Metrics::parse(text, "fuzz").text() == text);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
