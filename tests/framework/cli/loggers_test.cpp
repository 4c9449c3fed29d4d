#include <fmt/format.h>

#include <cmath>
#include <set>

#include "framework/files/records.h"
#include "framework/files/wire_format.h"
#include "framework/images/decode.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// What loggers leave, and that they never stand in a run's way.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<WireField> fields_of(std::string_view message) { return wire_fields(message).value(); }

// The field of a message, or nothing.
std::string_view bytes_at(std::string_view message, int number) {
  for (const WireField& field : fields_of(message)) {
    if (field.number == number) return field.bytes;
  }
  return {};
}
double real_at(std::string_view message, int number) {
  for (const WireField& field : fields_of(message)) {
    if (field.number == number) return field.real();
  }
  return NAN;
}

// A value of an event file.
struct Told {
  std::string file, tag;
  int64_t step = 0;
  std::optional<double> scalar;
  std::string value;  // the message Summary.Value
};

std::vector<Told> told_in(const fs::path& folder) {
  std::vector<Told> out;
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    const std::string bytes = bytes_of(file);
    std::string_view rest = bytes;
    while (const auto record = take_record(rest)) {
      Told told;
      told.file = file.filename();
      std::string_view summary;
      for (const WireField& field : fields_of(*record)) {
        if (field.number == 2) told.step = static_cast<int64_t>(field.integer);
        if (field.number == 5) summary = field.bytes;
      }
      for (const WireField& value : fields_of(summary)) {
        told.value = value.bytes;
        told.tag = bytes_at(value.bytes, 1);
        told.scalar.reset();
        for (const WireField& field : fields_of(value.bytes)) {
          if (field.number == 2) told.scalar = field.single();
        }
        out.push_back(told);
      }
    }
    CHECK(rest.empty());
  }
  return out;
}

// The scalars, a line each: "20 train/loss 0.5".
std::set<std::string> scalars_in(const fs::path& folder) {
  std::set<std::string> out;
  for (const Told& told : told_in(folder)) {
    if (!told.scalar) continue;
    const std::string line = std::to_string(told.step) + " " + told.tag;
    // Times are told once as well.
    const bool is_time = told.tag == "seconds" || told.tag == "images_per_second";
    CHECK(out.insert(is_time ? line : line + " " + std::to_string(*told.scalar)).second);
  }
  return out;
}

// The same, of the rows of a run.
std::set<std::string> scalars_of_rows(const fs::path& run, const std::string& kind) {
  std::set<std::string> out;
  for (const auto& row : read_rows(run / "metrics.jsonl")) {
    if (row.at("kind") != kind) continue;
    for (const auto& [name, value] : row.items()) {
      if (name == "kind" || name == "epoch" || name == "step") continue;
      const std::string line = row.at("step").dump() + " " + name;
      const bool is_time = name == "seconds" || name == "images_per_second";
      out.insert(is_time ? line
                         : line + " " + std::to_string(static_cast<float>(value.get<double>())));
    }
  }
  return out;
}

constexpr const char* kBoth = "loggers=[tensorboard, csv]";

