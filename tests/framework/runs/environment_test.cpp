#include "framework/runs/environment.h"

#include <regex>
#include <vector>

#include "framework/files/file.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

TEST_CASE("the environment says where results come from", "[runs]") {
  const nlohmann::ordered_json environment = describe_environment();
  std::vector<std::string> keys;
  for (const auto& [key, value] : environment.items()) {
    if (key != "plugins") keys.push_back(key);  // of other tests
  }
  CHECK(keys == std::vector<std::string>{"vitrine", "git", "sources", "compiler", "build", "cpu",
                                         "isa", "cores"});
  const std::regex commit("[0-9a-f]{40}(-dirty)?|unknown");
  CHECK(std::regex_match(environment["git"].get<std::string>(), commit));
  const std::regex sources("[0-9a-f]{64}|unknown");
  CHECK(std::regex_match(environment["sources"].get<std::string>(), sources));
  CHECK(std::regex_match(environment["build"].get<std::string>(), std::regex("[0-9a-f]{16}")));
  const std::regex isa("avx512|avx2|sse4|neon|generic");
  CHECK(std::regex_match(environment["isa"].get<std::string>(), isa));
  CHECK_FALSE(environment["vitrine"].get<std::string>().empty());
  CHECK_FALSE(environment["cpu"].get<std::string>().empty());
  CHECK(environment["cores"].get<int>() > 0);
}

TEST_CASE("every file that a run's build is told by has an id of the linker", "[runs]") {
  // The head of an ELF note: lengths of name and id, the type NT_GNU_BUILD_ID, the name.
  const std::string note("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU", 16);
  for (const char* name :
       {"runner", "libvitrine_core.so", "libvitrine_engine.so", "test_plugin_good.so"}) {
    CAPTURE(name);
    const std::string file = read_file(VITRINE_BINARY_DIR "/" + std::string(name), 1 << 30);
    CHECK(file.find(note) != file.npos);
  }
}

TEST_CASE("times are UTC to the second", "[runs]") {
  const std::regex time("20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z");
  CHECK(std::regex_match(utc_now(), time));
}

TEST_CASE("peak memory is in bytes", "[runs]") {
  std::vector<char> block(64 << 20, 1);
  CHECK(peak_memory_bytes() > block.size());
}

}  // namespace
}  // namespace vitrine
