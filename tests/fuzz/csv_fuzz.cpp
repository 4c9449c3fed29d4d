#include "framework/files/csv.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  CsvReader reader(bytes, "fuzz");
  std::vector<std::string_view> cells;
  size_t letters = 0, count = 0;
  int64_t line = 0;
  while (reader.next(cells)) {
    require(!cells.empty() && reader.line() > line);
    line = reader.line();
    count += cells.size();
    for (const std::string_view cell : cells) {
      for (const char letter : cell) letters += letter != '\0';
    }
  }
  require(letters <= bytes.size() && count <= bytes.size() + 1);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
