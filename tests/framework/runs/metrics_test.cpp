#include "framework/runs/metrics.h"

#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/framework/runs/support.h"
#include "tests/schema_python.h"

namespace vitrine {
namespace {

using Object = Metrics::Object;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Metrics example() {
  Metrics metrics;
  metrics.name = "vit_mnist";
  metrics.run = "20261122-101500-3fa2c1";
  metrics.started = "2026-11-22T10:15:00Z";
  metrics.command = {"runner", "configs/vit_mnist.yaml"};
  metrics.config = {{"name", "vit_mnist"}, {"optimizer", {{"type", "adam"}, {"lr", 0.005}}}};
  metrics.config_sha256 = std::string(64, 'a');
  metrics.dataset = {{"type", "mnist"},
                     {"sha256", std::string(64, 'b')},
                     {"train", 60000},
                     {"validation", 0},
                     {"test", 10000}};
  metrics.model = {{"type", "vit"}, {"parameters", 1642}, {"flops_per_image", 153000}};
  metrics.environment = {{"vitrine", "0.1.0"}, {"git", "unknown"}, {"torch", "2.13.0"},
                         {"cpu", "x"},         {"isa", "avx2"},    {"threads", 2},
                         {"device", "cpu"}};
  metrics.metrics["test/accuracy"] = {"max", "fraction"};
  metrics.add_epoch({{"epoch", 1}, {"step", 469}, {"train/loss", 2.11}, {"learning_rate", 0.005}});
  return metrics;
}

Metrics finished_example() {
  Metrics metrics = example();
  metrics.status = RunStatus::kFinished;
  metrics.finished = "2026-11-22T10:15:04Z";
  metrics.stopped_by = "epochs";
  metrics.test = {{"test/loss", 1.7}, {"test/accuracy", 0.75}, {"checkpoint", "step-00000469"}};
  metrics.summary = {{"test/accuracy", 0.75}, {"seconds", 3.1}, {"peak_memory_bytes", 1048576}};
  metrics.last_checkpoint = "step-00000469";
  return metrics;
}

constexpr const char* kFinishedText = R"({
  "format": 1,
  "name": "vit_mnist",
  "run": "20261122-101500-3fa2c1",
  "status": "finished",
  "exact": true,
  "tags": [],
  "note": "",
  "started": "2026-11-22T10:15:00Z",
  "finished": "2026-11-22T10:15:04Z",
  "stopped_by": "epochs",
  "seed": 0,
  "command": [
    "runner",
    "configs/vit_mnist.yaml"
  ],
  "config": {
    "name": "vit_mnist",
    "optimizer": {
      "type": "adam",
      "lr": 0.005
    }
  },
  "config_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "keys": {},
  "contents": {},
  "execution": {},
  "changes": [],
  "dataset": {
    "type": "mnist",
    "sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "train": 60000,
    "validation": 0,
    "test": 10000
  },
  "model": {
    "type": "vit",
    "parameters": 1642,
    "flops_per_image": 153000
  },
  "environment": {
    "vitrine": "0.1.0",
    "git": "unknown",
    "torch": "2.13.0",
    "cpu": "x",
    "isa": "avx2",
    "threads": 2,
    "device": "cpu"
  },
  "metrics": {
    "test/accuracy": {
      "goal": "max",
      "unit": "fraction"
    }
  },
  "best_by": null,
  "history": [
    {
      "epoch": 1,
      "step": 469,
      "train/loss": 2.11,
      "learning_rate": 0.005
    }
  ],
  "test": {
    "test/loss": 1.7,
    "test/accuracy": 0.75,
    "checkpoint": "step-00000469"
  },
  "summary": {
    "test/accuracy": 0.75,
    "seconds": 3.1,
    "peak_memory_bytes": 1048576
  },
  "checkpoints": {
    "last": "step-00000469",
    "best": null
  }
}
)";

// The example's text with `from` replaced by `to`.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kFinishedText;
  return text.replace(text.find(from), from.size(), to);
}

std::string parse_error(const std::string& text) {
  return error_of([&] { Metrics::parse(text, "m.json"); });
}

std::string rows_error(const std::string& text) {
  return error_of([&] { parse_rows(text, "m.jsonl"); });
}

TEST_CASE("metrics.json as it is written", "[runs]") {
  const TemporaryFolder run;
  finished_example().write(run / "metrics.json");
  CHECK(text_of(run / "metrics.json") == kFinishedText);
  CHECK(Metrics::read(run / "metrics.json").text() == kFinishedText);
}

TEST_CASE("a run that goes on writes what it read", "[runs]") {
  Metrics metrics = example();
  metrics.exact = false;
  metrics.tags = {"a", "b"};
  metrics.note = "gr\xc3\xbc\xc3\x9f \"x\"\n";
  metrics.seed = -1;
  metrics.best_checkpoint = "step-00000001";
  const Metrics again = Metrics::parse(metrics.text(), "m.json");
  CHECK(again.text() == metrics.text());
  CHECK(again.note == metrics.note);
  CHECK(again.finished.empty());
  CHECK(again.history[0]["train/loss"].get<double>() == 2.11);
}

