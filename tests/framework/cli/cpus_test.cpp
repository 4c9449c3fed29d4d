#include <sched.h>

#include "tests/catch.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

// What the program says, held to one of the CPUs that this test may use.
Result on_one_cpu(const ConfigFolder& folder, const std::string& arguments) {
  cpu_set_t set;
  REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
  int cpu = 0;
  while (!CPU_ISSET(cpu, &set)) ++cpu;
  return shell("exec taskset -c " + std::to_string(cpu) + " \"$RUNNER\" " + arguments,
               folder.path());
}

TEST_CASE("the CPUs that count are those that the program may use") {
  const ConfigFolder folder(kSmallConfig);
  const Result plan = on_one_cpu(folder, "sweep small.yaml seed=0..3 --dry-run");
  INFO(plan.err);
  CHECK_THAT(plan.out, StartsWith("small: 4 trials, 1 cell x 4 seeds, 1 at a time\n"));

  // A model whose threads share its work takes one for each of them.
  REQUIRE(on_one_cpu(folder, "small.yaml --unset threads backend=fused --run-dir run").code == 0);
  const Json metrics = json_of(folder / "run/metrics.json");
  CHECK(metrics.at("environment").at("cores") == 1);
  CHECK(metrics.at("execution").at("threads") ==
        Json({{"value", 1}, {"derived", true}, {"why", "one a core that this may use"}}));
}

}  // namespace
}  // namespace vitrine
