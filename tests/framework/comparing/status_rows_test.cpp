#include "framework/comparing/status_rows.h"

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

Metrics stopped_run() {
  Metrics metrics = example_run(3, 0.75);
  metrics.config["training"]["epochs"] = 4;
  metrics.metrics["validation/accuracy"] = {"max", "fraction"};
  metrics.status = RunStatus::kStopped;
  metrics.stopped_by = "stop_after";
  metrics.add_epoch({{"epoch", 2}, {"step", 12000}, {"validation/accuracy", 0.5}});
  metrics.add_epoch({{"epoch", 3}, {"step", 18000}, {"validation/accuracy", 0.25}});
  metrics.exact = false;
  metrics.changes = {{6, "optimizer.lr", 0.01, 0.1, false}, {8, "training.epochs", 2, 4, true}};
  metrics.tags = {"a", "b"};
  metrics.note = "first line\nsecond";
  return metrics;
}

TEST_CASE("rows of status keep the order of the runs, and say what cannot be read", "[reports]") {
  const TemporaryFolder root;
  write_run(root / "b", example_run());
  write_run(root / "a", stopped_run());
  std::filesystem::create_directories(root / "c");
  write_plain(root / "c/metrics.json", "{");
  const auto rows = read_status_rows({root / "b", root / "a", root / "c"}, 3);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].status == "finished");
  CHECK(rows[1].step == 18000);
  CHECK(rows[1].best == 0.5);
  const std::string c = root.path().string() + "/c";
  CHECK(rows[2].error == c + "/metrics.json: invalid JSON at byte 2: unexpected end");
  CHECK(status_json({rows[2]}).dump() ==
        R"([{"run":")" + c + R"(","status":"unreadable","error":")" + rows[2].error + R"("}])");
}

TEST_CASE("a table of status has labels and notes where a run has some", "[reports]") {
  const TemporaryFolder root;
  write_run(root / "a", stopped_run());
  auto rows = read_status_rows({root / "a"}, 1);
  rows[0].run = "a";
  CHECK(status_table(rows, 200) ==
        "run  status                  epoch  step    loss  best validation  test     tags  note\n"
        "a    stopped (--stop-after)  3/4    18,000     -          50.00 %  75.00 %  a, b  first "
        "line ...\n"
        "a: not exact: optimizer.lr 0.01 -> 0.1 at step 6");
}

}  // namespace
}  // namespace vitrine
