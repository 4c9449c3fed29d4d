#include "framework/sweeps/options.h"
#include "tests/framework/config/support.h"

namespace vitrine {
namespace {

std::string refused(const std::string& yaml) {
  SweepOptions options;
  Problems problems;
  const Node node = parse_yaml(yaml, "a.yaml");
  read_fields(fields_of(options), node, "sweep", problems);
  if (problems.empty()) options.check(Check(node, "sweep", problems));
  return problems.empty() ? "" : problems.text("a.yaml");
}

TEST_CASE("mistakes in the options of Slurm are located and explained") {
  const std::pair<const char*, const char*> cases[] = {
      {"slurm: {partion: long}",
       "a.yaml:1:9: sweep.slurm.partion: unknown key\n"
       "    1 | slurm: {partion: long}\n"
       "      |         ^ did you mean sweep.slurm.partition?"},
      {"slurm: {partition: \"\"}",
       "a.yaml:1:20: sweep.slurm: partition: expected text, got \"\"\n"
       "    1 | slurm: {partition: \"\"}\n"
       "      |                    ^"},
      {"slurm: {mem: \"4G\\n--wrap=x\"}",
       "a.yaml:1:14: sweep.slurm: mem: expected text, got \"4G\\n--wrap=x\"\n"
       "    1 | slurm: {mem: \"4G\\n--wrap=x\"}\n"
       "      |              ^"},
      {"slurm: {cpus_per_task: 0}",
       "a.yaml:1:24: sweep.slurm.cpus_per_task: expected a whole number at least 1 or null, got 0\n"
       "    1 | slurm: {cpus_per_task: 0}\n"
       "      |                        ^"},
      {"slurm: {trials_per_task: two}",
       "a.yaml:1:26: sweep.slurm.trials_per_task: expected a whole number at least 1, got \"two\"\n"
       "    1 | slurm: {trials_per_task: two}\n"
       "      |                          ^"},
      {"slurm: {time: soon}",
       "a.yaml:1:15: sweep.slurm: time: expected minutes, hours:minutes:seconds or days-hours, got "
       "\"soon\"\n"
       "    1 | slurm: {time: soon}\n"
       "      |               ^"},
      {"slurm: {time: 4:59}",
       "a.yaml:1:15: sweep.slurm: time: at least 5 minutes, since trials are asked to save 2 "
       "minutes before the end\n"
       "    1 | slurm: {time: 4:59}\n"
       "      |               ^"},
      {"slurm: {extra: [mail-type=FAIL]}",
       "a.yaml:1:16: sweep.slurm: extra: expected an option of sbatch with its value, such as "
       "--mail-type=FAIL, got \"mail-type=FAIL\"\n"
       "    1 | slurm: {extra: [mail-type=FAIL]}\n"
       "      |                ^"},
      {"slurm: {extra: --arr=0-1}",
       "a.yaml:1:16: sweep.slurm: extra: --arr is what the sweep itself decides\n"
       "    1 | slurm: {extra: --arr=0-1}\n"
       "      |                ^"},
      {"slurm: {extra: [--cpus-per-task=5]}",
       "a.yaml:1:16: sweep.slurm: extra: --cpus-per-task has a key of its own in sweep.slurm\n"
       "    1 | slurm: {extra: [--cpus-per-task=5]}\n"
       "      |                ^"},
  };
  for (const auto& [yaml, message] : cases) CHECK(refused(yaml) == message);
}

TEST_CASE("times are taken in each of Slurm's spellings") {
  for (const char* time : {"5", "05", "5:00", "90", "0:05:00", "1:30:00", "0-1", "1-12", "1-12:30",
                           "1-12:30:15", "0-0:05"})
    CHECK(refused(std::string("slurm: {time: ") + time + "}") == "");
  for (const char* time : {"", "-1", "1-", "1-2-3", "1:2:3:4", "1-2:3:4:5", ":5", "5:", "1.5", "1h",
                           "UNLIMITED", "99999999999"})
    CHECK_THAT(refused(std::string("slurm: {time: \"") + time + "\"}"),
               Contains(std::string("got \"") + time + "\""));
}

TEST_CASE("options that a local sweep does not use may stand in its file") {
  CHECK(refused("{launcher: local, slurm: {partition: long}}") == "");
}

}  // namespace
}  // namespace vitrine
