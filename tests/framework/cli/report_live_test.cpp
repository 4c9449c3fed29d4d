#include "tests/framework/cli/live_run.h"
#include "tests/small_disk.h"

// Reports that are written anew while runs go on.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRefreshes = "<meta http-equiv=\"refresh\" content=\"5\">";
constexpr const char* kFirst =
    "wrote report.html: 1 run; it follows them until all have ended, or Ctrl-C\n";

bool refreshes(const fs::path& page) {
  return bytes_of(page).find(kRefreshes) != std::string::npos;
}
bool is_whole(const fs::path& page) { return bytes_of(page).ends_with("</html>\n"); }

TEST_CASE("a live report follows a run to its end, and its last page is that of report") {
  const TemporaryFolder folder;
  LiveRun run(folder / "runs/a");
  run.epoch(1, 2, 0.5);
  Following report({"report", "runs", "--live"}, folder.path());
  CHECK(report.says(kFirst));
  CHECK(refreshes(folder / "report.html"));
  CHECK(is_whole(folder / "report.html"));
  run.epoch(2, 1, 0.625);
  while (bytes_of(folder / "report.html").find("0.625") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(refreshes(folder / "report.html"));
  run.end(RunStatus::kFinished);
  CHECK(report.code() == 0);
  CHECK(report.shown() == kFirst + std::string("wrote report.html: 1 run\n"));
  CHECK_FALSE(refreshes(folder / "report.html"));
  CHECK(runner({"report", "runs", "-o", "once.html"}, folder.path()).code == 0);
  CHECK(bytes_of(folder / "report.html") == bytes_of(folder / "once.html"));
}

TEST_CASE("Ctrl-C ends a live report with a whole page, which is not read again") {
  const TemporaryFolder folder;
  const LiveRun run(folder / "runs/a");
  Following report({"report", "runs", "--live"}, folder.path());
  CHECK(report.says(kFirst));
  report.send(SIGINT);
  CHECK(report.code() == 130);
  CHECK(is_whole(folder / "report.html"));
  CHECK_FALSE(refreshes(folder / "report.html"));
}

TEST_CASE("a live report of runs that have ended is a report, and a folder may be empty at first") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "runs");
  Following report({"report", "runs", "--live"}, folder.path());
  CHECK(report.says("no runs yet\n"));
  LiveRun run(folder / "runs/a");
  CHECK(report.says(kFirst));
  run.end(RunStatus::kStopped);
  CHECK(report.code() == 0);
  CHECK(runner({"report", "runs", "--live"}, folder.path()).out == "wrote report.html: 1 run\n");
  Following waits({"report", "runs/none", "--live"}, folder.path());
  CHECK(waits.code() == 2);
}

TEST_CASE("a live report goes on where the disk is full, and leaves the page that there was") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "small");
  const SmallDisk disk(folder / "small", 4096);
  if (!disk.mounted()) return;
  LiveRun run(folder / "runs/a");
  Following report({"report", "runs", "--live", "-o", "small/report.html"}, folder.path());
  CHECK(report.says("wrote small/report.html"));
  const std::string before = bytes_of(folder / "small/report.html");
  {
    std::ofstream full(folder / "small/full", std::ios::binary);
    const std::string block(64 << 10, 'x');
    while (full << block << std::flush) continue;
  }
  run.epoch(1, 2, 0.5);
  CHECK(report.says("warning: "));
  CHECK(report.says("No space left on device"));
  CHECK(bytes_of(folder / "small/report.html") == before);
  fs::remove(folder / "small/full");
  while (bytes_of(folder / "small/report.html") == before)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  run.end(RunStatus::kFinished);
  CHECK(report.code() == 0);
  CHECK_FALSE(refreshes(folder / "small/report.html"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder / "small")) ++files;
  CHECK(files == 1);
}

}  // namespace
}  // namespace vitrine
