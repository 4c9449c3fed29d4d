#include "framework/runs/object_reader.h"
#include "tests/framework/sweeps/support.h"

namespace vitrine {
namespace {

TEST_CASE("jobs that were submitted are kept with the plan") {
  const SweepFolder folder(3, "{}");
  Sweep sweep = Sweep::open(folder.path());
  CHECK(sweep.slurm_jobs().empty());
  sweep.add_slurm_job({"12", "", {{0, 1}, {2}}});
  sweep.add_slurm_job({"", "", {{1}}});  // whether Slurm has it is not known yet
  const Sweep again = Sweep::open(folder.path());
  REQUIRE(again.slurm_jobs().size() == 2);
  CHECK(again.slurm_jobs()[0].id == "12");
  CHECK(again.slurm_jobs()[0].tasks == std::vector<std::vector<size_t>>{{0, 1}, {2}});
  CHECK(again.slurm_jobs()[1].tasks == std::vector<std::vector<size_t>>{{1}});
}

TEST_CASE("a job of trials that there are not is refused") {
  const auto read = [](const char* text) {
    return message_of(ExitCode::kData,
                      [&] { SlurmJob::from_json(parse_ordered_json(text, "x"), "x", 3); });
  };
  CHECK(read(R"({"job": "12", "tasks": [[1], [3]]})") == "(no error)");
  for (const char* tasks : {"[[4]]", "[[0]]", "[[-1]]", "[[1.5]]", "[[\"1\"]]"})
    CHECK(read((std::string(R"({"job": "12", "tasks": )") + tasks + "}").c_str()) ==
          "x: tasks names trials that there are not");
  CHECK(read(R"({"job": 12, "tasks": []})") == "x: job: expected a string, got 12");
  CHECK(read(R"({"job": "1,2", "tasks": []})") == "x: job is no number of a job");
}

}  // namespace
}  // namespace vitrine
