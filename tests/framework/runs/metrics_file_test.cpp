#include "framework/runs/metrics_file.h"

#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

using Object = Metrics::Object;

Metrics under_way(int64_t epochs) {
  Metrics metrics;
  metrics.name = "small";
  for (int64_t epoch = 1; epoch <= epochs; ++epoch)
    metrics.add_epoch({{"epoch", epoch}, {"step", 10 * epoch}});
  return metrics;
}

std::string step_row(int64_t epoch, int64_t step) {
  return fmt::format("{{\"kind\":\"step\",\"epoch\":{},\"step\":{},\"train/loss\":1.5}}\n", epoch,
                     step);
}

std::string epoch_row(int64_t epoch) {
  return fmt::format("{{\"kind\":\"epoch\",\"epoch\":{},\"step\":{},\"train/loss\":1.25}}\n", epoch,
                     10 * epoch);
}

// Ten steps each, the last epoch's end included.
std::string rows_of(int64_t first, int64_t last) {
  std::string out;
  for (int64_t epoch = first; epoch <= last; ++epoch) {
    for (int64_t step = 10 * epoch - 9; step <= 10 * epoch; ++step) out += step_row(epoch, step);
    out += epoch_row(epoch);
  }
  return out;
}

std::vector<int64_t> epochs_of(const std::vector<Object>& rows) {
  std::vector<int64_t> out;
  for (const Object& row : rows) out.push_back(row.at("epoch"));
  return out;
}

TEST_CASE("what gets dearer is done again when the time since is fifty times what it took") {
  double now = 0;
  Pace pace([&] { return now; });
  CHECK(pace.is_due());
  pace.perform([&] { now += 2; });
  CHECK_FALSE(pace.is_due());
  now = 2 + 99.5;
  CHECK_FALSE(pace.is_due());
  now = 2 + 100;
  CHECK(pace.is_due());
  pace.perform([&] { now += 3; });
  now += 149;
  CHECK_FALSE(pace.is_due());
  now += 1;
  CHECK(pace.is_due());
}

TEST_CASE("metrics.json is not written at each epoch, but at each end") {
  const TemporaryFolder run;
  double now = 0;
  // Each look at the clock takes a second, so that a write takes one and an epoch as well.
  MetricsFile file(run / "metrics.json", Pace([&] { return now++; }));
  file.write(under_way(0));
  int writes = 0;
  for (int64_t epoch = 1; epoch <= 480; ++epoch) writes += file.write_if_cheap(under_way(epoch));
  CHECK(writes == 9);
  CHECK(Metrics::read(run / "metrics.json").history.size() < 480);
  Metrics stopped = under_way(480);
  stopped.status = RunStatus::kStopped;
  file.write(stopped);
  CHECK(Metrics::read(run / "metrics.json").history.size() == 480);
}

TEST_CASE("metrics.json tells of the first checkpoint at once") {
  const TemporaryFolder run;
  double now = 0;
  MetricsFile file(run / "metrics.json", Pace([&] { return now++; }));
  file.write(under_way(0));
  Metrics metrics = under_way(1);
  CHECK_FALSE(file.write_if_cheap(metrics));
  metrics.last_checkpoint = "step-00000010";
  CHECK(file.write_if_cheap(metrics));
  metrics.last_checkpoint = "step-00000020";
  CHECK_FALSE(file.write_if_cheap(metrics));
}

TEST_CASE("a run that says it is running has the epochs of its metrics.jsonl") {
  const TemporaryFolder run;
  Metrics metrics = under_way(2);
  metrics.write(run / "metrics.json");
  const auto read = [&] { return epochs_of(Metrics::read(run / "metrics.json").history); };
  CHECK(read() == std::vector<int64_t>{1, 2});
  // In the midst of epoch 6, with a row that was torn.
  write_plain(run / "metrics.jsonl", rows_of(1, 5) + step_row(6, 51) + R"({"kind":"epo)");
  CHECK(read() == std::vector<int64_t>{1, 2, 3, 4, 5});
  CHECK(Metrics::read(run / "metrics.json").history[4].dump() ==
        R"({"epoch":5,"step":50,"train/loss":1.25})");
  for (const RunStatus status :
       {RunStatus::kFinished, RunStatus::kStopped, RunStatus::kDiverged, RunStatus::kFailed}) {
    metrics.status = status;
    metrics.write(run / "metrics.json");
    CHECK(read() == std::vector<int64_t>{1, 2});
  }
}

TEST_CASE("epochs are read from the end of metrics.jsonl, as many as are new") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  CHECK(epochs_after(file, 0).empty());
  write_plain(file, "");
  CHECK(epochs_after(file, 0).empty());
  write_plain(file, "torn");
  CHECK(epochs_after(file, 0).empty());
  // More than one block. What lies before the new epochs is not read: it is no row here.
  write_plain(file, "damaged\n" + rows_of(1, 400));
  CHECK(epochs_of(epochs_after(file, 399)) == std::vector<int64_t>{400});
  CHECK(epochs_after(file, 400).empty());
  CHECK(epochs_after(file, 1000).empty());
  CHECK(epochs_after(file, 20).size() == 380);
  CHECK(error_of([&] { epochs_after(file, -1); }) ==
        "3: " + file.string() + ": byte 0: invalid JSON at byte 1: unexpected \"damaged\"");
  write_plain(file, epoch_row(1) + "damaged\n" + epoch_row(2) + epoch_row(3));
  CHECK(epochs_of(epochs_after(file, 2)) == std::vector<int64_t>{3});
  CHECK_THAT(error_of([&] { epochs_after(file, 0); }), Contains(": byte 55: "));
}

TEST_CASE("an epoch under way of many steps hides none before it") {
  const TemporaryFolder folder;
  std::string rows = rows_of(1, 2);
  for (int64_t step = 21; step < 3000; ++step) rows += step_row(3, step);
  write_plain(folder / "metrics.jsonl", rows);
  CHECK(epochs_of(epochs_after(folder / "metrics.jsonl", 0)) == std::vector<int64_t>{1, 2});
  CHECK(epochs_after(folder / "metrics.jsonl", 2).empty());
}

TEST_CASE("epochs are read among any number of steps", "[runs]") {
  const TemporaryFolder folder;
  const auto file = folder / "metrics.jsonl";
  const std::string rows = rows_of(1, 3000);  // 2 MB: several blocks
  write_plain(file, rows + "torn");
  const auto epochs = read_epochs(file);
  REQUIRE(epochs.size() == 3000);
  CHECK(epochs.back().dump() == R"({"epoch":3000,"step":30000,"train/loss":1.25})");
  CHECK(read_rows(file).size() == 33000);
  write_plain(file, rows + "{}\n");
  const std::string wrong = "3: " + file.string() + ":33001: \"kind\" is missing";
  CHECK(error_of([&] { read_epochs(file); }) == wrong);
  CHECK(error_of([&] { read_rows(file); }) == wrong);
}

}  // namespace
}  // namespace vitrine
