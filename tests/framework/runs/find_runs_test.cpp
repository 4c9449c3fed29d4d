#include "framework/runs/find_runs.h"

#include <sys/wait.h>
#include <unistd.h>

#include "framework/error.h"
#include "tests/catch.h"
#include "tests/framework/runs/support.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

void make_run(const fs::path& folder) {
  fs::create_directories(folder);
  write_plain(folder / "config.yaml", "");
}

TEST_CASE("links are passed over, and told unless the program made them", "[runs]") {
  const TemporaryFolder root;
  const fs::path folder = fs::canonical(root.path());
  for (const char* run : {"a/1", "a/2", "elsewhere/3"}) make_run(folder / run);
  fs::create_directory_symlink("2", folder / "a/latest");
  fs::create_directory_symlink("trials/0001-x", folder / "a/best");
  fs::create_directory_symlink("1", folder / "a/.hidden");
  fs::create_symlink("1/config.yaml", folder / "a/notes");
  CHECK(find_runs(folder / "a").passed_over.text() == "");
  fs::create_directory_symlink("../elsewhere", folder / "a/more");
  CHECK(find_runs(folder / "a").passed_over.text() == "1 link passed over");
  fs::create_directory_symlink("/nowhere", folder / "a/gone");
  fs::create_directory(folder / "a/b");
  fs::create_directory_symlink("../../elsewhere/3", folder / "a/b/latest");
  const FoundRuns found = find_runs(folder / "a");
  CHECK(found.runs == std::vector<fs::path>{folder / "a/1", folder / "a/2"});
  CHECK(found.passed_over.text() == "3 links passed over");
  CHECK_FALSE(found.passed_over.has_failed());
  CHECK(found.passed_over.json()["links"].size() == 3);
  CHECK(found.passed_over.json()["unreadable"].empty());
}

// What `action` returns where nobody is root.
template <class Action>
std::string as_nobody(const Action& action) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const bool is_nobody = geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
    const std::string text = is_nobody ? action() : "root";
    _exit(write(ends[1], text.data(), text.size()) < 0 ? 1 : 0);
  }
  close(ends[1]);
  std::string out;
  char buffer[1024];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return out;
}

TEST_CASE("folders without permission hide no other and are told", "[runs]") {
  const TemporaryFolder root;
  const fs::path folder = fs::canonical(root.path());
  for (fs::path path = folder; path != "/tmp" && path.has_relative_path();
       path = path.parent_path()) {
    std::error_code ignored;
    fs::permissions(path, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add,
                    ignored);
  }
  for (const char* run : {"runs/a", "runs/b", "runs/c", "runs/deep/d", "runs/z"})
    make_run(folder / run);
  fs::permissions(folder / "runs/b", fs::perms::none);
  fs::permissions(folder / "runs/deep", fs::perms::none);
  const std::string text = as_nobody([&] {
    const FoundRuns found = find_runs(folder / "runs");
    std::string out = found.passed_over.text() + (found.passed_over.has_failed() ? "!" : "");
    for (const fs::path& run : found.runs) out += " " + run.filename().string();
    return out;
  });
  const std::string where = (folder / "runs").string();
  const std::string b = where + "/b (Permission denied)",
                    deep = where + "/deep (Permission denied)";
  const bool one_order = text == "2 unreadable folders passed over: " + b + ", " + deep + " a c z";
  const bool other_order =
      text == "2 unreadable folders passed over: " + deep + ", " + b + " a c z";
  INFO(text);
  CHECK((one_order || other_order));
  fs::permissions(folder / "runs/b", fs::perms::owner_all);
  fs::permissions(folder / "runs/deep", fs::perms::owner_all);
}

TEST_CASE("what was passed over, in words", "[runs]") {
  PassedOver passed;
  CHECK(passed.text() == "");
  passed.links = {"runs/x", "runs/y"};
  passed.unreadable = {{"runs/a\n", std::make_error_code(std::errc::permission_denied)}};
  CHECK(passed.text() ==
        "2 links and 1 unreadable folder passed over: runs/a\\n (Permission denied)");
  CHECK_FALSE(passed.has_failed());
  PassedOver more;
  more.unreadable = {{"runs/b", std::make_error_code(std::errc::io_error)}};
  passed.add(more);
  CHECK(passed.has_failed());
  CHECK(passed.json().dump() ==
        R"({"links":["runs/x","runs/y"],"unreadable":[{"folder":"runs/a\n","reason":)"
        R"("Permission denied"},{"folder":"runs/b","reason":"Input/output error"}]})");
}

}  // namespace
}  // namespace vitrine
