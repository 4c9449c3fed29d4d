#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "tests/catch.h"
#include "tests/failpoints/allocations.h"
#include "tests/framework/runs/support.h"

// Memory that runs out at each allocation of readers and writers in turn, once and for ever. What
// is thrown is std::bad_alloc or an Error in words; what was on the disk is there still, and no
// temporary is left. What holds JSON is tried in json_allocation_test.cpp.
namespace vitrine {
namespace {

// Calls `act` until it succeeds, which it must, with one allocation more each time, and `check`
// after each. Gives how often it failed.
template <class Act, class Check>
int64_t fail_each(const Act& act, const Check& check) {
  int64_t failures = 0;
  for (const bool ever : {false, true}) {
    for (int64_t at = 1;; ++at) {
      bool failed = false;
      failpoints::fail_allocation(at, ever);
      try {
        act();
      } catch (const std::bad_alloc&) {
        failed = true;
      } catch (const Error&) {
        failed = true;
      }
      failpoints::fail_allocation(0, false);
      check(failed);
      if (!failed) break;
      ++failures;
    }
  }
  return failures;
}

const char* const kYaml =
    "name: a\nmodel: {type: vit, hidden_d: 8, list: [1, 2.5, text]}\ntraining:\n  epochs: 3\n";

TEST_CASE("a config is read whole or not at all") {
  const std::string whole = to_yaml(parse_yaml(kYaml, "a.yaml"));
  std::string text;
  CHECK(fail_each([&] { text = to_yaml(parse_yaml(kYaml, "a.yaml")); },
                  [&](bool failed) { CHECK((failed || text == whole)); }) > 20);
}

TEST_CASE("a file is replaced whole or not at all") {
  const TemporaryFolder folder;
  const Folder run = Folder::open(folder.path());
  write_plain(folder / "f", "old");
  CHECK(fail_each([&] { write_file_atomically(run / "f", "new"); },
                  [&](bool failed) {
                    const std::string text = text_of(folder / "f");
                    CHECK((text == "new" || (failed && text == "old")));
                    CHECK(run.names() == std::vector<std::string>{"f"});
                    write_plain(folder / "f", "old");
                  }) > 5);
  CHECK(fail_each([&] { read_file(run / "f", 9); }, [](bool) {}) > 0);
}

TEST_CASE("a digest is given whole or not at all") {
  std::string seen;
  CHECK(fail_each([&] { seen = sha256_hex("some bytes"); },
                  [&](bool failed) { CHECK((failed || seen == sha256_hex("some bytes"))); }) > 0);
}

}  // namespace
}  // namespace vitrine
