#include <cstdlib>
#include <new>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "tests/catch.h"
#include "tests/framework/runs/support.h"

// Memory that runs out at each allocation of readers and writers in turn, once and for ever. What
// is thrown is std::bad_alloc or an Error in words; what was on the disk is there still, and no
// temporary is left. What holds JSON is not among them: its destructor needs memory itself, and
// ends the process where there is none.
namespace vitrine {
namespace {

int64_t left = 0;  // allocations until one fails; 0: none does
bool for_ever = false;

void* allocate(std::size_t size) {
  if (left > 0 && --left == 0) {
    if (for_ever) left = 1;
    throw std::bad_alloc();
  }
  void* const out = std::malloc(size == 0 ? 1 : size);
  if (!out) throw std::bad_alloc();
  return out;
}

}  // namespace
}  // namespace vitrine

void* operator new(std::size_t size) { return vitrine::allocate(size); }
void* operator new[](std::size_t size) { return vitrine::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

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
      left = at;
      for_ever = ever;
      try {
        act();
      } catch (const std::bad_alloc&) {
        failed = true;
      } catch (const Error&) {
        failed = true;
      }
      left = 0;
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
