#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/sweeps/growth.h"
#include "framework/sweeps/sweep.h"
#include "tests/framework/sweeps/fake_engine.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutator.h"

namespace vitrine {
namespace {

constexpr size_t kMostTrials = 100;

// What is asked of a sweep that was opened.
void use(const Sweep& sweep) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    sweep.find(sweep.folder(i));
    sweep.value(i);
    try {
      to_yaml(sweep.config(i));
    } catch (const Error&) {
    }
  }
  sweep.launch_environment().script();
  if (sweep.trials().size() > kMostTrials) return;
  // One more seed and value, as `runner sweep` adds them.
  FakeEngine engine;
  const SweepSpec spec = grown_spec(sweep, {"seed=0,1,2", "lr=0.1,0.2,0.3"});
  if (spec.options.seeds.list.size() < kMostTrials && spec.options.trials.value_or(0) < 100)
    make_plan(spec, {2, 1}, engine, sweep.grown());
}

void check(std::string_view bytes) {
  static const FuzzFolder folder;
  static FakeEngine engine;
  provide_engine(engine);
  folder.write("sweep.yaml", "lr: 0.1\nsweep: {parameters: {lr: [0.1, 0.2]}, seeds: [0, 1]}\n");
  folder.write("trials/0001-lr-0.1/config.yaml", "lr: 0.1\n");
  folder.write("plan.json", bytes);
  const Sweep sweep = Sweep::open(folder.path());
  // What was accepted is the same after it was written and read again.
  sweep.write_plan();
  const std::string written = read_file(folder / "plan.json", 1 << 24);
  Sweep::open(folder.path()).write_plan();
  require(read_file(folder / "plan.json", 1 << 24) == written);
  use(sweep);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
VITRINE_MUTATES_JSON;
