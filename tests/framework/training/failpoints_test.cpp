#include <cerrno>
#include <cstdlib>
#include <map>

#include "framework/files/sha256.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "framework/training/engine.h"
#include "tests/failpoints/child.h"
#include "tests/framework/files/support.h"

// Each call to the system that a run makes is made to fail in turn, once and for ever, and each is
// the last of a process that is killed. Afterwards the run goes on. The rule: it has the bits of
// one that nothing befell, or says that it is not exact; what exits with 0 has its result; nothing
// that there was is lost, and no temporary stays. VITRINE_TEST_STRIDE=1 tries every call, as
// scripts/failpoints.sh does; without it some of them are tried, others each day of the year.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using failpoints::Calls;
using failpoints::in_child;
using failpoints::Mode;
using failpoints::Outcome;
using failpoints::Plan;
using Json = nlohmann::ordered_json;

class Quiet : public Observer {
 public:
  void message(const std::string&) override {}
  void warning(const std::string&) override {}
  void progress(const Progress&) override {}
  void download(uint64_t, uint64_t) override {}
  ExitCode stop_requested() override { return ExitCode::kDone; }
};

// A run in `folder`/run.
class Training {
 public:
  explicit Training(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    write_plain(
        folder_ / "c.yaml",
        "name: c\n"
        "threads: 1\n"
        "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
        "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
        "training: {epochs: 2, batch_size: 10, log_every: 2, checkpoint: {every: 2 steps}}\n");
  }
  fs::path run() const { return folder_ / "run"; }

  ExitCode start(std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = engine().resolve({folder_ / "c.yaml", {}, {}});
    request.stop_after = stop_after;
    return perform(std::move(request));
  }
  ExitCode resume(const std::vector<std::string>& changes = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(run(), {{}, changes, {}});
    request.resume = true;
    return perform(std::move(request));
  }
  // What a job's script does: --run-dir RUN --resume.
  ExitCode start_or_resume() const { return holds_run(run()) ? resume() : start(); }

 private:
  ExitCode perform(TrainRequest request) const {
    request.run_dir = run();
    Quiet quiet;
    return engine().train(request, quiet).code;
  }

  fs::path folder_;
};

// What a run came to, without its times.
struct Result {
  std::string model;  // SHA-256 of model.safetensors; empty: there is none
  std::string rows;
  std::string status;
  bool exact = false;

  bool operator==(const Result&) const = default;
};

const char* const kTimes[] = {"seconds", "images_per_second", "peak_memory_bytes"};

std::string without_times(std::vector<Json> rows) {
  std::string out;
  for (Json& row : rows) {
    for (const char* key : kTimes) row.erase(key);
    out += row.dump() + "\n";
  }
  return out;
}

Result result_of(const fs::path& run) {
  Result out;
  if (fs::exists(run / "model.safetensors")) out.model = sha256_of_file(run / "model.safetensors");
  if (fs::exists(run / "metrics.jsonl")) out.rows = without_times(read_rows(run / "metrics.jsonl"));
  if (!fs::exists(run / "metrics.json")) return out;
  const Metrics metrics = Metrics::read(run / "metrics.json");
  out.status = to_string(metrics.status);
  out.exact = metrics.exact;
  return out;
}

std::vector<std::string> temporaries_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".part") || name.ends_with(".next")) out.push_back(name);
  }
  return out;
}

int64_t stride() {
  const char* given = std::getenv("VITRINE_TEST_STRIDE");
  return given ? std::max(std::atoll(given), 1LL) : 7;
}

struct Fault {
  const char* name;
  Mode mode;
  int code;
};
constexpr Fault kFaults[] = {{"ENOSPC once", Mode::kError, ENOSPC},
                             {"EIO for ever", Mode::kErrors, EIO},
                             {"killed before", Mode::kKill, 0},
                             {"killed within", Mode::kPart, 0}};

// What is done to a run, from `before` on, and how it goes on from wherever it was left.
struct Scenario {
  std::function<void(const Training&)> before, act, go_on;
};

class Faults {
 public:
  explicit Faults(Scenario scenario) : scenario_(std::move(scenario)) {
    const Training training(home_.path() / "prepared");
    REQUIRE(in_child({}, [&] { return perform(scenario_.before, training); }).code == 0);
    const Training other(copy("other"));
    REQUIRE(in_child({}, [&] { return perform(scenario_.go_on, other); }).code == 0);
    other_ = result_of(other.run());
    const Training whole(copy("whole"));
    const Outcome outcome =
        in_child(plan(whole, Calls::kWrites), [&] { return perform(scenario_.act, whole); });
    CAPTURE(outcome.words);
    REQUIRE(outcome.code == 0);
    writes_ = outcome.calls;
    after_ = result_of(whole.run());
    REQUIRE(after_.status == "finished");
  }

  const Result& after() const { return after_; }
  int64_t writes() const { return writes_; }

