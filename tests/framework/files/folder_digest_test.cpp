#include "framework/files/folder_digest.h"

#include "tests/catch.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a folder's digest follows what lies in it, not where it lies") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/below");
  write_plain(folder / "a/one", "1");
  write_plain(folder / "a/below/two", "2");
  const auto first = folder_digest(folder / "a");
  REQUIRE(first);
  CHECK(first->size() == 64);
  fs::rename(folder / "a", folder / "b");
  CHECK(folder_digest(folder / "b") == first);
  write_plain(folder / "b/below/two", "3");
  const auto other = folder_digest(folder / "b");
  CHECK(other != first);
  fs::rename(folder / "b/below/two", folder / "b/below/three");
  CHECK(folder_digest(folder / "b") != other);
}

TEST_CASE("what is no folder has no digest of one") {
  const TemporaryFolder folder;
  write_plain(folder / "file", "1");
  CHECK_FALSE(folder_digest(folder / "file"));
  CHECK_FALSE(folder_digest(folder / "nothing"));
}

}  // namespace
}  // namespace vitrine
