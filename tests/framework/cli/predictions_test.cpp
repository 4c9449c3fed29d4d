#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "framework/files/csv.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"
#include "tests/small_disk.h"

// The table of what a model answers to each test image.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

using Table = std::vector<std::vector<std::string>>;

Table table_in(const fs::path& file) {
  const std::string text = bytes_of(file);
  CsvReader reader(text, "p.csv");
  Table out;
  std::vector<std::string_view> cells;
  while (reader.next(cells)) out.emplace_back(cells.begin(), cells.end());
  return out;
}

TEST_CASE("each test image has a line: what it is, what it is taken for, and every probability") {
  const Desk desk;
  const bool has_layers = GENERATE(false, true);
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", has_layers ? "backend=layers" : "backend=fused"})
              .code == 0);
  desk.write("p.csv", "of before");
  const Result result = desk.run({"test", "run", "--predictions", "p.csv"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, EndsWith("\nwrote p.csv: 64 images\n"));
  const Table table = table_in(desk / "p.csv");
  REQUIRE(table.size() == 65);
  CHECK_THAT(bytes_of(desk / "p.csv"),
             StartsWith("image,label,prediction,probability.0,probability.1,probability.2,"
                        "probability.3,probability.4,probability.5,probability.6,probability.7,"
                        "probability.8,probability.9\n0,"));
  int64_t right = 0;
  for (size_t i = 1; i < table.size(); ++i) {
    const std::vector<std::string>& line = table[i];
    REQUIRE(line.size() == 13);
    CHECK(line[0] == std::to_string(i - 1));
    right += line[1] == line[2] ? 1 : 0;
    double sum = 0, most = 0;
    for (size_t k = 3; k < 13; ++k) {
      sum += std::stod(line[k]);
      most = std::max(most, std::stod(line[k]));
    }
    CHECK(std::abs(sum - 1) < 1e-5);
    CHECK(std::stod(line[3 + std::stoul(line[2])]) == most);
  }
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(static_cast<double>(right) / 64 == metrics["test"]["test/accuracy"].get<double>());
  const Json test = json_of(desk / "run/test.json");
  for (const Json& worst : test["tasks"]["class"]["worst"]) {
    const auto& line = table.at(worst["index"].get<size_t>() + 1);
    CHECK(line[1] == worst["target"]);
    CHECK(line[2] == worst["predicted"]);
  }
}

TEST_CASE("photos are named by their files, held or read one by one") {
  const ConfigFolder folder(
      "name: small\n"
      "dataset: {type: folder, path: photos, size: 8, validation: 0}\n"
      "model: {type: vit, n_patches: 2, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
      "training: {epochs: 1, batch_size: 4}\n");
  for (int i = 0; i < 12; ++i) {
    const fs::path place =
        folder / "photos" / (i < 8 ? "train" : "test") / (i % 2 ? "a \"big\" cat" : "dog, small");
    fs::create_directories(place);
    std::vector<uint8_t> pixels;
    for (int k = 0; k < 3 * 8 * 8; ++k) pixels.push_back(static_cast<uint8_t>(i * 20 + k % 7));
    write_plain(place / (std::to_string(i) + ".png"), encode_png({8, 8, 3, pixels}));
  }
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run"}).code == 0);
  for (const char* memory : {"resident", "stream"}) {
    const Result result = folder.run({"test", "run", "--predictions", memory + std::string(".csv"),
                                      "dataset.memory=" + std::string(memory)});
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  const std::string text = bytes_of(folder / "resident.csv");
  CHECK(text == bytes_of(folder / "stream.csv"));
  CHECK_THAT(text, StartsWith("image,label,prediction,\"probability.a \"\"big\"\" cat\","
                              "\"probability.dog, small\"\n\"") &&
                       Contains("/photos/test/a \"\"big\"\" cat/11.png\",\"a \"\"big\"\" cat\","));
  const Table table = table_in(folder / "stream.csv");
  REQUIRE(table.size() == 5);
  CHECK(table[1][0] == (folder / "photos/test/a \"big\" cat/11.png").string());
  CHECK(table[3][0] == (folder / "photos/test/dog, small/10.png").string());
  CHECK(table[4][1] == "dog, small");
}

TEST_CASE("several tasks have columns of their own, and values have no probabilities") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run",
                    "model.tasks=[{name: digit, loss: {type: cross_entropy, ignore_index: 3}}, "
                    "{name: value, type: regression, weight: 0.1}]"})
              .code == 0);
  REQUIRE(desk.run({"test", "run", "--predictions", "p.csv"}).code == 0);
  const Table table = table_in(desk / "p.csv");
  REQUIRE(table.size() == 65);
  std::string heading;
  for (const std::string& cell : table[0]) heading += cell + " ";
  CHECK(heading ==
        "image digit.label digit.prediction digit.probability.0 digit.probability.1 "
        "digit.probability.2 digit.probability.3 digit.probability.4 digit.probability.5 "
        "digit.probability.6 digit.probability.7 digit.probability.8 digit.probability.9 "
        "value.value value.prediction ");
  int64_t without = 0;
  for (size_t i = 1; i < table.size(); ++i) {
    const std::string &label = table[i][1], &value = table[i][13];
    CHECK(label == (value == "3" ? "" : value));
    without += label.empty() ? 1 : 0;
  }
  CHECK(without > 0);
}

