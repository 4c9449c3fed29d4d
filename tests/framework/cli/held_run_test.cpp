#include <sys/stat.h>

#include "framework/files/sealed.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/lock.h"
#include "tests/framework/cli/support.h"

// What befalls a run's folder from outside: it is removed, moved, locked twice, edited, or comes
// from somebody else.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLinkWords = ": it is a link, and links in a run's folder are not followed";

// A run of thousands of epochs, under way.
class RunUnderWay : public Desk {
 public:
  RunUnderWay()
      : process_(runner_command({"a.yaml", "--run-dir", "run", "training.epochs=100000"}),
                 folder().string(), isolated(folder())) {
    while (checkpoint_steps(*this / "run/checkpoints").empty() && !has_ended(process_))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    REQUIRE_FALSE(has_ended(process_));
  }
  Process& process() { return process_; }

 private:
  Process process_;
};

TEST_CASE("a run whose folder is removed ends, and makes nothing in its place") {
  RunUnderWay desk;
  // In one step, as removing its last file would be.
  fs::rename(desk / "run", desk / "gone");
  fs::create_directory(desk / "run");
  for (std::error_code error; fs::exists(desk / "gone");)
    fs::remove_all(desk / "gone", error);  // again where something was written meanwhile
  const Result result = desk.process().wait();
  CHECK(result.code == 1);
  CHECK_THAT(result.err, EndsWith("error: the run's folder run was removed while the run was under "
                                  "way; there is nothing to go on with\n"));
  CHECK(fs::is_empty(desk / "run"));
}

TEST_CASE("a run whose folder is moved goes on there and says where it lies") {
  RunUnderWay desk;
  fs::create_directory(desk / "others");
  fs::rename(desk / "run", desk / "others/mine");
  desk.process().send(SIGTERM);
  const Result result = desk.process().wait();
  CHECK(result.code == 143);
  const std::string there = fs::canonical(desk / "others/mine").string();
  CHECK(result.err == "warning: the run's folder was moved: it lies in " + there + " now\n");
  CHECK_THAT(result.out, EndsWith("\nrun: " + there + "\n"));
  CHECK(json_of(desk / "others/mine/metrics.json").at("status") == "stopped");
  CHECK_FALSE(fs::exists(desk / "run"));
}

TEST_CASE("removing .lock lets no second runner in") {
  RunUnderWay desk;
  fs::remove(desk / "run/.lock");
  CHECK(RunLock::is_held(desk / "run"));
  CHECK(desk.error(ExitCode::kFailed, {"resume", "run"}) ==
        "error: another runner is working in run; wait for it or use another --run-dir\n");
  desk.process().send(SIGTERM);
  CHECK(desk.process().wait().code == 143);
  CHECK_FALSE(RunLock::is_held(desk / "run"));
}

TEST_CASE("a terminal that is closed twice in an instant saves the run") {
  RunUnderWay desk;
  desk.process().send(SIGHUP);
  desk.process().send(SIGHUP);
  const Result result = desk.process().wait();
  CHECK(result.code == 143);
  CHECK(json_of(desk / "run/metrics.json").at("status") == "stopped");
}

TEST_CASE("a second Ctrl-C ends a run at once only if a second has passed") {
  RunUnderWay desk;
  desk.process().send(SIGINT);
  desk.process().send(SIGINT);
  const Result result = desk.process().wait();
  CHECK(result.code == 130);
  CHECK(json_of(desk / "run/metrics.json").at("status") == "stopped");
}

// A run of 9 steps that was stopped at step 4, in the folder `run`.
class Stopped : public Desk {
 public:
  explicit Stopped(const std::string& name = "run", const std::string& seed = "seed=0") {
    stop(name, seed);
  }
  void stop(const std::string& name, const std::string& seed) const {
    REQUIRE(run({"a.yaml", "--run-dir", name, "training.epochs=3", "training.log_every=1", seed,
                 "--stop-after", "4"})
                .code == 75);
  }
  void edit(const std::string& from, const std::string& to) const {
    std::string text = bytes_of(*this / "run/config.yaml");
    REQUIRE(text.find(from) != text.npos);
    write_plain(*this / "run/config.yaml", text.replace(text.find(from), from.size(), to));
  }
  Json metrics() const { return json_of(*this / "run/metrics.json"); }
};

