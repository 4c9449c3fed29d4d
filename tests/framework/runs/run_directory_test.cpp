#include "framework/runs/run_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <regex>
#include <thread>

#include "framework/files/sha256.h"
#include "framework/runs/find_runs.h"
#include "tests/catch.h"
#include "tests/framework/runs/support.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

TEST_CASE("names of runs", "[runs]") {
  for (const char* name : {"vit_mnist", "a", "A.b-c_9", "_x"}) CHECK(is_valid_name(name));
  for (const char* name : {"", ".", "..", ".hidden", "-rf", "a/b", "a b", "a\n", "\xc3\xa9"}) {
    CHECK_FALSE(is_valid_name(name));
  }
  CHECK(is_valid_name(std::string(128, 'a')));
  CHECK_FALSE(is_valid_name(std::string(129, 'a')));
}

TEST_CASE("a new run gets a directory of its own, and latest points to it", "[runs]") {
  const TemporaryFolder root;
  const RunDirectory first = RunDirectory::create(root.path(), "vit");
  const RunDirectory second = RunDirectory::create(root.path(), "vit");
  CHECK(first.path().parent_path() == root / "vit");
  CHECK(std::regex_match(first.id(), std::regex("[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")));
  CHECK(first.id() != second.id());
  CHECK(fs::is_empty(first.path()));
  CHECK(fs::read_symlink(root / "vit" / "latest") == second.id());
  CHECK(std::distance(fs::directory_iterator(root / "vit"), {}) == 3);
  CHECK(second.config().path() == second.path() / "config.yaml");
  CHECK(second.rows().path() == second.path() / "metrics.jsonl");
}

TEST_CASE("a file of somebody's own called latest is left alone", "[runs]") {
  const TemporaryFolder root;
  std::filesystem::create_directory(root / "vit");
  write_plain(root / "vit/latest", "mine");
  RunDirectory::create(root.path(), "vit");
  CHECK(read_file(root / "vit/latest", 100) == "mine");
}

TEST_CASE("runs created at the same time get different directories", "[runs]") {
  const TemporaryFolder root;
  std::vector<std::string> ids(16);
  std::vector<std::thread> threads;
  for (std::string& id : ids) {
    threads.emplace_back([&] { id = RunDirectory::create(root.path(), "vit").id(); });
  }
  for (std::thread& thread : threads) thread.join();
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
  CHECK(fs::is_directory(root / "vit" / "latest"));
  CHECK(std::distance(fs::directory_iterator(root / "vit"), {}) == 17);
}

TEST_CASE("a name that is no name is refused", "[runs]") {
  const TemporaryFolder root;
  CHECK(error_of([&] { RunDirectory::create(root.path(), "../\x1b"); }) ==
        "2: \"../\\x1b\" cannot name a run: 1 to 128 letters, digits, dots, underscores and dashes "
        "are allowed, the first no dot or dash");
}

TEST_CASE("a run directory that cannot be made", "[runs]") {
  const TemporaryFolder root;
  write_plain(root / "file", "");
  const std::string place = (root / "file" / "vit").string();
  CHECK(error_of([&] { RunDirectory::create(root / "file", "vit"); }) ==
        "1: cannot create the run directory " + place + ": Not a directory");
  CHECK(error_of([&] { RunDirectory::create_at(root / "file" / "vit"); }) ==
        "1: cannot create the run directory " + place + ": Not a directory");
  CHECK(error_of([&] { RunDirectory::create_at("/proc/vitrine"); }) ==
        "1: cannot create the run directory /proc/vitrine: No such file or directory");
}

TEST_CASE("--run-dir takes a directory that holds no run", "[runs]") {
  const TemporaryFolder root;
  CHECK(RunDirectory::create_at(root / "a" / "b/").id() == "b");
  write_plain(root / "a" / "b" / "notes.txt", "mine");
  CHECK(RunDirectory::create_at(root / "a" / "b").path() == root / "a" / "b");
  for (const char* name : {"config.yaml", "metrics.json", "checkpoints"}) {
    const fs::path run = root / "holds";
    fs::create_directories(run);
    write_plain(run / name, "");
    CHECK(error_of([&] { RunDirectory::create_at(run); }) ==
          "2: " + run.string() +
              " already holds a run: add --resume to go on with it, or name another directory with "
              "--run-dir");
    fs::remove_all(run);
  }
}

