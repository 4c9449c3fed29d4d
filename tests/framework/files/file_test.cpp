#include "framework/files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/files/temporary_file.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

TEST_CASE("read_file returns every byte") {
  TemporaryFolder folder;
  const std::string bytes("a\0\r\n\xff", 5);
  write_plain(folder / "f", bytes);
  CHECK(read_file(folder / "f", 5) == bytes);
  write_plain(folder / "empty", "");
  CHECK(read_file(folder / "empty", 0).empty());
}

TEST_CASE("read_file says which file and why") {
  TemporaryFolder folder;
  const auto message = [&](const std::string& name) {
    return message_of(ExitCode::kData, [&] { read_file(folder / name, 4); });
  };
  const std::string start = "cannot read " + folder.path().string() + "/";
  write_plain(folder / "long", "12345");
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(message("none") == start + "none: No such file or directory");
  CHECK(message("long") == start + "long: it has 5 bytes, at most 4 are allowed");
  CHECK(message("") == start + ": it is a directory");
  CHECK(message("pipe") == start + "pipe: it is not a regular file");
  CHECK(message("\x1b[2J") == start + "\\x1b[2J: No such file or directory");
}

TEST_CASE("read_file_start returns the beginning and the whole length") {
  TemporaryFolder folder;
  write_plain(folder / "f", "12345");
  const FileStart start = read_file_start(folder / "f", 2);
  CHECK(start.bytes == "12");
  CHECK(start.size == 5);
  CHECK(read_file_start(folder / "f", 1'000'000'000'000).bytes == "12345");
}

TEST_CASE("read_file_part returns what there is from a byte on") {
  const TemporaryFolder folder;
  write_plain(folder / "a", "0123456789");
  CHECK(read_file_part(folder / "a", 0, 3) == "012");
  CHECK(read_file_part(folder / "a", 8, 3) == "89");
  CHECK(read_file_part(folder / "a", 10, 3).empty());
  CHECK(read_file_part(folder / "a", 99, 3).empty());
  CHECK_THROWS_AS(read_file_part(folder / "none", 0, 1), Error);
}

TEST_CASE("write_file_atomically replaces a file and leaves nothing else") {
  TemporaryFolder folder;
  write_file_atomically(folder / "f", "old");
  write_file_atomically(folder / "f", "new");
  CHECK(read_file(folder / "f", 100) == "new");
  CHECK(folder.count() == 1);
  const std::string longest(255, 'n');
  write_file_atomically(folder / longest, "x");
  CHECK(read_file(folder / longest, 100) == "x");
}

TEST_CASE("write_file_atomically replaces a link, not what it points to") {
  TemporaryFolder folder;
  write_plain(folder / "target", "kept");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  write_file_atomically(folder / "link", "new");
  CHECK(read_file(folder / "target", 100) == "kept");
  CHECK(read_file(folder / "link", 100) == "new");
}

TEST_CASE("write_file_atomically says where and why it failed, and cleans up") {
  TemporaryFolder folder;
  const auto message = [&](const std::string& name) {
    return message_of(ExitCode::kFailed, [&] { write_file_atomically(folder / name, "x"); });
  };
  const std::string start = "cannot write " + folder.path().string() + "/";
  CHECK(message("no/f") == start + "no/f: No such file or directory");
  std::filesystem::create_directory(folder / "folder");
  CHECK(message("folder") == start + "folder: Is a directory");
  CHECK(folder.count() == 1);
}

TEST_CASE("write_file_atomically takes the place of no pipe or device") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(message_of(ExitCode::kFailed, [&] { write_file_atomically(folder / "pipe", "new"); }) ==
        "cannot write " + (folder / "pipe").string() + ": it is not a regular file");
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(folder.count() == 1);
}

TEST_CASE("temporaries of processes that are gone are swept, not those that are written") {
  const TemporaryFolder folder;
  const auto make_old = [&](const std::string& name) {
    const timespec long_ago[] = {{1'000'000, 0}, {1'000'000, 0}};
    REQUIRE(utimensat(AT_FDCWD, (folder / name).c_str(), long_ago, 0) == 0);
  };
  TemporaryFile under_way(folder / "data");
  const std::string written = Folder::open(folder.path()).names().at(0);
  make_old(written);
  for (const char* name : {".data.00000001.part", ".data.00000002.part", ".other.00000001.part"})
    write_plain(folder / name, "x");
  make_old(".data.00000001.part");
  make_old(".other.00000001.part");
  remove_forgotten(folder / "data");
  CHECK(std::filesystem::exists(folder / written));
  CHECK_FALSE(std::filesystem::exists(folder / ".data.00000001.part"));
  CHECK(std::filesystem::exists(folder / ".data.00000002.part"));  // it may be about to be written
  CHECK(std::filesystem::exists(folder / ".other.00000001.part"));
}

TEST_CASE("remove_temporaries deletes what a killed writer left, and only that") {
  TemporaryFolder folder;
  write_plain(folder / ".f.0123abcd.part", "half");
  write_plain(folder / "kept.part", "");
  write_plain(folder / ".kept", "");
  remove_temporaries(folder.path());
  CHECK_FALSE(std::filesystem::exists(folder / ".f.0123abcd.part"));
  CHECK(folder.count() == 2);
  remove_temporaries(folder / "none");
}

TEST_CASE("AppendFile grows, is cut back and goes on at the new end") {
  TemporaryFolder folder;
  {
    AppendFile file(folder / "f");
    file.append("one\n");
    file.append("two\n");
    CHECK(file.size() == 8);
  }
  AppendFile file(folder / "f");
  CHECK(file.size() == 8);
  file.truncate(4);
  file.append("three\n");
  file.flush();
  CHECK(read_file(folder / "f", 100) == "one\nthree\n");
}

TEST_CASE("AppendFile says where and why it failed") {
  TemporaryFolder folder;
  CHECK(message_of(ExitCode::kFailed, [&] { AppendFile file(folder / "no/f"); }) ==
        "cannot write " + (folder / "no/f").string() + ": No such file or directory");
  AppendFile file(folder / "f");
  file.append("1234");
  CHECK(message_of(ExitCode::kFailed, [&] { file.truncate(5); }) ==
        "cannot cut " + (folder / "f").string() + " back to 5 bytes: it has only 4");
  CHECK(file.size() == 4);
}

}  // namespace
}  // namespace vitrine