TEST_CASE("what comes with a mailed run is not followed where it is a link") {
  const Stopped desk;
  write_plain(desk / "notes", "mine");
  fs::create_directory(desk / "others");
  const auto with_link = [&](const std::string& name, const std::string& target) {
    fs::remove_all(desk / "mailed");
    fs::copy(desk / "run", desk / "mailed", fs::copy_options::recursive);
    fs::remove_all(desk / ("mailed/" + name));
    fs::create_symlink(target, desk / ("mailed/" + name));
    return desk.run({"resume", "mailed"}).err;
  };
  CHECK(with_link("metrics.jsonl", "../notes") ==
        std::string("error: cannot write mailed/metrics.jsonl") + kLinkWords + "\n");
  CHECK(with_link("metrics.json", "../notes") ==
        std::string("error: cannot read mailed/metrics.json") + kLinkWords + "\n");
  CHECK(with_link("checkpoints", "../others") ==
        std::string("error: cannot read mailed/checkpoints") + kLinkWords + "\n");
  CHECK(with_link("log.txt", "../notes") ==
        std::string("warning: cannot write mailed/log.txt") + kLinkWords + "; nothing is logged\n");
  CHECK(bytes_of(desk / "notes") == "mine");
  CHECK(fs::is_empty(desk / "others"));
  fs::create_symlink("../others", desk / "mailed/plots");
  CHECK(desk.error(ExitCode::kFailed, {"plot", "positions", "mailed"}) ==
        std::string("error: cannot create mailed/plots") + kLinkWords + "\n");
  CHECK(fs::is_empty(desk / "others"));
}

TEST_CASE("a pipe in a run's folder makes nobody wait") {
  const Stopped desk;
  for (const char* name : {"log.txt", "metrics.jsonl"}) {
    fs::remove(desk / ("run/" + std::string(name)));
    REQUIRE(mkfifo((desk / ("run/" + std::string(name))).c_str(), 0600) == 0);
  }
  CHECK(desk.run({"resume", "run"}).err ==
        "warning: cannot write run/log.txt: it is not a regular file; nothing is logged\n"
        "error: cannot write run/metrics.jsonl: it is not a regular file\n");
}

TEST_CASE("a result's key that was edited is refused with the command that changes it") {
  const Stopped desk;
  desk.edit("lr: 0.001", "lr: 0.5");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: run: optimizer.lr is 0.5 in config.yaml, and this run was computed with 0.001. To "
        "go on with the new value: runner resume run optimizer.lr=0.5; else write the old one "
        "again\n");
  CHECK(desk.metrics().at("status") == "stopped");
  const Result result = desk.run({"resume", "run", "optimizer.lr=0.5"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: optimizer.lr is 0.5 from step 4 on, was 0.001: this run's results are no longer "
        "exact\n");
  CHECK(desk.metrics().at("exact") == false);
}

TEST_CASE("a seed or a model that was edited makes no other run of it") {
  const Stopped desk;
  desk.edit("hidden_d: 8", "hidden_d: 12");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: run: model.hidden_d cannot change in a run under way, and was 8 when it began; "
        "start a new run for it\n");
  desk.edit("hidden_d: 12", "hidden_d: 8");
  desk.edit("seed: 0", "seed: 7");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "seed=7"}) ==
        "error: run: seed cannot change in a run under way, and was 0 when it began; start a new "
        "run for it\n");
  desk.edit("seed: 7", "seed: 0");
  CHECK(desk.run({"resume", "run"}).err == "");
}

TEST_CASE("labels, bookkeeping and the way to compute may be edited") {
  const Stopped desk;
  desk.edit("note: \"\"", "note: mine");
  CHECK(desk.run({"resume", "run"}).err == "");
  CHECK(desk.metrics().at("note") == "mine");
  CHECK(desk.metrics().at("exact") == true);
}

TEST_CASE("another run's checkpoint is passed over, and refused where there is no other") {
  const Stopped desk;
  desk.stop("other", "seed=1");
  const char* const file = "checkpoints/step-00000004.safetensors";
  fs::copy(desk / "other" / file, desk / "run" / file, fs::copy_options::overwrite_existing);
  const std::string started = desk.metrics().at("started"),
                    other = json_of(desk / "other/metrics.json").at("started");
  const std::string words =
      "the checkpoint run/checkpoints/step-00000004.safetensors is of another run (other, "
      "started " +
      other + ") than metrics.json (run, started " + started + ")\n";
  fs::copy(desk / "run", desk / "kept", fs::copy_options::recursive);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err == "warning: " + words);
  CHECK_THAT(result.out, StartsWith("going on from step-00000003 (step 3 of 9)\n"));
  fs::remove_all(desk / "run");
  fs::rename(desk / "kept", desk / "run");
  fs::remove(desk / "run/checkpoints/step-00000003.safetensors");
  CHECK_THAT(desk.error(ExitCode::kCheckpoint, {"resume", "run"}), EndsWith(words));
  CHECK(desk.metrics().at("status") == "stopped");
}

