#include "framework/sweeps/command.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

CommandResult bash(const std::string& script) { return *run_command({"bash", "-c", script}); }

TEST_CASE("a program's output and end are caught, its words are no shell's") {
  const CommandResult result = bash("echo out; echo err >&2; exit 3");
  CHECK(result.code == 3);
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK(run_command({"echo", "$HOME; exit 1", "a  b"})->output == "$HOME; exit 1 a  b\n");
  CHECK(bash("kill -9 $$").code == 137);
  CHECK(bash("head -c 300000 /dev/zero").output.size() == 300000);
}

TEST_CASE("a program that is not there, or cannot be started") {
  CHECK_FALSE(run_command({"vitrine-no-such-program"}));
  const TemporaryFolder folder;
  write_plain(folder / "plain", "");
  const std::string file = folder / "plain";
  CHECK(message_of(ExitCode::kFailed, [&] { run_command({file}); }) ==
        "cannot start " + file + ": Permission denied");
}

}  // namespace
}  // namespace vitrine
