#include "framework/runs/lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <regex>

#include "tests/catch.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

// Another process that holds the lock of a run until it is killed.
class OtherRunner {
 public:
  explicit OtherRunner(const std::filesystem::path& run) {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    process_ = ::fork();
    if (process_ == 0) {
      const RunLock lock(run);
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte;
    locked_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~OtherRunner() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  bool locked() const { return locked_; }
  pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
  bool locked_ = false;
};

TEST_CASE("one runner a directory, also across processes", "[runs]") {
  const TemporaryFolder run;
  CHECK_FALSE(RunLock::is_held(run.path()));
  {
    const OtherRunner other(run.path());
    REQUIRE(other.locked());
    CHECK(RunLock::is_held(run.path()));
    const std::string message = error_of([&] { RunLock lock(run.path()); });
    const std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z");
    CHECK(std::regex_replace(message, time, "TIME") ==
          "1: another runner (process " + std::to_string(other.process()) +
              ", since TIME) is working in " + run.path().string() +
              "; wait for it or use another --run-dir");
  }
  CHECK_FALSE(RunLock::is_held(run.path()));  // the death of the process released it
  CHECK(error_of([&] { RunLock lock(run.path()); }) == "");
}

TEST_CASE("a lock is released by its destructor and can be moved", "[runs]") {
  const TemporaryFolder run;
  std::optional<RunLock> lock(run.path());
  RunLock moved = std::move(*lock);
  lock.reset();
  CHECK(RunLock::is_held(run.path()));
  CHECK(error_of([&] { RunLock second(run.path()); }).find("another runner (process ") == 3);
  moved = RunLock(std::move(moved));
  { const RunLock last = std::move(moved); }
  CHECK_FALSE(RunLock::is_held(run.path()));
}

TEST_CASE("a lock in a folder that is not there", "[runs]") {
  CHECK(error_of([] { RunLock lock("/nonexistent"); }) ==
        "3: cannot read /nonexistent: No such file or directory");
  CHECK_FALSE(RunLock::is_held("/nonexistent"));
}

}  // namespace
}  // namespace vitrine
