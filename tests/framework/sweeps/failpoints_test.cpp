#include <sys/prctl.h>

#include <functional>
#include <map>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/temporary_file.h"
#include "framework/runs/metrics.h"
#include "framework/sweeps/growth.h"
#include "framework/sweeps/proposals.h"
#include "framework/sweeps/run_sweep.h"
#include "tests/failpoints/child.h"
#include "tests/failpoints/faults.h"
#include "tests/framework/files/support.h"
#include "tests/framework/sweeps/fake_engine.h"

// Each call to the system by which a sweep is made, run, resumed and made larger fails in turn,
// once and for ever, and is the last of a process that is killed. Then it is resumed. The rule: it
// comes to what a sweep comes to that nothing befell, or to what there was before; what exits with
// 0 has its result; an error names what failed; no finished trial is touched, and no temporary
// stays.
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

// What training would leave of a trial, in no time: a value that follows from the config.
void train(const fs::path& run) {
  const RunLock lock(run);
  remove_temporaries(run);
  const Node config = read_yaml(run / "config.yaml");
  const auto number = [&](const char* key) { return config.json().at(key).get<double>(); };
  const double value = number("lr") + number("hidden_d") / 100 + number("seed") / 1000;
  Metrics metrics;
  metrics.config = config.json();
  metrics.add_epoch({{"epoch", 1}, {"step", 10}, {"validation/accuracy", value}});
  metrics.test = {{"test/accuracy", value}};
  metrics.status = RunStatus::kFinished;
  metrics.write(run / "metrics.json");
}

// The program of which a sweep keeps a copy is this test: it is a trial where it is started as
// `runner resume TRIAL`.
[[gnu::constructor]] void train_if_started_so(int count, char** words) {
  if (count < 3 || std::string_view(words[1]) != "resume") return;
  train(words[2]);
  _exit(0);
}

struct Told : SweepObserver {
  void started(size_t) override {}
  void ended(size_t) override {}
  void tick() override {}
  void warning(const std::string& text) override { words += text + "\n"; }
  ExitCode stop_requested() override { return ExitCode::kDone; }

  std::string words;
};

// Throws an Error where trials are not run to their end, and where there are warnings.
void run(Sweep& sweep) {
  Told told;
  sweep.on_warning([&](const std::string& text) { told.warning(text); });
  for (const std::string& wrong : sweep.mend(/*retry_failed=*/false)) told.warning(wrong);
  const auto launcher = sweep.options().launcher.create({1, 0});
  FakeEngine engine;
  std::optional<Proposals> proposals;
  if (sweep.to_come() > 0) {
    const SweepSpec spec = read_spec({(sweep.path() / "sweep.yaml").string()}, {}, sweep.configs());
    const auto within = [](const std::function<void()>& act) { act(); };
    proposals.emplace(sweep, spec, sweep.grown(), engine, 1, std::nullopt, within);
  }
  const SweepOutcome outcome =
      run_sweep(sweep, *launcher, told, false, {}, proposals ? &*proposals : nullptr);
  if (outcome.code == ExitCode::kDone && told.words.empty()) return;
  for (size_t i = 0; i < sweep.trials().size(); ++i) told.words += sweep.state(i).error + "\n";
  throw Error(outcome.code, told.words);
}

using Words = std::vector<std::string>;

// A sweep in `folder`/sweep.
class Swept {
 public:
  explicit Swept(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    write_plain(folder_ / "small.yaml", "name: small\n");
  }
  fs::path path() const { return folder_ / "sweep"; }
  std::string under() const { return path().string() + "/"; }

  Sweep make(const Words& assignments) const {
    FakeEngine engine;
    const SweepSpec spec = read_spec({folder_ / "small.yaml"}, assignments);
    return Sweep::create(spec, make_plan(spec, {1, {}}, engine), path());
  }
  void start(const Words& assignments) const {
    Sweep sweep = make(assignments);
    run(sweep);
  }
  void resume() const {
    Sweep sweep = Sweep::open_locked(path());
    run(sweep);
  }
  void grow(const Words& assignments) const {
    FakeEngine engine;
    Sweep sweep = Sweep::open_locked(path());
    const SweepSpec spec = grown_spec(sweep, assignments);
    sweep.grow(spec, make_plan(spec, {1, {}}, engine, sweep.grown()));
    run(sweep);
  }
  // What a job's script does, which does not know how far the last one came.
  void start_or_resume(const Words& assignments) const {
    holds_sweep(path()) ? resume() : start(assignments);
  }