TEST_CASE("opening a run by its directory or by latest", "[runs]") {
  const TemporaryFolder root;
  const RunDirectory run = RunDirectory::create(root.path(), "vit");
  write_plain(run.config().path(), "name: vit\n");
  CHECK(RunDirectory::open(run.path()).path() == run.path());
  CHECK(RunDirectory::open(run.path().string() + "/").id() == run.id());
  CHECK(RunDirectory::open(root / "vit" / "latest").path() == run.path());
  CHECK(RunDirectory::open(root / "vit" / "latest/").id() == run.id());
}

TEST_CASE("opening what is no run names the runs near it", "[runs]") {
  const TemporaryFolder root;
  const std::string folder = (root / "vit").string();
  for (const char* id : {"1", "2", "3", "4"}) {
    fs::create_directories(root / "vit" / id);
    write_plain(root / "vit" / id / "config.yaml", "");
  }
  const std::string near = "; runs near it: " + folder + "/4, " + folder + "/3, " + folder + "/2";
  CHECK(error_of([&] { RunDirectory::open(folder); }) ==
        "2: " + folder + " holds no run (no config.yaml, metrics.json or checkpoints)" + near);
  CHECK(error_of([&] { RunDirectory::open(folder + "/5"); }) ==
        "2: " + folder + "/5 is no run: there is no such directory" + near);
  CHECK(error_of([&] { RunDirectory::open(root / "none" / "x"); }) ==
        "2: " + (root / "none" / "x").string() + " is no run: there is no such directory");
}

TEST_CASE("all runs below a folder, without links", "[runs]") {
  const TemporaryFolder root;
  const RunDirectory b = RunDirectory::create(root.path(), "b");
  const RunDirectory a = RunDirectory::create(root / "a", "deep");
  write_plain(a.config().path(), "");
  write_plain(b.metrics().path(), "{}");
  fs::create_directories(b.checkpoints().path() / "checkpoints");
  fs::create_directories(root / ".hidden" / "checkpoints");
  CHECK(find_runs(root.path()).runs == std::vector<fs::path>{a.path(), b.path()});
  CHECK(find_runs(b.path()).runs == std::vector<fs::path>{b.path()});
  CHECK(find_runs(root / "missing").runs.empty());
}

TEST_CASE("a staged config counts from the moment on that its digest is told", "[runs]") {
  const TemporaryFolder root;
  const RunDirectory run = RunDirectory::create(root.path(), "vit");
  const auto text = [&](const std::string& sha256) {
    return text_of(run.current_config(sha256).path());
  };
  write_plain(run.config().path(), "old");
  run.stage_config("new");
  CHECK(text("") == "old");
  CHECK(text(sha256_hex("old")) == "old");
  CHECK(text(sha256_hex("new")) == "new");
  run.settle_config(sha256_hex("new"));
  CHECK(text_of(run.config().path()) == "new");
  run.stage_config("never");
  run.settle_config(sha256_hex("new"));
  CHECK(text_of(run.config().path()) == "new");
  CHECK(run.folder().names() == std::vector<std::string>{"config.yaml"});
}

TEST_CASE("links that were forgotten are swept when the next run is made", "[runs]") {
  const TemporaryFolder root;
  RunDirectory::create(root.path(), "vit");
  fs::create_symlink("none", root / "vit/.latest-00ff00");
  fs::create_symlink("none", root / "vit/.latest-11ff11");
  const timespec long_ago[] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(utimensat(AT_FDCWD, (root / "vit/.latest-00ff00").c_str(), long_ago,
                    AT_SYMLINK_NOFOLLOW) == 0);
  RunDirectory::create(root.path(), "vit");
  CHECK_FALSE(fs::is_symlink(root / "vit/.latest-00ff00"));
  CHECK(fs::is_symlink(root / "vit/.latest-11ff11"));
}

}  // namespace
}  // namespace vitrine