TEST_CASE("an epoch that is repeated after a resume replaces its row and later ones", "[runs]") {
  Metrics metrics = example();
  metrics.add_epoch({{"epoch", 2}, {"step", 938}});
  metrics.add_epoch({{"epoch", 3}, {"step", 1407}});
  metrics.add_epoch({{"epoch", 2}, {"step", 938}, {"train/loss", 2.0}});
  REQUIRE(metrics.history.size() == 2);
  CHECK(metrics.history[1].dump() == R"({"epoch":2,"step":938,"train/loss":2.0})");
}

TEST_CASE("values that are not finite are null and named", "[runs]") {
  Metrics metrics = example();
  metrics.history[0]["train/loss"] = kNan;
  metrics.summary["train/loss"] = -kInfinity;
  const std::string text = metrics.text();
  CHECK(text.find("\"train/loss\": null,\n") != text.npos);
  CHECK(text.substr(text.find("  \"nonfinite\"")) ==
        "  \"nonfinite\": [\n    \"history[0].train/loss\",\n    \"summary.train/loss\"\n  ]\n}\n");
  const Metrics again = Metrics::parse(text, "m.json");
  CHECK(std::isnan(again.history[0]["train/loss"].get<double>()));
  CHECK(again.text() == text);
}

TEST_CASE("text that is not UTF-8 does not cost the file", "[runs]") {
  Metrics metrics = example();
  metrics.command = {"runner", "\xff.yaml"};
  CHECK(Metrics::parse(metrics.text(), "m.json").command[1] == "\xef\xbf\xbd.yaml");
}

TEST_CASE("what metrics.json must not hold", "[runs]") {
  CHECK(parse_error(changed("\"seed\": 0", "\"seed\": 0.5")) ==
        "3: m.json: seed: expected an integer, got 0.5");
  CHECK(parse_error(changed("\"finished\",", "\"done\",")) ==
        "3: m.json: status: expected one of running, finished, stopped, diverged, failed, got "
        "\"done\"");
  CHECK(parse_error(changed("\"exact\": true,", "")) == "3: m.json: \"exact\" is missing");
  CHECK(parse_error(changed("\"exact\"", "\"exakt\\u001b\": 1, \"exact\"")) ==
        "3: m.json: unknown key \"exakt\\x1b\"");
  CHECK(parse_error(changed("\"format\": 1", "\"format\": 2")) ==
        "3: m.json: format: this program reads format 1, this file has 2");
  CHECK(parse_error(changed("\"step\": 469", "\"step\": \"469\""))
            .find("3: m.json: history[0]: step: expected an integer") == 0);
  CHECK(parse_error(changed("2.11", "\"2.11\"")) ==
        "3: m.json: history[0]: train/loss: expected a number, got \"2.11\"");
  CHECK(parse_error(changed("\"epoch\": 1,", "\"epoch\": 1, \"step\": 1}, {\"epoch\": 1,")) ==
        "3: m.json: history[1]: epoch is not above that of the row before it");
  CHECK(parse_error(changed("\"max\"", "\"up\"")) ==
        "3: m.json: metrics.test/accuracy: goal: expected one of max, min, none, got \"up\"");
  CHECK(parse_error(changed("\"tags\": []", "\"tags\": [1]")) ==
        "3: m.json: tags[0]: expected a string, got 1");
  CHECK(parse_error(changed("\"tags\"", "\"nonfinite\": [\"seed\"], \"tags\"")) ==
        "3: m.json: nonfinite: \"seed\" names no null in this file");
  CHECK(parse_error("[]") == "3: m.json: expected an object, got array");
  CHECK(parse_error(changed("\"tags\"", "\"seed\": 1, \"tags\"")).find("3: m.json") == 0);
  std::string keys = "{\"0\": 0";
  for (int i = 1; i <= 10'000; ++i) keys += ", \"" + std::to_string(i) + "\": 0";
  CHECK(parse_error(keys + "}") ==
        "3: m.json: invalid JSON at byte 108898: an object of more than 10000 keys");
}

TEST_CASE("a metrics.json cut anywhere is refused", "[runs]") {
  const std::string text = kFinishedText;
  size_t refused = 0;
  for (size_t size = 0; size + 2 < text.size(); ++size) {
    refused += parse_error(text.substr(0, size)).starts_with("3: m.json");
  }
  CHECK(refused == text.size() - 2);
}

TEST_CASE("rows of metrics.jsonl", "[runs]") {
  const TemporaryFolder run;
  {
    MetricRows rows(run / "metrics.jsonl");
    rows.append({{"kind", "step"}, {"step", 10}, {"epoch", 1}, {"train/loss", 2.25}});
    rows.append({{"kind", "epoch"}, {"step", 20}, {"epoch", 1}, {"train/loss", kNan}});
    rows.flush();
    CHECK(rows.length() == text_of(run / "metrics.jsonl").size());
    CHECK(rows.sha256() == sha256_hex(text_of(run / "metrics.jsonl")));
  }
  CHECK(text_of(run / "metrics.jsonl") ==
        "{\"kind\":\"step\",\"step\":10,\"epoch\":1,\"train/loss\":2.25}\n"
        "{\"kind\":\"epoch\",\"step\":20,\"epoch\":1,\"train/loss\":null,"
        "\"nonfinite\":[\"train/loss\"]}\n");
  const std::vector<Object> rows = read_rows(run / "metrics.jsonl");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].dump() == R"({"kind":"step","step":10,"epoch":1,"train/loss":2.25})");
  CHECK(std::isnan(rows[1]["train/loss"].get<double>()));
  CHECK_FALSE(rows[1].contains("nonfinite"));
}