 private:
  fs::path folder_;
};

std::string text_of(const fs::path& file) { return read_file(file, 1 << 20); }

// All that there is of a sweep, by name, without what tells one sweep or moment from another.
using Contents = std::map<std::string, std::string>;
Contents contents_of(const fs::path& sweep) {
  Contents out;
  if (!fs::exists(sweep)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(sweep)) {
    const std::string name = entry.path().lexically_relative(sweep);
    std::string& text = out[name];
    if (entry.is_symlink()) {
      text = fs::read_symlink(entry.path());
    } else if (name == "plan.json" || name == "sweep.json") {
      auto json = nlohmann::ordered_json::parse(text_of(entry.path()));
      for (const char* key : {"id", "written"}) json.erase(key);
      if (json.contains("frozen")) json["frozen"].erase("configs");  // where the file lay
      text = json.dump(1);
    } else if (entry.is_regular_file() && name.ends_with(".yaml")) {
      text = text_of(entry.path());
    } else if (name.ends_with("metrics.json")) {
      text = text_of(entry.path());
    }
  }
  return out;
}

// The names of what is not the same, and how.
std::string difference(const Contents& got, const Contents& expected) {
  std::string out;
  for (const auto& [name, text] : expected) {
    const auto found = got.find(name);
    if (found == got.end()) out += name + " is missing\n";
    if (found != got.end() && found->second != text) out += name + " is another:\n" + found->second;
  }
  for (const auto& [name, text] : got) {
    if (!expected.contains(name)) out += name + " is too much\n";
  }
  return out;
}

// What only other programs and people miss; a temporary of it may stay until the next resume.
bool is_for_convenience(const std::string& name) {
  return name.starts_with("best") || name.starts_with(".best-") || name == "sweep.json" ||
         name.starts_with(".sweep.json.");
}

// The metrics of trials that have finished, as they were written.
Contents finished_in(const fs::path& sweep) {
  auto out = contents_of(sweep);
  std::erase_if(out, [](const auto& file) { return !file.first.ends_with("metrics.json"); });
  return out;
}

[[maybe_unused]] const bool is_in_memory = (failpoints::use_memory_for_folders(), true);

// Waits for trials whose sweep was killed: they come to this process.
void wait_for_orphans() {
  while (wait(nullptr) > 0) {
  }
}

// What is done to a sweep, from `before` on, and how it goes on from wherever it was left.
struct Scenario {
  std::function<void(const Swept&)> before, act, go_on;
};

