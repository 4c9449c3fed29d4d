#include "framework/files/file.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/support.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) { return read_file(file, uint64_t{1} << 30); }

TEST_CASE("report writes a page, also over an older one and into a run") {
  const TemporaryFolder folder;
  write_run(folder / "runs/a", example_run(0));
  write_run(folder / "runs/b", example_run(1));
  const auto report = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "report");
    return runner(arguments, folder.path());
  };
  const Result result = report({"runs"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  CHECK(result.out == "wrote report.html: 2 runs\n");
  const std::string page = bytes_of(folder / "report.html");
  CHECK_THAT(page, StartsWith("<!doctype html>\n"));
  CHECK_THAT(page, EndsWith("</html>\n"));
  CHECK_THAT(page, Contains("<p>2 runs: 2 finished</p>"));
  for (int i = 0; i < 2; ++i) {
    const Result one = report({"runs/a", "runs/a", "-o", "runs/a/it.html"});
    CHECK(one.err == "");
    CHECK(one.out == "wrote runs/a/it.html: 1 run\n");
  }
  CHECK_THAT(bytes_of(folder / "runs/a/it.html"), Contains("<p>a: finished</p>"));
}

TEST_CASE("report refuses what it cannot do") {
  const TemporaryFolder folder;
  write_run(folder / "runs/a", example_run());
  const auto report = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "report");
    return runner(arguments, folder.path());
  };
  const std::string metrics = bytes_of(folder / "runs/a/metrics.json");
  const Result name = report({"runs", "-o", "runs/a/metrics.json"});
  CHECK(name.code == 2);
  CHECK(name.err ==
        "error: runs/a/metrics.json: a report is an HTML page, so its name ends in .html\n");
  CHECK(bytes_of(folder / "runs/a/metrics.json") == metrics);

  const Result nowhere = report({"runs", "-o", "no/report.html"});
  CHECK(nowhere.code == 1);
  CHECK(nowhere.err == "error: cannot write no/report.html: No such file or directory\n");

  const Result missing = report({"rums"});
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err, StartsWith("error: rums is no run: there is no such directory"));
  fs::create_directory(folder / "empty");
  CHECK(report({"empty"}).code == 2);
  const Result nothing = report({});
  CHECK(nothing.code == 2);
  CHECK(nothing.err == "error: RUN is required; runner report --help tells what it takes\n");
}

TEST_CASE("report warns of runs that cannot be read, and fails where none can") {
  const TemporaryFolder folder;
  write_run(folder / "runs/a", example_run());
  fs::create_directories(folder / "runs/b");
  write_plain(folder / "runs/b/metrics.json", "{");
  const Result both = runner({"report", "runs"}, folder.path());
  CHECK(both.code == 0);
  CHECK_THAT(both.err, StartsWith("warning: runs/b/metrics.json: "));
  CHECK(both.out == "wrote report.html: 2 runs\n");
  CHECK_THAT(bytes_of(folder / "report.html"), Contains("<p>2 runs: 1 finished, 1 unreadable</p>"));
  fs::remove(folder / "report.html");
  const Result none = runner({"report", "runs/b"}, folder.path());
  CHECK(none.code == 3);
  CHECK_THAT(none.err, StartsWith("error: runs/b/metrics.json: "));
  CHECK_FALSE(fs::exists(folder / "report.html"));
}

TEST_CASE("report calls trials that asha paused paused, and goes on with the sweep alone") {
  const ConfigFolder folder(kSmallConfig);
  REQUIRE(folder
              .run({"sweep", "small.yaml", "--run-dir", "sweep", "sweep.method=asha",
                    "sweep.trials=2", "sweep.method.eta=2", "training.epochs=4",
                    "optimizer.lr=0.001,0.01", "--jobs", "1"})
              .code == 0);
  const Result result = folder.run({"report", "sweep"});
  CHECK(result.err == "");
  const std::string page = bytes_of(folder / "report.html");
  CHECK_THAT(page, Contains("<p>2 runs: 1 finished, 1 paused."));
  CHECK_THAT(page, Contains(": paused: stopped at step 3; go on with: runner resume sweep</li>"));
  CHECK_THAT(page, Contains("<td class=\"status paused\">paused</td>"));
}

}  // namespace
}  // namespace vitrine
