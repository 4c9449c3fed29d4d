#include "framework/files/tar.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string entry(const std::string& name, const std::string& bytes, char type = '0') {
  std::string out(512, '\0');
  const auto set = [&](size_t at, const std::string& text) { out.replace(at, text.size(), text); };
  char size[13];
  std::snprintf(size, sizeof(size), "%011zo", bytes.size());
  set(0, name);
  set(124, size);
  out[156] = type;
  set(257, "ustar");
  return out + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

std::string failure(const std::string& bytes) {
  return message_of(ExitCode::kData, [&] { parse_tar(bytes, "a.tar"); });
}

TEST_CASE("regular files are listed") {
  const std::string bytes = entry("dir/", "", '5') + entry("dir/a", std::string(600, 'x')) +
                            entry("b", "hello") + std::string(1024, '\0');
  const auto entries = parse_tar(bytes, "a.tar");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].name == "dir/a");
  CHECK(entries[0].bytes == std::string(600, 'x'));
  CHECK(entries[1].name == "b");
  CHECK(entries[1].bytes == "hello");
  CHECK(parse_tar("", "a.tar").empty());
}

TEST_CASE("what is no tar archive is refused") {
  CHECK(failure(std::string(512, 'x')) == "a.tar: not a tar archive of the format ustar");
  CHECK(failure(entry("a", std::string(600, 'x')).substr(0, 1100)) ==
        "a.tar: the tar archive is truncated");
  std::string wrong = entry("a", "b");
  wrong.replace(124, 12, 12, 'z');
  CHECK(failure(wrong) == "a.tar: not a tar archive of the format ustar");
}

}  // namespace
}  // namespace vitrine
