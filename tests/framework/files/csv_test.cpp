#include "framework/files/csv.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

using Lines = std::vector<std::vector<std::string>>;

Lines read(const std::string& text) {
  CsvReader reader(text, "a.csv");
  Lines out;
  std::vector<std::string_view> cells;
  while (reader.next(cells)) out.emplace_back(cells.begin(), cells.end());
  return out;
}

std::string failure(const std::string& text) {
  return message_of(ExitCode::kData, [&] { read(text); });
}

TEST_CASE("lines and cells are read") {
  CHECK(read("") == Lines{});
  CHECK(read("a") == Lines{{"a"}});
  CHECK(read("a,b\n1,2\n") == Lines{{"a", "b"}, {"1", "2"}});
  CHECK(read("a,b\r\n1,2") == Lines{{"a", "b"}, {"1", "2"}});
  CHECK(read("a,\n,b\n,") == Lines{{"a", ""}, {"", "b"}, {"", ""}});
  CHECK(read("\n\na\r\n\r\nb\n\n") == Lines{{"a"}, {"b"}});
  CHECK(read("\xef\xbb\xbf"
             "a,b\n") == Lines{{"a", "b"}});
  CHECK(read("a;b\n1,5;2\n") == Lines{{"a", "b"}, {"1,5", "2"}});
  CHECK(read("a\tb\n1\t2\n") == Lines{{"a", "b"}, {"1", "2"}});
}

TEST_CASE("cells may be quoted") {
  CHECK(read("\"a\",\"b,c\"\n\"\",d") == Lines{{"a", "b,c"}, {"", "d"}});
  CHECK(read("\"a \"\"b\"\"\",\"\"\"\"\r\nx,\"1\n2\"\ny,z") ==
        Lines{{"a \"b\"", "\""}, {"x", "1\n2"}, {"y", "z"}});
}

TEST_CASE("faults are named by their line") {
  CHECK(failure("a\n\"b") == "a.csv: line 2: a quote is not closed");
  CHECK(failure("a\n\"1\n2\n\"\n\"b\"c\n") == "a.csv: line 5: there is text behind a quote");
  CHECK(failure(std::string(1'000'000, ',')) == "a.csv: line 1: it has more than a million cells");
  CHECK(read(std::string(999'999, ','))[0].size() == 1'000'000);
}

TEST_CASE("a cell that is written is read again") {
  CHECK(csv_cell("a b") == "a b");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("\"") == "\"\"\"\"");
  for (const std::string text : {"", "a", "a\"b\"", ",", "\n", "a\r\nb", " a "})
    CHECK(read("x," + csv_cell(text) + ",y") == Lines{{"x", text, "y"}});
}

}  // namespace
}  // namespace vitrine