  // Tries each call that counts, or some of them.
  void try_all(Calls calls, const Fault& fault) {
    const int64_t step = stride();
    for (int64_t at = 1;; at += step) {
      const Training training(copy("tried"));
      const Outcome outcome = in_child(plan(training, calls, fault, at),
                                       [&] { return perform(scenario_.act, training); });
      if (!outcome.killed && outcome.calls < at) return;
      INFO(fault.name << ", call " << at << ": exit code " << outcome.code << " " << outcome.words);
      check(training, outcome);
      ++tried_;
    }
  }

  // The same, and then a call of the recovery fails, too.
  void try_twice(const Fault& first, const Fault& second) {
    const int64_t step = stride();
    for (int64_t at = 1 + step / 2; at <= writes_; at += 3 * step) {
      for (int64_t then = 1;; then += 2 * step) {
        const Training training(copy("tried"));
        in_child(plan(training, Calls::kWrites, first, at),
                 [&] { return perform(scenario_.act, training); });
        const Outcome outcome = in_child(plan(training, Calls::kWrites, second, then),
                                         [&] { return perform(scenario_.go_on, training); });
        if (!outcome.killed && outcome.calls < then) break;
        INFO(first.name << ", call " << at << ", then " << second.name << ", call " << then
                        << ": exit code " << outcome.code << " " << outcome.words);
        check(training, outcome);
        ++tried_;
      }
    }
  }
  int64_t tried() const { return tried_; }

 private:
  static ExitCode perform(const std::function<void(const Training&)>& act,
                          const Training& training) {
    act(training);
    return ExitCode::kDone;
  }

  fs::path copy(const std::string& name) const {
    fs::remove_all(home_.path() / name);
    fs::copy(home_.path() / "prepared", home_.path() / name, fs::copy_options::recursive);
    return home_.path() / name;
  }

  static Plan plan(const Training& training, Calls calls,
                   const Fault& fault = {"", Mode::kNothing, 0}, int64_t at = 0) {
    return {training.run().string() + "/", calls, fault.mode, at, fault.code};
  }

  void check(const Training& training, const Outcome& outcome) const {
    if (outcome.code == 0) {
      const std::string model = result_of(training.run()).model;
      CHECK((model == after_.model || model == other_.model));
    }
    const Outcome further = in_child({}, [&] { return perform(scenario_.go_on, training); });
    INFO("then " << further.code << " " << further.words);
    REQUIRE(further.code == 0);
    const Result result = result_of(training.run());
    CHECK(result.status == "finished");
    CHECK(temporaries_in(training.run()).empty());
    // Either what was to be done is done, or nothing of it.
    const Result& expected = result.model == after_.model ? after_ : other_;
    CHECK(result.model == expected.model);
    CHECK(result.exact == expected.exact);
    CHECK(result.rows == expected.rows);
  }

  TemporaryFolder home_;
  Scenario scenario_;
  Result after_, other_;  // other_: where `act` did not come to anything
  int64_t writes_ = 0, tried_ = 0;
};

void must(ExitCode code) {
  if (code != ExitCode::kDone && code != ExitCode::kStopped) throw Error(code, "it was stopped");
}

TEST_CASE("a training run whose calls fail goes on to the bits of one that nothing befell") {
  Faults faults({[](const Training&) {}, [](const Training& t) { must(t.start()); },
                 [](const Training& t) { must(t.start_or_resume()); }});
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  CHECK(faults.tried() > 0);
}

TEST_CASE("so does one that is resumed") {
  Faults faults({[](const Training& t) { must(t.start(5)); },
                 [](const Training& t) { must(t.resume()); },
                 [](const Training& t) { must(t.resume()); }});
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_all(Calls::kReads, {"EIO once", Mode::kError, EIO});
  faults.try_all(Calls::kReads, {"EIO for ever", Mode::kErrors, EIO});
  CHECK(faults.tried() > 0);
}

TEST_CASE("so does one that is taken further") {
  const std::vector<std::string> further = {"training.epochs=3"};
  Faults faults({[](const Training& t) { must(t.start()); },
                 [&](const Training& t) { must(t.resume(further)); },
                 [&](const Training& t) { must(t.resume(further)); }});
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_all(Calls::kReads, {"EIO once", Mode::kError, EIO});
  faults.try_twice(kFaults[2], kFaults[3]);
  faults.try_twice(kFaults[0], kFaults[2]);
  CHECK(faults.tried() > 0);
}

TEST_CASE("one that is resumed with a change has the change, and says so, or has it not") {
  Faults faults({[](const Training& t) { must(t.start(5)); },
                 [](const Training& t) { must(t.resume({"optimizer.lr=0.02"})); },
                 [](const Training& t) { must(t.resume()); }});
  CHECK(faults.after().exact == false);
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_twice(kFaults[2], kFaults[1]);
  CHECK(faults.tried() > 0);
}

}  // namespace
}  // namespace vitrine
