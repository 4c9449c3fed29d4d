#include <sys/stat.h>

#include <cstdlib>

#include "framework/files/file.h"
#include "framework/sweeps/scheduler.h"
#include "tests/framework/sweeps/support.h"

// The local launcher, with a shell script in the program's place.
namespace vitrine {
namespace {

struct Quiet : SweepObserver {
  void started(size_t trial) override { order.push_back(trial); }
  void ended(size_t) override {}
  void tick() override { most = std::max(most, running()); }
  ExitCode stop_requested() override { return ExitCode::kDone; }
  size_t running() const {
    size_t out = 0;
    for (size_t i = 0; i < sweep->trials().size(); ++i)
      out += sweep->state(i).status == TrialStatus::kRunning;
    return out;
  }

  const Sweep* sweep = nullptr;
  std::vector<size_t> order;
  size_t most = 0;
};

// Waits until `count` trials have started: whatever the load, so many run at once.
std::string until_started(int count) {
  return "touch $2/started; for i in $(seq 1000); do [ $(ls ${2%/*}/*/started | wc -l) -ge " +
         std::to_string(count) + " ] && break; sleep 0.01; done";
}

class Launched {
 public:
  Launched(size_t trials, const std::string& script, int64_t jobs, int64_t devices)
      : folder_(trials, "{}") {
    std::filesystem::create_directory(folder_ / "build");
    write_plain(folder_ / "build/runner", "#!/bin/sh\n" + script + "\n");
    chmod((folder_ / "build/runner").c_str(), 0755);
    sweep_.emplace(Sweep::open(folder_.path()));
    observer_.sweep = &*sweep_;
    ListScheduler scheduler(*sweep_, false, false);
    sweep_->options().launcher.create({jobs, devices})->launch(*sweep_, scheduler, observer_);
  }
  std::string output(size_t trial) const {
    return read_file(trial_output(folder_.run(trial)), 9999);
  }
  const TrialState& state(size_t trial) const { return sweep_->state(trial); }
  const Quiet& observer() const { return observer_; }

 private:
  SweepFolder folder_;
  std::optional<Sweep> sweep_;
  Quiet observer_;
};

TEST_CASE("a trial is resumed by the frozen program, with its threads and this process as parent") {
  const Launched sweep(1,
                       "echo $1 ${2##*/} ${2%/trials*} threads $OMP_NUM_THREADS; "
                       "[ $VITRINE_PARENT = $PPID ] && echo child >&2",
                       1, 0);
  CHECK_THAT(sweep.output(0), StartsWith("resume 0001-cell /"));
  CHECK_THAT(sweep.output(0), EndsWith(" threads 1\nchild\n"));
}

TEST_CASE("trials run as many at a time as there are jobs") {
  const Launched three(5, until_started(3), 3, 0);
  CHECK(three.observer().most == 3);
  CHECK(three.observer().order == std::vector<size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("trials are dealt out among the GPUs, of which each sees one") {
  const std::string script = "echo gpu $CUDA_VISIBLE_DEVICES; ";
  unsetenv("CUDA_VISIBLE_DEVICES");
  const Launched three(3, script + until_started(3), 3, 2);
  CHECK(three.output(0) == "gpu 0\n");
  CHECK(three.output(1) == "gpu 1\n");
  CHECK(three.output(2) == "gpu 0\n");
  setenv("CUDA_VISIBLE_DEVICES", "5,GPU-abc", 1);
  const Launched two(2, script + until_started(2), 2, 2);
  CHECK(two.output(0) == "gpu 5\n");
  CHECK(two.output(1) == "gpu GPU-abc\n");
  unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_CASE("how a process ended is kept beside what it said") {
  const Launched sweep(
      4,
      "case $2 in *0001*) echo 'error: no data' >&2; exit 3;; *0002*) kill -9 $$;; "
      "*0003*) exit 75;; *0004*) kill -TERM $$;; esac",
      1, 0);
  CHECK(sweep.output(0) == "error: no data\nexit code 3\n");
  CHECK(to_string(sweep.state(0).status) == "failed");
  CHECK(sweep.state(0).error == "no data");
  CHECK(sweep.output(1) == "killed by signal 9 (Killed)\n");
  CHECK(to_string(sweep.state(1).status) == "interrupted");
  CHECK(sweep.output(2) == "");
  CHECK(sweep.output(3) == "");
}

}  // namespace
}  // namespace vitrine