TEST_CASE("nothing else is written over by a table of predictions") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"test", "run", "--predictions", "a.yaml"}) ==
        "error: --predictions a.yaml: a table of comma-separated values, so its name ends in "
        ".csv\n");
  fs::create_directory(desk / "run/csv");
  desk.write("run/csv/epochs.csv", "mine");
  CHECK(desk.error(ExitCode::kUsage, {"test", "run", "--predictions", "run/csv/epochs.csv"}) ==
        "error: run/csv/epochs.csv belongs to the run " + (desk / "run").string() +
            " and is not written over; choose another name\n");
  CHECK(desk.error(ExitCode::kFailed, {"test", "run", "--predictions", "none/p.csv"}) ==
        "error: cannot write none/p.csv: No such file or directory\n");
  REQUIRE(desk.run({"a.yaml", "--run-dir", "mae", "experiment=masked_autoencoder",
                    "model={type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2, tasks: "
                    "[]}"})
              .code == 0);
  CHECK(desk.error(ExitCode::kUsage, {"test", "mae", "--predictions", "p.csv"}) ==
        "error: --predictions: there are none: the model predicts nothing\n");
  CHECK_FALSE(fs::exists(desk / "p.csv"));
}

TEST_CASE("a table of predictions is whole or not there: a full disk, Ctrl-C") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "dataset.test=20000"}).code == 0);
  fs::create_directory(desk / "disk");
  const SmallDisk disk(desk / "disk", 100);
  if (disk.mounted()) {
    CHECK(desk.error(ExitCode::kFailed, {"test", "run", "--predictions", "disk/p.csv"}) ==
          "error: cannot write disk/p.csv: No space left on device\n");
    CHECK(fs::is_empty(desk / "disk"));
  }
  fs::create_directory(desk / "out");
  Process process(runner_command({"test", "run", "--predictions", "out/p.csv"}), desk.folder(),
                  isolated(desk.folder()));
  while (fs::is_empty(desk / "out") && !has_ended(process)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  process.send(SIGINT);
  const Result result = process.wait();
  CHECK(result.code == 130);
  CHECK(result.out == "stopped before the test was done\n");
  CHECK(fs::is_empty(desk / "out"));
}

TEST_CASE("of many classes test shows those of the lowest recall, and --json all") {
  const Desk desk;
  std::string table = "label,a,b,c,d\n";
  for (int i = 0; i < 75; ++i)
    table += fmt::format("{},{},{},{},{}\n", i % 25, i, 3 * i, 255 - i, 7 * i % 256);
  desk.write("t.csv", table);
  desk.write("b.yaml",
             "threads: 1\ndataset: {type: csv, train: t.csv, test: t.csv}\n"
             "model: {type: vit, n_patches: 2, hidden_d: 8, n_heads: 2, n_blocks: 1}\n"
             "training: {epochs: 2, batch_size: 25}\n");
  REQUIRE(desk.run({"b.yaml", "--run-dir", "run"}).code == 0);
  const Result result = desk.run({"test", "run"});
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out,
             Contains("\n20 of 25 classes, those of the lowest recall; --json prints all\n"));
  const Json told = Json::parse(desk.run({"test", "run", "--json"}).out);
  std::vector<double> recalls;
  for (const Json& row : told["tasks"]["class"]["classes"])
    recalls.push_back(row["recall"].get<double>());
  REQUIRE(recalls.size() == 25);
  std::sort(recalls.begin(), recalls.end());
  recalls.resize(20);
  std::vector<double> shown;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, images, recall;
    if (words >> name >> images >> recall && images == "3")
      shown.push_back(std::stod(recall) / 100);
  }
  REQUIRE(shown.size() == 20);
  for (size_t i = 0; i < 20; ++i) CHECK(std::abs(shown[i] - recalls[i]) < 1e-4);
}

}  // namespace
}  // namespace vitrine
