#include "tests/framework/cli/live_run.h"

// Following runs while they go on.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// What is in a folder, and when it was changed.
std::map<std::string, int64_t> stamps_of(const fs::path& folder) {
  std::map<std::string, int64_t> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    out[entry.path().string()] = entry.last_write_time().time_since_epoch().count();
  return out;
}

// The program in a terminal; `steps` are those of terminal.py.
Result in_terminal(const fs::path& folder, const std::string& size, const std::string& command,
                   const std::string& steps, const std::string& no_color = "1") {
  write_plain(folder / "steps", steps);
  return Process({"bash", "-c",
                  "python3 " VITRINE_SOURCE_DIR "/tests/terminal.py " + size +
                      " " VITRINE_BINARY_DIR "/runner " + command + " < steps"},
                 folder, {{"TERM", "xterm"}, {"NO_COLOR", no_color}})
      .wait();
}

TEST_CASE("watch --once shows how runs stand") {
  const TemporaryFolder folder;
  LiveRun first(folder / "runs/small/a"), second(folder / "runs/small/b");
  for (int64_t epoch = 1; epoch <= 4; ++epoch)
    first.epoch(epoch, 1.0 / static_cast<double>(epoch), 0.2 * static_cast<double>(epoch));
  first.end(RunStatus::kFinished);
  second.epoch(1, 2, 0.5);
  for (int64_t step = 11; step <= 15; ++step)
    second.step(step, 3.0 - 0.1 * static_cast<double>(step));
  const auto before = stamps_of(folder / "runs");
  const Result result = runner({"watch", "--once"}, folder.path());
  CHECK(result.err == "");
  CHECK(result.out ==
        "runs/small: 2 runs: 1 finished, 1 running\n"
        "run  state     epoch   step    loss         validation/accuracy        images/s  left\n"
        "b    running     2/4  15/40  1.5000  █▆▅▃▁              50.00 %              20  13 s\n"
        "a    finished    4/4  40/40  0.2500  █▃▂▁               80.00 %  ▁▃▆█        20     -\n");
  CHECK(result.code == 0);
  CHECK(stamps_of(folder / "runs") == before);
}

TEST_CASE("columns go where a terminal is narrow, and names are shortened in their midst") {
  const TemporaryFolder folder;
  LiveRun run(folder / "runs/a-längst-zu-langer-name/20261201-100000-abcdef");
  run.epoch(1, 2, 0.5);
  const auto shown = [&](const char* columns) {
    return runner({"watch", "--once"}, folder.path(), {{"COLUMNS", columns}}).out;
  };
  CHECK(shown("80") ==
        "run                    state    epoch   step    loss  validation  images/s  left\n"
        "runs/a-…100000-abcdef  running    1/4  10/40  2.0000     50.00 %        20  15 s\n");
  CHECK(shown("40") ==
        "run               state    epoch    loss\n"
        "runs/…000-abcdef  running    1/4  2.0000\n");
  CHECK(shown("20") == "run          state\nruns…abcdef  running\n");
  CHECK(shown("6") == "run\nru…def\n");
  CHECK(shown("1") == "…\n…\n");
}

TEST_CASE("in a pipe a run is told line by line, and at its end watching ends") {
  const TemporaryFolder folder;
  LiveRun run(folder / "run");
  Following watch({"watch", "run"}, folder.path());
  CHECK(watch.says("run: running, epoch 0/4\n"));
  run.step(5, 2.5);
  CHECK(watch.says("run: running, epoch 1/4, loss 2.5000"));
  run.epoch(1, 2, 0.5);
  // What is half written is read once it is whole.
  run.append(R"({"kind":"step","epoch":2,"st)");
  CHECK_FALSE(has_ended(Process({"true"}, folder.path(), {})));
  run.append("ep\":12,\"train/loss\":1.5}\n");
  CHECK(
      watch.says("run: running, epoch 2/4, loss 1.5000, validation/accuracy 50.00 %, 20 "
                 "images/s, 14 s left\n"));
  run.epoch(2, 1.25, 0.75);
  run.end(RunStatus::kFinished);
  CHECK(watch.code() == 0);
  const std::string shown = watch.shown();
  CHECK(
      shown.ends_with("run: finished, epoch 2/4, loss 1.2500, validation/accuracy 75.00 %\n"
                      "run has ended: finished\n"));
}

