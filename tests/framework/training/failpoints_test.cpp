#include "tests/failpoints/child.h"
#include "tests/failpoints/faults.h"
#include "tests/framework/training/tried_run.h"

// Each call to the system that a run makes is made to fail in turn, once and for ever, and each is
// the last of a process that is killed. Afterwards the run goes on. The rule: it has the bits of
// one that nothing befell, or says that it is not exact; what exits with 0 has its result; nothing
// that there was is lost, and no temporary stays. VITRINE_TEST_STRIDE=1 tries every call, as
// scripts/failpoints.sh does; without it some of them are tried, others each day of the year.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using failpoints::Calls;
using failpoints::Fault;
using failpoints::in_child;
using failpoints::kFaults;
using failpoints::Mode;
using failpoints::Outcome;
using failpoints::Plan;
using failpoints::stride;
using failpoints::temporaries_in;

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

  const TriedResult& after() const { return after_; }
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
    const TriedResult result = result_of(training.run());
    CHECK(result.status == "finished");
    CHECK(temporaries_in(training.run()).empty());
    // Either what was to be done is done, or nothing of it.
    const TriedResult& expected = result.model == after_.model ? after_ : other_;
    CHECK(result.model == expected.model);
    CHECK(result.exact == expected.exact);
    CHECK(result.rows == expected.rows);
  }

  TemporaryFolder home_;
  Scenario scenario_;
  TriedResult after_, other_;  // other_: where `act` did not come to anything
  int64_t writes_ = 0, tried_ = 0;
};

TEST_CASE("a training run whose calls fail goes on to the bits of one that nothing befell") {
  Faults faults({[](const Training&) {}, [](const Training& t) { must(t.start()); },
                 [](const Training& t) { must(t.start_or_resume()); }});
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  CHECK(faults.tried() > 0);
  failpoints::tell_tried(faults.tried());
}

TEST_CASE("so does one that is resumed") {
  Faults faults({[](const Training& t) { must(t.start(5)); },
                 [](const Training& t) { must(t.resume()); },
                 [](const Training& t) { must(t.resume()); }});
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_all(Calls::kReads, {"EIO once", Mode::kError, EIO});
  faults.try_all(Calls::kReads, {"EIO for ever", Mode::kErrors, EIO});
  CHECK(faults.tried() > 0);
  failpoints::tell_tried(faults.tried());
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
  failpoints::tell_tried(faults.tried());
}

TEST_CASE("one that is resumed with a change has the change, and says so, or has it not") {
  Faults faults({[](const Training& t) { must(t.start(5)); },
                 [](const Training& t) { must(t.resume({"optimizer.lr=0.02"})); },
                 [](const Training& t) { must(t.resume()); }});
  CHECK(faults.after().exact == false);
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_twice(kFaults[2], kFaults[1]);
  CHECK(faults.tried() > 0);
  failpoints::tell_tried(faults.tried());
}

}  // namespace
}  // namespace vitrine
