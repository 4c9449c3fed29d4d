#include "framework/files/place.h"

#include <sys/stat.h>
#include <unistd.h>

#include "framework/files/file.h"
#include "tests/framework/files/support.h"

// Folders that are held open, and what is in them.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("what is in a held folder is found wherever the folder is moved to") {
  const TemporaryFolder home;
  const Folder run = Folder::make(home / "a/b/run");
  write_file_atomically(run / "f", "one");
  AppendFile rows(run / "rows");
  fs::rename(home / "a/b/run", home / "moved");
  fs::create_directory(home / "a/b/run");
  write_file_atomically(run / "f", "two");
  rows.append("row\n");
  CHECK(read_file(home / "moved/f", 9) == "two");
  CHECK(read_file(home / "moved/rows", 9) == "row\n");
  CHECK(fs::is_empty(home / "a/b/run"));
  CHECK(run.location() == fs::canonical(home / "moved"));
  CHECK(run.path() == home / "a/b/run");
  CHECK(run.names() == std::vector<std::string>{"f", "rows"});
}

TEST_CASE("a held folder that is removed is known to be, and nothing is made in its place") {
  const TemporaryFolder home;
  const Folder run = Folder::make(home / "run");
  CHECK_FALSE(run.is_removed());
  fs::remove(home / "run");
  fs::create_directory(home / "run");
  CHECK(run.is_removed());
  CHECK(message_of(ExitCode::kFailed, [&] { write_file_atomically(run / "f", "one"); }) ==
        "cannot write " + (home / "run/f").string() + ": No such file or directory");
  CHECK(message_of(ExitCode::kFailed, [&] { Folder::make(run / "below"); }) ==
        "cannot create " + (home / "run/below").string() + ": No such file or directory");
  CHECK(fs::is_empty(home / "run"));
}

TEST_CASE("links in a held folder are not followed, and a path's are") {
  const TemporaryFolder home;
  write_plain(home / "notes", "mine");
  fs::create_directory(home / "others");
  const Folder run = Folder::make(home / "run");
  fs::create_symlink("../notes", home / "run/f");
  fs::create_symlink("../others", home / "run/below");
  const std::string name = (home / "run/").string(),
                    words = ": it is a link, and links in a run's folder are not followed";
  CHECK(exists(run / "f"));
  CHECK(message_of(ExitCode::kData, [&] { read_file(run / "f", 9); }) ==
        "cannot read " + name + "f" + words);
  CHECK(message_of(ExitCode::kFailed, [&] { AppendFile file(run / "f"); }) ==
        "cannot write " + name + "f" + words);
  CHECK(message_of(ExitCode::kData, [&] { Folder::open(run / "below"); }) ==
        "cannot read " + name + "below" + words);
  CHECK(message_of(ExitCode::kFailed, [&] { Folder::make(run / "below"); }) ==
        "cannot create " + name + "below" + words);
  CHECK(read_file(home / "run/f", 9) == "mine");
  // A file that takes a link's place is a file.
  write_file_atomically(run / "f", "ours");
  CHECK(read_file(home / "notes", 9) == "mine");
  CHECK(read_file(run / "f", 9) == "ours");
}

TEST_CASE("a pipe is neither read nor written") {
  const TemporaryFolder home;
  const Folder run = Folder::make(home / "run");
  REQUIRE(mkfifo((home / "run/pipe").c_str(), 0600) == 0);
  const std::string name = (home / "run/pipe").string();
  CHECK(message_of(ExitCode::kData, [&] { read_file(run / "pipe", 9); }) ==
        "cannot read " + name + ": it is not a regular file");
  CHECK(message_of(ExitCode::kFailed, [&] { AppendFile file(run / "pipe"); }) ==
        "cannot write " + name + ": it is not a regular file");
}

TEST_CASE("what cannot be read is told from what is not there") {
  const TemporaryFolder home;
  CHECK_FALSE(exists(home / "none"));
  CHECK_FALSE(exists(home / "none/below"));
  CHECK_FALSE(Folder::find(home / "none").has_value());
  write_plain(home / "file", "");
  CHECK(message_of(ExitCode::kData, [&] { Folder::find(home / "file"); }) ==
        "cannot read " + (home / "file").string() + ": Not a directory");
  try {
    Folder::open(home / "none");
    FAIL("opened what is not there");
  } catch (const Error& error) {
    CHECK(error.system_code() == ENOENT);
  }
}

TEST_CASE("what is of no use is set aside under names of its own") {
  const TemporaryFolder home;
  const Folder run = Folder::make(home / "run");
  for (const std::string text : {"1", "2", "3"}) {
    write_plain(home / "run/f", text);
    set_aside(run / "f");
  }
  CHECK(run.names() == std::vector<std::string>{"f.damaged", "f.damaged-2", "f.damaged-3"});
  CHECK(read_file(run / "f.damaged-2", 1) == "2");
}

}  // namespace
}  // namespace vitrine
