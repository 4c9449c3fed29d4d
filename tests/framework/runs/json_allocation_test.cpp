#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "framework/files/temporary_file.h"
#include "framework/runs/annotations.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/sweeps/sweep.h"
#include "tests/failpoints/allocations.h"
#include "tests/failpoints/faults.h"
#include "tests/framework/runs/support.h"
#include "tests/framework/sweeps/support.h"

// Memory that runs out at each allocation of what reads and writes JSON, once and for ever, each
// time in a copy of this process: JSON needs memory even to be destroyed, and ends a process that
// has none. The rule: what comes to its end is right, an error tells of memory, and whatever
// happens files are whole, the old ones or the new ones. VITRINE_TEST_STRIDE=1 tries all.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

enum End { kRight = 0, kNoMemory = 1, kNothingFailed = 2, kWrong = 20, kOther = 21, kAborted = 99 };

// Comes to the text that `act` gives, in this process.
int end_of(const std::function<std::string()>& act, const std::string& right, int64_t at,
           bool for_ever) {
  std::string got;
  int out = kRight;
  failpoints::fail_allocation(at, for_ever);
  try {
    got = act();
  } catch (const std::bad_alloc&) {
    out = kNoMemory;
  } catch (...) {  // nothing else is wrong
    out = kOther;
  }
  failpoints::fail_allocation(0, false);
  if (out != kRight) return out;
  return got == right ? kRight : kWrong;
}

// The same in a copy of it.
int end_of_copy(const std::function<std::string()>& act, const std::string& right, int64_t at,
                bool for_ever) {
  const pid_t copy = fork();
  if (copy == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    const int end = end_of(act, right, at, for_ever);
    _exit(end == kRight && !failpoints::has_failed ? kNothingFailed : end);
  }
  int status = 0;
  waitpid(copy, &status, 0);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return WTERMSIG(status) == SIGABRT ? kAborted : kOther;
}

// Lets allocations of `act` fail until none does, with `check` after each. Gives how often one has.
int64_t fail_each(const std::function<std::string()>& act, const std::function<void()>& check) {
  const std::string right = act();
  check();
  int64_t tried = 0;
  for (const bool for_ever : {false, true}) {
    for (int64_t at = 1;; at += failpoints::stride()) {
      const int end = end_of_copy(act, right, at, for_ever);
      INFO("allocation " << at << (for_ever ? " and all after it" : ""));
      CHECK((end != kWrong && end != kOther));
      check();
      if (end == kNothingFailed) break;
      ++tried;
    }
  }
  failpoints::tell_tried(tried);
  return tried;
}

void nothing() {}

Metrics some_metrics() {
  Metrics out;
  out.name = "small";
  out.status = RunStatus::kFinished;
  out.tags = {"a", "b"};
  out.config = {{"seed", 1}, {"model", {{"type", "vit"}, {"sizes", {1, 2.5, -3}}}}};
  for (int i = 1; i <= 3; ++i)
    out.add_epoch({{"epoch", i}, {"step", 10 * i}, {"validation/accuracy", 0.25 * i}});
  out.test = {{"test/accuracy", 0.5}};
  return out;
}

TEST_CASE("metrics are read right or not at all") {
  const TemporaryFolder folder;
  some_metrics().write(folder / "metrics.json");
  CHECK(fail_each([&] { return Metrics::read(folder / "metrics.json").text(); }, nothing) > 20);
  std::string rows;
  for (const Metrics::Object& row : some_metrics().history)
    rows += R"({"kind":"epoch",)" + row.dump().substr(1) + "\n";
  write_plain(folder / "metrics.jsonl", rows);
  const auto read_all = [&] {
    std::string out;
    for (const Metrics::Object& row : read_rows(folder / "metrics.jsonl")) out += row.dump() + "\n";
    return out;
  };
  CHECK(read_all() == rows);
  CHECK(fail_each(read_all, nothing) > 5);
}