TEST_CASE("a run that has ended is told at once, however it ended") {
  const TemporaryFolder folder;
  LiveRun run(folder / "run");
  run.epoch(1, 2, 0.5);
  SECTION("failed") {
    run.end(RunStatus::kFailed);
    CHECK(runner({"watch", "run"}, folder.path()).out ==
          "run: failed, epoch 1/4, loss 2.0000, validation/accuracy 50.00 %\n"
          "run has ended: failed\n");
  }
  SECTION("killed") {
    fs::copy(run.folder(), folder / "killed");
    CHECK(runner({"watch", "killed"}, folder.path()).out ==
          "killed: interrupted, epoch 1/4, loss 2.0000, validation/accuracy 50.00 %\n"
          "killed has ended: interrupted\n");
  }
  SECTION("unreadable") {
    write_plain(run.folder() / "metrics.json", "{\"format\": 99}");
    const Result result = runner({"watch", "run"}, folder.path());
    CHECK(result.code == 3);
    CHECK(result.err ==
          "error: run/metrics.json: format: this program reads format 1, this file has 99\n");
  }
}

TEST_CASE("a run that begins has not ended") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "run");
  write_plain(folder / "run/config.yaml", "name: small\n");
  {
    Following watch({"watch", "run"}, folder.path());
    CHECK(watch.says("run: waiting\n"));
    LiveRun run(folder / "run");
    CHECK(watch.says("run: running, epoch 0/4\n"));
    run.end(RunStatus::kFinished);
    CHECK(watch.code() == 0);
  }
  // One that was begun long ago, and never wrote anything, was killed.
  fs::remove(folder / "run/metrics.json");
  fs::last_write_time(folder / "run/config.yaml", fs::file_time_type::min());
  CHECK(runner({"watch", "run"}, folder.path()).out ==
        "run: interrupted\nrun has ended: interrupted\n");
}

TEST_CASE("a run that is removed while it is followed is told") {
  const TemporaryFolder folder;
  LiveRun run(folder / "run");
  Following watch({"watch", "run"}, folder.path());
  CHECK(watch.says("run: running"));
  run.vanish();
  CHECK(watch.code() == 1);
  CHECK(watch.shown() == "run: running, epoch 0/4\nrun: gone\nerror: run: the run is gone\n");
}

TEST_CASE("a folder is followed until Ctrl-C, whatever comes and goes") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "runs");
  Following watch({"watch"}, folder.path());
  CHECK(watch.says("no runs yet\n"));
  LiveRun first(folder / "runs/a");
  CHECK(watch.says("runs/a: running, epoch 0/4\n"));
  LiveRun second(folder / "runs/ö ü");
  CHECK(watch.says("runs/ö ü: running, epoch 0/4\n"));
  first.end(RunStatus::kDiverged);
  CHECK(watch.says("runs/a: diverged, epoch 0/4\n"));
  second.vanish();
  CHECK(watch.says("runs/ö ü: gone\n"));
  fs::remove_all(folder / "runs");
  CHECK(watch.says("runs/a: gone\nno runs yet\n"));
  LiveRun third(folder / "runs/c");
  CHECK(watch.says("runs/c: running, epoch 0/4\n"));
  // It keeps nobody from the run.
  third.end(RunStatus::kStopped);
  { const RunLock lock(third.folder()); }
  watch.send(SIGINT);
  CHECK(watch.code() == 130);
}

TEST_CASE("what is no folder of runs is refused, as by status") {
  const TemporaryFolder folder;
  const Result result = runner({"watch", "nothing"}, folder.path());
  CHECK(result.code == 2);
  CHECK(result.err == "error: nothing is no run: there is no such directory" +
                          counted_from(folder.path(), "nothing") + "\n");
  CHECK(runner({"watch", "--once"}, folder.path()).code == 2);
}