TEST_CASE("a last row that was torn is dropped, a damaged one before it is not", "[runs]") {
  const std::string row = R"({"kind":"step","step":1,"epoch":1})";
  CHECK(parse_rows(row + "\n" + row.substr(0, 9), "m.jsonl").size() == 1);
  CHECK(parse_rows(row, "m.jsonl").empty());
  CHECK(parse_rows("", "m.jsonl").empty());
  CHECK(rows_error(row + "\n{\"kin\n" + row + "\n").find("3: m.jsonl:2") == 0);
  CHECK(rows_error(R"({"kind":"x","step":1,"epoch":1})"
                   "\n") == "3: m.jsonl:1: kind: expected one of step, epoch, got \"x\"");
  CHECK(rows_error("1\n") == "3: m.jsonl:1: expected an object, got 1");
}

TEST_CASE("a resumed run takes metrics.jsonl up as it was recorded, and goes on behind it",
          "[runs]") {
  const TemporaryFolder run;
  const Object row = {{"kind", "step"}, {"step", 1}, {"epoch", 1}};
  uint64_t length = 0;
  std::string sha256;
  {
    MetricRows rows(run / "metrics.jsonl");
    rows.append(row);
    length = rows.length();
    sha256 = rows.sha256();
    rows.append(row);
  }
  const std::string path = run / "metrics.jsonl";
  write_plain(path, text_of(path) + "{\"kin");
  MetricRows rows(path);
  REQUIRE(rows.take_up(length, sha256));
  rows.cut();
  rows.append({{"kind", "step"}, {"step", 2}, {"epoch", 1}});
  const std::string text =
      "{\"kind\":\"step\",\"step\":1,\"epoch\":1}\n{\"kind\":\"step\",\"step\":2,\"epoch\":1}\n";
  CHECK(text_of(path) == text);
  CHECK(rows.length() == text.size());
  CHECK(rows.sha256() == sha256_hex(text));
  CHECK_FALSE(rows.take_up(1000, sha256));
  CHECK_FALSE(rows.take_up(length + 1, sha256));
  CHECK_FALSE(rows.take_up(length, sha256_hex("other rows")));
  CHECK(rows.sha256() == sha256_hex(text));
}

TEST_CASE("a running whose lock nobody holds was interrupted", "[runs]") {
  CHECK(shown_status(RunStatus::kRunning, false) == "interrupted");
  CHECK(shown_status(RunStatus::kRunning, true) == "running");
  CHECK(shown_status(RunStatus::kStopped, false) == "stopped");
  CHECK(shown_status(RunStatus::kFinished, true) == "finished");
}

int shell(const std::string& command) { return std::system(command.c_str()); }

TEST_CASE("metrics.json fits docs/metrics.schema.json", "[runs]") {
  const TemporaryFolder run;
  Metrics diverged = example();
  diverged.status = RunStatus::kDiverged;
  diverged.history[0]["train/loss"] = kNan;
  diverged.history[0]["validation/accuracy.above_five"] = 0.5;
  example().write(run / "running.json");
  diverged.write(run / "diverged.json");
  finished_example().write(run / "finished.json");
  Metrics wrong = example();
  wrong.history[0]["train/Loss"] = 1;
  wrong.write(run / "wrong.json");
  const std::string validate = schema_python() + " " VITRINE_SOURCE_DIR
                                                 "/scripts/validate_metrics.py " VITRINE_SOURCE_DIR
                                                 "/docs/metrics.schema.json ";
  const std::string folder = run.path().string();
  CHECK(shell(validate + folder + "/running.json " + folder + "/diverged.json " + folder +
              "/finished.json") == 0);
  CHECK(shell(validate + folder + "/wrong.json 2> " + folder + "/violations") != 0);
  CHECK(text_of(run / "violations").find("wrong.json: $.history[0]: 'train/Loss' does not match") !=
        std::string::npos);
}

}  // namespace
}  // namespace vitrine