TEST_CASE("TensorBoard is told the worst images of each task, whatever its type") {
  const Desk desk;
  const Result result =
      desk.run({"a.yaml", "loggers=[tensorboard]", "--run-dir", "run",
                "model.tasks=[{name: digit}, {name: value, type: regression, weight: 0.1}]"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  REQUIRE(desk.run({"export", "run", "out", "--to", "tensorboard"}).code == 0);
  const Json worst = json_of(desk / "run/test.json")["tasks"]["value"]["worst"][0];
  const std::string row = fmt::format(
      "| number | index | is | taken for | error |\n|---|---|---|---|---|\n| 1 | {} | {:.4g} | "
      "{:.4g} | {:.4f} |\n",
      worst["index"].get<int64_t>(), worst["target"]["label"].get<double>(),
      worst["predicted"]["label"].get<double>(), worst["error"].get<double>());
  for (const char* folder : {"run/tensorboard", "out"}) {
    CAPTURE(folder);
    std::map<std::string, std::vector<Told>> by_tag;
    for (const Told& value : told_in(desk / folder)) by_tag[value.tag].push_back(value);
    CHECK(by_tag.at("test/worst.digit").size() == 2);
    REQUIRE(by_tag.at("test/worst.value").size() == 2);
    const std::string_view text = bytes_at(bytes_at(by_tag.at("test/worst.value")[1].value, 8), 8);
    CHECK_THAT(std::string(text), StartsWith(row));
  }
}

TEST_CASE("TensorBoard is told each row, the config, histograms, images and hyperparameters") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", kBoth, "training.epochs=2", "training.log_every=2",
                    "optimizer.lr=0.01", "--run-dir", "run"})
              .err == "");
  const fs::path folder = desk / "run/tensorboard";
  CHECK(scalars_in(folder / "steps") == scalars_of_rows(desk / "run", "step"));
  const auto rows = scalars_of_rows(desk / "run", "epoch"), told = scalars_in(folder);
  for (const std::string& line : rows) CHECK(told.contains(line));
  CHECK(told.size() == rows.size() + 2);  // the test's

  std::map<std::string, std::vector<Told>> by_tag;
  for (const Told& value : told_in(folder)) by_tag[value.tag].push_back(value);
  REQUIRE(by_tag.at("weights/head.weight").size() == 2);
  CHECK(by_tag.at("weights/head.weight")[1].step == 6);
  CHECK(by_tag.at("gradients/head.weight").size() == 2);
  CHECK(real_at(bytes_at(by_tag.at("weights/head.weight")[0].value, 5), 3) == 80);
  const std::string_view text = bytes_at(bytes_at(by_tag.at("config")[0].value, 8), 8);
  CHECK_THAT(std::string(text), StartsWith("    name: small\n") && Contains("\n      lr: 0.01\n"));
  // PNG in an image, whose first pixel is that of the worst image.
  REQUIRE(by_tag.at("test/worst").size() == 2);
  const Image image =
      decode_image(bytes_at(bytes_at(by_tag.at("test/worst")[0].value, 4), 4), "worst");
  CHECK(image.width == 8 * 28 + 7);
  CHECK(image.height == 8 * 28 + 7);
  const Json worst = json_of(desk / "run/test.json")["tasks"]["class"]["worst"];
  const auto middle_of = [&](const Json& one) {
    const std::string file = one["file"];
    return decode_image(bytes_of(desk / "run" / file), file).pixels[14 * 28 + 14];
  };
  CHECK(image.pixels[static_cast<size_t>(14 * image.width + 14)] == middle_of(worst[0]));
  CHECK(image.pixels[static_cast<size_t>((29 + 14) * image.width + 29 + 14)] ==
        middle_of(worst[9]));

  std::map<std::string, std::string> values;
  const std::string_view start = bytes_at(
      bytes_at(bytes_at(bytes_at(by_tag.at("_hparams_/session_start_info")[0].value, 9), 1), 2), 3);
  for (const WireField& field : fields_of(start)) {
    if (field.number != 1) continue;
    const std::string_view value = bytes_at(field.bytes, 2);
    const WireField first = fields_of(value).at(0);
    values[std::string(bytes_at(field.bytes, 1))] =
        first.number == 2 ? std::to_string(first.real()) : std::string(first.bytes);
  }
  CHECK(values.at("optimizer.lr") == "0.010000");
  CHECK(values.at("dataset") == "digits");
  CHECK(values.at("training.epochs") == "2.000000");
  CHECK_FALSE(values.contains("name"));
  CHECK_FALSE(values.contains("loggers"));
  CHECK(by_tag.at("_hparams_/session_end_info").size() == 1);
}

TEST_CASE("csv holds the rows as tables") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", kBoth, "training.log_every=2", "--run-dir", "run"}).err == "");
  const auto rows = read_rows(desk / "run/metrics.jsonl");
  std::string steps = "epoch,step,train/loss,train/accuracy,train/grad_norm,learning_rate\n";
  for (size_t i : {0, 1}) {
    steps += std::string();
    for (const char* key : {"epoch", "step", "train/loss", "train/accuracy", "train/grad_norm"})
      steps += rows[i].at(key).dump() + ",";
    steps += rows[i].at("learning_rate").dump() + "\n";
  }
  CHECK(bytes_of(desk / "run/csv/steps.csv") == steps);
  CHECK_THAT(bytes_of(desk / "run/csv/epochs.csv"),
             StartsWith("epoch,step,train/loss,train/accuracy,train/grad_norm,validation/loss,"
                        "validation/accuracy,seconds,images_per_second,learning_rate\n1,3,"));
}

// Without the columns of times.
std::string without_times_of(const std::string& table) {
  return std::regex_replace(table, std::regex(",[^,]*,[^,]*(,[^,\n]*\n)"), "$1");
}