TEST_CASE("what a search passes over is told") {
  const TemporaryFolder folder;
  const LiveRun run(folder / "runs/a");
  fs::create_directory_symlink(folder / "runs/a", folder / "runs/link");
  CHECK(runner({"watch", "--once"}, folder.path()).err == "warning: 1 link passed over\n");
}

TEST_CASE("a reader that goes away ends it") {
  const TemporaryFolder folder;
  const LiveRun run(folder / "runs/a");
  const Result result = shell("{ $RUNNER watch; echo code $? >&2; } | head -n 1", folder.path());
  CHECK(result.out == "runs/a: running, epoch 0/4\n");
  CHECK(result.err == "code 141\n");
}

TEST_CASE("an output that cannot be written ends it") {
  const TemporaryFolder folder;
  const LiveRun run(folder / "runs/a");
  const std::string message =
      "error: what was printed could not be written to standard output\ncode 1\n";
  CHECK(shell("$RUNNER watch > /dev/full; echo code $? >&2", folder.path()).err == message);
  CHECK(shell("$RUNNER watch >&-; echo code $? >&2", folder.path()).err == message);
}

TEST_CASE("a terminal shows a table that follows its size, and is as before at the end") {
  const TemporaryFolder folder;
  LiveRun run(folder / "runs/a");
  run.epoch(1, 2, 0.5);
  const Result result = in_terminal(folder.path(), "100x30", "watch",
                                    "expect \\x1b[?1049h\\x1b[?25l\\x1b[?7l\\x1b[H\n"
                                    "expect images/s\n"
                                    "expect \\x1b[K\\x1b[J\n"
                                    "size 20x5\n"
                                    "expect run     state\\x1b[K\n"
                                    "send \\x03\n"
                                    "expect \\x1b[?7h\\x1b[?25h\\x1b[?1049l\n");
  INFO(result.out);
  CHECK(result.code == 130);
  // What stays on the screen is how the run stood last.
  CHECK(result.out.ends_with("\x1b[?1049lrun     state\r\nruns/a  running\r\n"));
}

TEST_CASE("a terminal has back what it was at the end of the run, with the last table") {
  const TemporaryFolder folder;
  LiveRun run(folder / "a");
  run.epoch(1, 2, 0.5);
  run.end(RunStatus::kFinished);
  const Result result = in_terminal(folder.path(), "60x10", "watch a", "");
  CHECK(result.code == 0);
  CHECK(result.out.substr(result.out.rfind("\x1b[?1049l")) ==
        "\x1b[?1049l"
        "run  state     epoch   step    loss  validation  left\r\n"
        "a    finished    1/4  10/40  2.0000     50.00 %     -\r\n"
        "a has ended: finished\r\n");
}

TEST_CASE("states have colours, and none with NO_COLOR") {
  const TemporaryFolder folder;
  const LiveRun run(folder / "a");
  CHECK(in_terminal(folder.path(), "60x10", "watch --once .", "", "").out ==
        "run  state    epoch  step  loss  validation  images/s  left\r\n"
        "a    \x1b[32mrunning\x1b[0m    0/4  0/40     -           -         -     -\r\n");
  CHECK(in_terminal(folder.path(), "60x10", "watch --once .", "", "1").out.find('\x1b') ==
        std::string::npos);
}

TEST_CASE("more runs than the terminal has lines are counted, those that go on first") {
  const TemporaryFolder folder;
  std::vector<LiveRun> ended;
  for (int i = 0; i < 9; ++i) {
    ended.emplace_back(folder / ("runs/" + std::to_string(i)));
    ended.back().end(RunStatus::kFinished);
  }
  const LiveRun running(folder / "runs/running");
  const Result result = in_terminal(folder.path(), "60x6", "watch",
                                    "expect 7 more: 7 finished\n"
                                    "send \\x03\n");
  INFO(result.out);
  CHECK(result.code == 130);
  const std::string last = result.out.substr(result.out.rfind("\x1b[?1049l"));
  CHECK(last.find("runs: 10 runs: 9 finished, 1 running\r\n") != last.npos);
  CHECK(last.find("\r\nrunning  running ") < last.find("\r\n8 "));
  CHECK(std::count(last.begin(), last.end(), '\n') == 6);
}

}  // namespace
}  // namespace vitrine
