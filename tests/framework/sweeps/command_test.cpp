#include "framework/sweeps/command.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

CommandResult bash(const std::string& script) {
  return *run_command({.words = {"bash", "-c", script}});
}

TEST_CASE("a program's output and end are caught, its words are no shell's") {
  const CommandResult result = bash("echo out; echo err >&2; exit 3");
  CHECK(result.code == 3);
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK(run_command({.words = {"echo", "$HOME; exit 1", "a  b"}})->output ==
        "$HOME; exit 1 a  b\n");
  CHECK(bash("kill -9 $$").code == 137);
  CHECK(bash("head -c 300000 /dev/zero").output.size() == 300000);
}

TEST_CASE("a program gets the variables that it inherits, and starts in its directory") {
  setenv("VITRINE_TEST_KEPT", "kept", 1);
  setenv("VITRINE_TEST_GONE", "gone", 1);
  const Command command = {
      .words = {"bash", "-c", "echo $VITRINE_TEST_KEPT $VITRINE_TEST_GONE $VITRINE_TEST_NEW; pwd"},
      .variables = {"VITRINE_TEST_NEW=new"},
      .inherits = [](std::string_view name) { return name != "VITRINE_TEST_GONE"; },
      .directory = "/"};
  CHECK(run_command(command)->output == "kept new\n/\n");
}

TEST_CASE("a program that is not there, or cannot be started") {
  CHECK_FALSE(run_command({.words = {"vitrine-no-such-program"}}));
  const TemporaryFolder folder;
  write_plain(folder / "plain", "");
  const std::string file = folder / "plain";
  CHECK(message_of(ExitCode::kFailed, [&] { run_command({.words = {file}}); }) ==
        "cannot start " + file + ": Permission denied");
}

}  // namespace
}  // namespace vitrine