TEST_CASE("metrics are written whole, or the old ones stay") {
  const TemporaryFolder folder;
  const fs::path file = folder / "metrics.json";
  Metrics now = some_metrics();
  now.status = RunStatus::kStopped;
  const std::set<std::string> allowed = {some_metrics().text(), now.text()};
  some_metrics().write(file);
  const auto write = [&] {
    now.write(file);
    return std::string();
  };
  CHECK(fail_each(write, [&] { CHECK(allowed.contains(text_of(file))); }) > 20);
}

Checkpoint some_checkpoint(int64_t step) {
  Checkpoint out;
  out.state = {{"step", step}, {"generator", {1, 2, 3}}, {"name", "small"}};
  out.tensors = {{"model/w", DType::kF32, {2}, std::string(8, static_cast<char>(step))},
                 {"model/v", DType::kF32, {1}, std::string(4, '\1')}};
  return out;
}

std::string shown(const Loaded& loaded) {
  std::string out = loaded.file.filename().string() + loaded.checkpoint.state.dump();
  for (const OwnedTensor& tensor : loaded.checkpoint.tensors) out += tensor.name + tensor.bytes;
  for (const std::string& warning : loaded.warnings) out += warning;
  return out;
}

TEST_CASE("the newest checkpoint is read, and not one before it for want of memory") {
  const TemporaryFolder folder;
  for (const int64_t step : {1, 2}) save_checkpoint(folder.path(), some_checkpoint(step), step);
  CHECK(fail_each([&] { return shown(*load_latest(folder.path())); }, nothing) > 20);
}

TEST_CASE("a checkpoint is saved whole or not at all, and those before it stay") {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), some_checkpoint(1), 1);
  const std::string first = text_of(folder / "step-00000001.safetensors");
  const auto save = [&] {
    save_checkpoint(folder.path(), some_checkpoint(2), 2);
    return std::string();
  };
  CHECK(fail_each(save, [&] {
          CHECK(text_of(folder / "step-00000001.safetensors") == first);
          CHECK(load_latest(folder.path())->warnings.empty());
          remove_temporaries(
              folder.path());  // of a process that was aborted, as its next start does
          fs::remove(folder / "step-00000002.safetensors");
        }) > 20);
}

TEST_CASE("a sweep's plan is read right or not at all, and written whole") {
  const SweepFolder folder(2, "{metric: validation/accuracy}");
  folder.write(0, RunStatus::kFinished, {0.5, 0.75});
  const auto read = [&] {
    const Sweep sweep = Sweep::open(folder.path());
    std::string out;
    for (size_t i = 0; i < sweep.trials().size(); ++i) {
      out += sweep.trials()[i].plan_json().dump() + sweep.state_json(i).dump();
    }
    return out;
  };
  CHECK(fail_each(read, nothing) > 20);
  const std::string right = read();
  const auto write = [&] {
    Sweep::open(folder.path()).write_plan();
    return std::string();
  };
  CHECK(fail_each(write, [&] { CHECK(read() == right); }) > 20);
}

TEST_CASE("a note is written whole, or the old one stays") {
  const TemporaryFolder folder;
  write_plain(folder / "config.yaml", "name: small\n");
  LabelChange change;
  change.note = "old";
  annotate(folder.path(), {}, change);
  const std::string old = text_of(folder / "annotations.json");
  change.note = "new";
  change.add = {"tag"};
  const auto write = [&] { return annotate(folder.path(), {}, change).after.note; };
  CHECK(fail_each(write, [&] {
          const Labels labels = Annotations::read(folder.path()).over({});
          const bool is_new =
              labels.note == "new" && labels.tags == std::vector<std::string>{"tag"};
          CHECK((is_new || text_of(folder / "annotations.json") == old));
          write_plain(folder / "annotations.json", old);
        }) > 10);
}

}  // namespace
}  // namespace vitrine