void check_same_told(const Desk& desk, const std::string& run, const std::string& whole) {
  for (const char* part : {"tensorboard", "tensorboard/steps"})
    CHECK(scalars_in(desk / run / part) == scalars_in(desk / whole / part));
  CHECK(bytes_of(desk / run / "csv/steps.csv") == bytes_of(desk / whole / "csv/steps.csv"));
  CHECK(without_times_of(bytes_of(desk / run / "csv/epochs.csv")) ==
        without_times_of(bytes_of(desk / whole / "csv/epochs.csv")));
  const auto tags = [&](const std::string& name) {
    std::multiset<std::pair<std::string, int64_t>> out;
    for (const Told& told : told_in(desk / name / "tensorboard")) out.insert({told.tag, told.step});
    return out;
  };
  CHECK(tags(run) == tags(whole));
}

TEST_CASE("a run that is stopped after every step, killed or taken further tells no step twice") {
  const Desk desk;
  const std::vector<std::string> options = {kBoth, "training.epochs=2", "training.log_every=2",
                                            "training.checkpoint.every=2 steps"};
  const auto start = [&](const std::string& run, std::vector<std::string> more) {
    more.insert(more.begin(), options.begin(), options.end());
    more.insert(more.begin(), {"a.yaml", "--run-dir", run});
    return desk.run(more);
  };
  REQUIRE(start("whole", {}).code == 0);
  REQUIRE(start("parts", {"--stop-after", "1"}).code == 75);
  for (int step = 2; step <= 6; ++step)
    desk.run({"resume", "parts", "--stop-after", std::to_string(step)});
  check_equal(desk / "parts", desk / "whole");
  check_same_told(desk, "parts", "whole");

  REQUIRE(start("further", {"training.epochs=1"}).code == 0);
  REQUIRE(desk.run({"resume", "further", "training.epochs=2"}).code == 0);
  check_same_told(desk, "further", "whole");
  REQUIRE(start("cut", {"training.max_steps=5"}).code == 0);  // within an epoch
  REQUIRE(desk.run({"resume", "cut", "training.max_steps=null"}).code == 0);
  check_same_told(desk, "cut", "whole");

  // As if killed behind step 5, with half a record and half a line.
  REQUIRE(start("killed", {"--stop-after", "5"}).code == 75);
  fs::remove(desk / "killed/checkpoints/step-00000005.safetensors");
  for (const auto& entry : fs::directory_iterator(desk / "killed/tensorboard")) {
    if (entry.is_regular_file()) AppendFile(entry.path()).append(framed_record("x").substr(0, 9));
  }
  AppendFile(desk / "killed/csv/steps.csv").append("2,5");
  REQUIRE(desk.run({"resume", "killed"}).code == 0);
  check_same_told(desk, "killed", "whole");
}

TEST_CASE("loggers are no part of the results: they come and go, exactly") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "training.epochs=2", "--run-dir", "plain"}).code == 0);
  REQUIRE(desk.run({"a.yaml", "training.epochs=2", "loggers=[csv]", "--run-dir", "run",
                    "--stop-after", "2"})
              .code == 75);
  REQUIRE(desk.run({"resume", "run", "loggers=[tensorboard]", "--stop-after", "4"}).err == "");
  const Result result = desk.run({"resume", "run", "loggers=[]"});
  CHECK(result.err == "");
  CHECK(bytes_of(desk / "run/model.safetensors") == bytes_of(desk / "plain/model.safetensors"));
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(metrics.at("exact") == true);
  CHECK(metrics.at("changes").empty());
  CHECK_THAT(desk.run({"compare", "run", "plain"}).out, !Contains("loggers"));
}

TEST_CASE("a logger that cannot write says so once, and the run goes on") {
  const Desk desk;
  fs::create_directory(desk / "run");
  desk.write("run/tensorboard", "no folder");
  desk.write("run/csv", "");
  const Result result = desk.run({"a.yaml", kBoth, "training.epochs=2", "--run-dir", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: loggers: tensorboard: cannot create run/tensorboard: Not a directory; the run "
        "goes on without it\n"
        "warning: loggers: csv: cannot create run/csv: Not a directory; the run goes on without "
        "it\n");
  CHECK_THAT(bytes_of(desk / "run/log.txt"), Contains("warning: loggers: tensorboard: "));
  REQUIRE(desk.run({"a.yaml", "training.epochs=2", "--run-dir", "plain"}).code == 0);
  CHECK(bytes_of(desk / "run/model.safetensors") == bytes_of(desk / "plain/model.safetensors"));
}

}  // namespace
}  // namespace vitrine