class Faults {
 public:
  explicit Faults(Scenario scenario) : scenario_(std::move(scenario)) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // The copy looks for libraries where it lies.
    setenv("LD_LIBRARY_PATH", VITRINE_BINARY_DIR ":" VITRINE_BINARY_DIR "/tests", 1);
    must_perform(scenario_.before, Swept(home_.path() / "prepared"));
    const Swept other(copy());
    must_perform(scenario_.go_on, other);
    other_ = contents_of(other.path());
    const Swept whole(copy());
    must_perform(scenario_.act, whole);
    after_ = contents_of(whole.path());
  }

  // Tries each call that counts, or some of them.
  void try_all(Calls calls, const Fault& fault) {
    for (int64_t at = 1;; at += stride()) {
      const Swept swept(copy());
      const auto finished = finished_in(home_.path() / "prepared/sweep");
      const Outcome outcome =
          perform(scenario_.act, swept, {swept.under(), calls, fault.mode, at, fault.code});
      if (!outcome.killed && outcome.calls < at) return;
      INFO(fault.name << ", call " << at << ": exit code " << outcome.code << " " << outcome.words);
      check(swept, fault, outcome);
      for (const auto& [name, text] : finished) CHECK(text_of(swept.path() / name) == text);
      ++tried_;
    }
  }
  int64_t tried() const { return tried_; }

 private:
  static Outcome perform(const std::function<void(const Swept&)>& act, const Swept& swept,
                         const Plan& plan = {}) {
    const Outcome out = in_child(plan, [&] {
      act(swept);
      return ExitCode::kDone;
    });
    wait_for_orphans();
    return out;
  }

  static void must_perform(const std::function<void(const Swept&)>& act, const Swept& swept) {
    const Outcome outcome = perform(act, swept);
    INFO(outcome.words);
    REQUIRE(outcome.code == 0);
  }

  // Always in the same place: a sweep knows where it was made.
  fs::path copy() const {
    const fs::path out = home_.path() / "tried";
    fs::remove_all(out);
    fs::copy(home_.path() / "prepared", out,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    return out;
  }

  void check(const Swept& swept, const Fault& fault, const Outcome& outcome) const {
    auto contents = contents_of(swept.path()), whole = after_;
    if (outcome.code == 0 && !outcome.words.empty()) {  // for convenience alone, and told
      for (auto* files : {&contents, &whole}) {
        std::erase_if(*files, [](const auto& file) { return is_for_convenience(file.first); });
      }
    }
    CHECK(outcome.code != static_cast<int>(ExitCode::kInternal));
    if (outcome.code == 0) CHECK(difference(contents, whole) == "");
    if (!outcome.killed && (outcome.code != 0 || !outcome.words.empty())) {
      CHECK_THAT(outcome.words, Contains(std::generic_category().message(fault.code)));
      CHECK_THAT(outcome.words, Contains(swept.path().string()));
    }
    const Outcome further = perform(scenario_.go_on, swept);
    INFO("then " << further.code << " " << further.words);
    REQUIRE(further.code == 0);
    // Either what was to be done is done, or nothing of it.
    contents = contents_of(swept.path());
    if (contents != other_) CHECK(difference(contents, after_) == "");
  }

  TemporaryFolder home_;
  Scenario scenario_;
  Contents after_, other_;  // other_: where `act` came to nothing
  int64_t tried_ = 0;
};

const Words kSweep = {"lr=0.1,0.2", "sweep.confirm={top: 1, seeds: 1}"};

void try_faults(Faults& faults) {
  for (const Fault& fault : kFaults) faults.try_all(Calls::kWrites, fault);
  faults.try_all(Calls::kReads, {"EIO once", Mode::kError, EIO});
  faults.try_all(Calls::kReads, {"EIO for ever", Mode::kErrors, EIO});
  CHECK(faults.tried() > 0);
  failpoints::tell_tried(faults.tried());
}

TEST_CASE("a sweep whose calls fail while it is made and run is one that nothing befell") {
  Faults faults({[](const Swept&) {}, [](const Swept& swept) { swept.start(kSweep); },
                 [](const Swept& swept) { swept.start_or_resume(kSweep); }});
  try_faults(faults);
}

TEST_CASE("so is one that is resumed") {
  Faults faults({[](const Swept& swept) { swept.make(kSweep); },
                 [](const Swept& swept) { swept.resume(); },
                 [](const Swept& swept) { swept.resume(); }});
  try_faults(faults);
}

TEST_CASE("a search proposes what one would that nothing befell") {
  const Words search = {"sweep.method={type: tpe, startup: 2}", "sweep.trials=4", "lr=0.1..0.9",
                        "hidden_d=4,8"};
  Faults faults({[&](const Swept& swept) { swept.make(search); },
                 [](const Swept& swept) { swept.resume(); },
                 [](const Swept& swept) { swept.resume(); }});
  try_faults(faults);
}

TEST_CASE("one that grows has all that was to be added, or nothing of it") {
  Faults faults({[](const Swept& swept) { swept.start({"lr=0.1,0.2"}); },
                 [](const Swept& swept) { swept.grow({"hidden_d=8,16"}); },
                 [](const Swept& swept) { swept.resume(); }});
  try_faults(faults);
}

}  // namespace
}  // namespace vitrine