TEST_CASE("what only reports never keeps a run from going on") {
  const Stopped whole("whole"), desk;
  REQUIRE(whole.run({"resume", "whole"}).code == 0);
  const auto bits = [](const fs::path& run) { return bytes_of(run / "model.safetensors"); };
  const auto taken_up = [&](const std::function<void()>& damage) {
    fs::remove_all(desk / "kept");
    fs::copy(desk / "run", desk / "kept", fs::copy_options::recursive);
    fs::rename(desk / "run", desk / "saved");
    fs::rename(desk / "kept", desk / "run");
    damage();
    const Result result = desk.run({"resume", "run"});
    CHECK(result.code == 0);
    CHECK(bits(desk / "run") == bits(whole / "whole"));
    CHECK(desk.metrics().at("exact") == true);
    CHECK(desk.metrics().at("history").size() == 3);
    fs::remove_all(desk / "run");
    fs::rename(desk / "saved", desk / "run");
    return result;
  };
  CHECK_THAT(taken_up([&] { write_plain(desk / "run/metrics.json", "{"); }).err,
             StartsWith("warning: the run's metrics are unusable: run/metrics.json: invalid JSON"));
  CHECK(taken_up([&] { fs::remove(desk / "run/metrics.json"); }).err == "");
  CHECK(taken_up([&] { fs::remove(desk / "run/metrics.jsonl"); }).err ==
        "warning: run/metrics.jsonl is gone: it is made anew with the epoch that metrics.json "
        "tells of; the rows of steps up to step 4 are left out\n");
  const Result result = taken_up([&] {
    std::string rows = bytes_of(desk / "run/metrics.jsonl");
    rows[rows.find("train/loss") + 13] ^= 1;
    write_plain(desk / "run/metrics.jsonl", rows);
  });
  CHECK(result.err ==
        "warning: run/metrics.jsonl is not what the checkpoint was saved with: it is made anew "
        "with the epoch that metrics.json tells of; the rows of steps up to step 4 are left out\n");
  CHECK_THAT(result.out, Contains("\nwhat there was is in metrics.jsonl.damaged\n"));
}

TEST_CASE("a run of which only rows are left starts anew and keeps them") {
  const Stopped desk;
  const std::string rows = bytes_of(desk / "run/metrics.jsonl");
  fs::remove(desk / "run/metrics.json");
  fs::remove_all(desk / "run/checkpoints");
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, StartsWith("no checkpoint yet: the run starts at step 0\n"
                                    "what there was is in metrics.jsonl.damaged\n"));
  CHECK(bytes_of(desk / "run/metrics.jsonl.damaged") == rows);
  CHECK(desk.metrics().at("history").size() == 3);
}

TEST_CASE("a damaged model is told from a sound one") {
  const Desk desk;
  desk.train("run");
  const fs::path file = desk / "run/model.safetensors";
  std::string bytes = bytes_of(file);
  CHECK(is_sealed(bytes));
  bytes[bytes.size() - 3] ^= 1;
  write_plain(file, bytes);
  CHECK(desk.error(ExitCode::kCheckpoint, {"export", "run", "w.safetensors"}) ==
        "error: run/model.safetensors: the SHA-256 of its " + std::to_string(bytes.size()) +
            " bytes is not the recorded one: it was cut, changed or damaged\n");
}

TEST_CASE("another setting of MKL goes on and is marked") {
  const Stopped desk;
  auto environment = isolated(desk.folder());
  environment["MKL_CBWR"] = "COMPATIBLE";
  const Result result = runner({"resume", "run"}, desk.folder(), environment);
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: this run goes on with another value of settings (\"MKL_CBWR=COMPATIBLE\", was "
        "\"\"): its results are no longer exact\n");
  CHECK(desk.metrics().at("exact") == false);
}

// A second runner, and one that holds, where the calls for locks fail.
TEST_CASE("where a file system has no flock, other locks keep a second runner out") {
  const Desk desk;
  const auto without = [&](const char* calls) {
    auto environment = isolated(desk.folder());
    environment["LD_PRELOAD"] = VITRINE_BINARY_DIR "/tests/libvitrine_failpoints.so";
    environment["FAILPOINT_UNDER"] = desk.folder().string() + "/";
    environment["FAILPOINT_CALLS"] = calls;
    environment["FAILPOINT_MODE"] = "errors";
    environment["FAILPOINT_AT"] = "1";
    environment["FAILPOINT_ERRNO"] = std::to_string(ENOLCK);
    return environment;
  };
  Process first(runner_command({"a.yaml", "--run-dir", "run", "training.epochs=100000"}),
                desk.folder(), without("flock"));
  while (checkpoint_steps(desk / "run/checkpoints").empty() && !has_ended(first))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const Result second = runner({"resume", "run"}, desk.folder(), without("flock"));
  CHECK(second.code == 1);
  CHECK_THAT(second.err, StartsWith("error: another runner (process "));
  first.send(SIGTERM);
  CHECK(first.wait().code == 143);
  const int64_t next = checkpoint_steps(desk / "run/checkpoints").back() + 1;
  const Result last = runner({"resume", "run", "--stop-after", std::to_string(next)}, desk.folder(),
                             without("locks"));
  CHECK_THAT(last.err, StartsWith("warning: the file system of run has no locks: nothing keeps a "
                                  "second runner out\n"));
}

}  // namespace
}  // namespace vitrine
