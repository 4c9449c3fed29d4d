#include <array>

#include "framework/files/safetensors.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/resumed_run.h"
#include "tests/framework/cli/support.h"

// Tasks of several types, on columns of labels.
namespace vitrine {
namespace {

template <class T, class Make>
std::string bytes(int64_t count, const Make& make) {
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    const T value = static_cast<T>(make(i));
    out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  return out;
}

// Images [n, 8, 8] of which the brightness tells their labels: `kind` is one of three classes, -1
// of every sixth image; `parts` are two labels, `age` is a value, `soft` are shares of three
// classes.
std::string columns_file(int64_t n) {
  const auto level = [](int64_t image) { return image * 37 % 256; };
  const auto pixels = [&](int64_t noise) {
    return bytes<uint8_t>(64 * n, [&](int64_t i) { return (level(i / 64) + i * noise % 5) % 256; });
  };
  const std::string train = pixels(7), test = pixels(8);  // no image stands in both
  const std::string kinds =
      bytes<int8_t>(n, [&](int64_t i) { return i % 6 == 5 ? -1 : level(i) * 3 / 256; });
  const std::string parts =
      bytes<uint8_t>(2 * n, [&](int64_t i) { return level(i / 2) > (i % 2 == 0 ? 64 : 192); });
  const std::string ages =
      bytes<float>(n, [&](int64_t i) { return static_cast<float>(level(i)) / 64; });
  const std::string shares = bytes<double>(3 * n, [&](int64_t i) {
    const double share = static_cast<double>(level(i / 3)) / 256;
    return i % 3 == 0 ? share : i % 3 == 1 ? 0.5 * (1 - share) : 0.5 * (1 - share);
  });
  std::vector<TensorView> tensors;
  for (const std::string set : {"train", "test"}) {
    tensors.push_back({set + "/images", DType::kU8, {n, 8, 8}, set == "train" ? train : test});
    tensors.push_back({set + "/labels/kind", DType::kI8, {n}, kinds});
    tensors.push_back({set + "/labels/parts", DType::kBool, {n, 2}, parts});
    tensors.push_back({set + "/labels/age", DType::kF32, {n}, ages});
    tensors.push_back({set + "/labels/soft", DType::kF64, {n, 3}, shares});
  }
  return write_safetensors(tensors, {});
}

const std::string kColumns = R"(name: columns
threads: 1
dataset:
  type: arrays
  path: d.safetensors
  validation: 24
  class_names: {kind: [dark, grey, light], parts: [edge, spot]}
model:
  type: vit
  n_patches: 2
  hidden_d: 8
  n_heads: 2
  n_blocks: 1
  tasks:
    - {name: kind, column: kind, loss: {type: cross_entropy, ignore_index: -1, class_weights: [1, 2, 3]}}
    - {name: parts, column: parts}
    - {name: age, column: age, loss: huber}
    - {name: soft, column: soft, type: classification, weight: 0.5}
optimizer: {type: adam, lr: 0.01}
training: {epochs: 3, batch_size: 16, accumulate: 2, log_every: 2, ema_decay: 0.9}
)";

struct Columns : Desk {
  Columns() {
    write("d.safetensors", columns_file(96));
    write("c.yaml", kColumns);
  }
};

Json without_times(Json metrics) {
  for (Json& row : metrics["history"]) {
    row.erase("seconds");
    row.erase("images_per_second");
  }
  return {metrics["history"], metrics["test"], metrics["best_by"], metrics["checkpoints"]["best"]};
}

}  // namespace

TEST_CASE("of each column it is told what labels the images of a data set have") {
  const Columns desk;
  const Result result = desk.run({"data", "c.yaml"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, Contains("\n\nage:\nvalue  split ") &&
                             Contains("\nage    validation  0.046875   1.8698  3.3594\n") &&
                             Contains("\n\nkind:\nclass  train  validation  test\n"
                                      "dark      21           7    28\n") &&
                             Contains("\n\nparts:\nclass  train  validation  test\n"
                                      "edge      53          18    71\n"));
  const Json json = Json::parse(desk.run({"data", "c.yaml", "--json"}).out);
  std::vector<std::string> names;
  for (const Json& column : json["columns"]) {
    names.push_back(column["name"]);
    const char* told = names.back() == "kind" || names.back() == "parts" ? "images" : "values";
    CHECK(column[told]["test"].size() == column["names"].size());
  }
  CHECK(names == std::vector<std::string>{"age", "kind", "parts", "soft"});
  int64_t of_kinds = 0;
  for (const Json& count : json["columns"][1]["images"]["test"]) of_kinds += count.get<int64_t>();
  CHECK(of_kinds == 96 - 16);  // every sixth is of none
  REQUIRE(desk.run({"data", "c.yaml", "-o", "page.html"}).code == 0);
  CHECK_THAT(bytes_of(desk / "page.html"), Contains("<h2>Column age</h2>"));
}

TEST_CASE("tasks of every type learn side by side, each with its loss and its usual metric") {
  const Columns desk;
  const Result result = desk.run({"c.yaml", "--run-dir", "run"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(metrics["execution"]["backend"]["value"] == "fused");
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics["test"].items()) {
    if (name.starts_with("test/")) names.push_back(name);
  }
  CHECK(names == std::vector<std::string>{"test/loss", "test/accuracy", "test/loss.kind",
                                          "test/accuracy.kind", "test/loss.parts", "test/f1.parts",
                                          "test/loss.age", "test/mean_absolute_error.age",
                                          "test/loss.soft", "test/accuracy.soft"});
  CHECK(metrics["metrics"]["test/mean_absolute_error.age"] == Json{{"goal", "min"}, {"unit", ""}});
  CHECK(metrics["metrics"]["test/loss.age"]["unit"] == "");
  CHECK(metrics["metrics"]["test/loss.kind"]["unit"] == "nats");
  CHECK(metrics["metrics"]["test/loss"]["unit"] == "");
  const Json tasks = json_of(desk / "run/test.json")["tasks"];
  int64_t of_kind = 0;
  for (const Json& row : tasks["kind"]["classes"]) of_kind += row["images"].get<int64_t>();
  CHECK(of_kind == 80);  // those that count
  for (const Json& each : tasks["kind"]["worst"]) CHECK(each["index"].get<int64_t>() % 6 != 5);
  CHECK(tasks["parts"]["type"] == "multi_label");
  CHECK(tasks["parts"]["labels"][0]["name"] == "edge");
  CHECK(tasks["parts"]["labels"][0]["images"].get<int64_t>() > 48);
  CHECK(tasks["age"]["type"] == "regression");
  CHECK(tasks["age"]["worst"][0]["error"] >= tasks["age"]["worst"][1]["error"]);
  CHECK(tasks["age"]["worst"][0]["target"]["age"].is_number());
  CHECK(tasks["soft"]["confusion"].size() == 3);

  const Result test = desk.run({"test", "run"});
  CHECK(test.code == 0);
  CHECK_THAT(test.out, Contains("\nlabel  images  recall"));
  CHECK_THAT(test.out, Contains("age: loss "));
  CHECK_THAT(test.out, Contains(", mean_absolute_error "));
  CHECK(desk.run({"report", "run", "-o", "page.html"}).code == 0);
  CHECK_THAT(bytes_of(desk / "page.html"), Contains("Each label"));
  CHECK(desk.run({"compare", "run"}).code == 0);
}

TEST_CASE("tasks of every type are exact in a run that was stopped and resumed") {
  const Columns desk;
  const auto start = [&](const std::string& run, std::vector<std::string> more) {
    more.insert(more.begin(), {"c.yaml", "--run-dir", run,
                               "training.best_by=validation/mean_absolute_error.age"});
    return desk.run(more).code;
  };
  REQUIRE(start("whole", {}) == 0);
  for (const char* step : {"1", "3", "7"}) {
    const std::string run = std::string("stopped_") + step;
    REQUIRE(start(run, {"--stop-after", step}) == 75);
    REQUIRE(desk.run({"resume", run}).code == 0);
    CHECK(without_times(json_of(desk / run / "metrics.json")) ==
          without_times(json_of(desk / "whole/metrics.json")));
    CHECK(bytes_of(desk / run / "model.safetensors") == bytes_of(desk / "whole/model.safetensors"));
  }
}

TEST_CASE("predict answers with labels and values") {
  const Columns desk;
  REQUIRE(desk.run({"c.yaml", "--run-dir", "run"}).code == 0);
  desk.write("image.png", encode_png({8, 8, 1, std::vector<uint8_t>(64, 250)}));
  const Result json = desk.run({"predict", "run", "image.png", "--json"});
  REQUIRE(json.code == 0);
  const Json tasks = Json::parse(json.out)[0]["tasks"];
  REQUIRE(tasks.size() == 4);
  CHECK(tasks[0]["probabilities"].size() == 3);
  CHECK(tasks[1]["labels"].is_array());
  CHECK(tasks[1]["probabilities"]["edge"].is_number());
  CHECK(tasks[1]["probabilities"]["spot"].is_number());
  CHECK(tasks[2] == Json{{"task", "age"}, {"values", {{"age", tasks[2]["values"]["age"]}}}});
  CHECK(tasks[3]["class"].is_string());
  const Result text = desk.run({"predict", "run/model.safetensors", "image.png"});
  CHECK_THAT(text.out, StartsWith("image      task   answer"));
  for (const auto& [task, label, predicted] :
       std::vector<std::array<std::string, 3>>{{"age", "2.312", "[-0-9.e]+"},
                                               {"parts", "edge", "[a-z, ]+"},
                                               {"kind", "grey", "dark|grey|light"}}) {
    const Result plot = desk.run(
        {"plot", "attention", "run", "--images", "4", "--task", task, "-o", task + ".json"});
    INFO(plot.err);
    REQUIRE(plot.code == 0);
    const Json image = json_of(desk / (task + ".json"))["images"][0];
    CHECK(image["label"] == label);
    CHECK(std::regex_match(image["predicted"].get<std::string>(), std::regex(predicted)));
    CHECK(image["probability"].is_number() == (task == "kind"));
  }
}

TEST_CASE("one task of values is trained and judged as such, and told as it is") {
  const Columns desk;
  desk.write("age.yaml", "base: c.yaml\nname: age\nmodel: {tasks: []}\n");
  const Result result = desk.run({"age.yaml", "--run-dir", "run"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, Contains("\ntest: loss "));
  CHECK_THAT(result.out, Contains(", mean_absolute_error "));
  const Json metrics = json_of(desk / "run/metrics.json");
  CHECK(metrics["config"]["loss"]["type"] == "mse");
  CHECK(metrics["best_by"] == "validation/mean_absolute_error");
  CHECK_THAT(desk.run({"status", "run"}).out, Matches("[^%]* 0\\.[0-9]{4} +0\\.[0-9]{4}\n"));
  REQUIRE(desk.run({"resume", "run", "training.epochs=4"}).code == 0);
}

TEST_CASE("the config of a digit and its value runs") {
  const Desk desk;
  const Result result = desk.run({VITRINE_SOURCE_DIR "/configs/vit_digit_value.yaml", "--run-dir",
                                  "run", "dataset.train=512", "dataset.test=64",
                                  "dataset.validation=64", "training.epochs=1"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  const Json test = json_of(desk / "run/metrics.json")["test"];
  CHECK(test.contains("test/accuracy.digit"));
  CHECK(test.contains("test/r2.value"));
  CHECK_FALSE(test.contains("test/accuracy.value"));
}

TEST_CASE("a metric is counted of the task that it names") {
  const Desk desk;
  const std::string tasks = "model.tasks=[{name: digit}, {name: big, target: {above: 4}}]";
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", tasks,
                    "training.metrics=[{type: f1, task: big}, {type: top_k, k: 3, task: digit}]"})
              .code == 0);
  const Json test = json_of(desk / "run/metrics.json")["test"];
  CHECK(test.contains("test/f1.big"));
  CHECK(test.contains("test/top_3.digit"));
  CHECK_FALSE(test.contains("test/top_3.big"));
  CHECK(desk.error(ExitCode::kUsage,
                   {"a.yaml", tasks, "training.metrics=[{type: f1, task: small}]"}) ==
        "error: command line:1:19: training.metrics.0: there is no task small; there are digit, "
        "big\n"
        "    1 | training.metrics=[{type: f1, task: small}]\n"
        "      |                   ^\n");
}

TEST_CASE("what does not go together is refused before data are touched") {
  const Columns desk;
  const auto refused = [&](const std::string& override) {
    const std::string text = desk.error(ExitCode::kUsage, {"c.yaml", override});
    return text.substr(0, text.find('\n'));
  };
  const std::string tasks = "error: command line:1:";
  CHECK(refused("model.tasks=[{name: a, column: kinds}]") ==
        tasks +
            "32: model.tasks.0: there is no column kinds of labels; there are age, kind, parts, "
            "soft");
  CHECK(refused("model.tasks=[{name: a, column: kind, type: multi_label}]") ==
        tasks +
            "44: model.tasks.0: type: the column kind has classes, of which an image has one: "
            "classification, or regression of their numbers");
  CHECK(refused("model.tasks=[{name: a, column: parts, type: regression}]") ==
        tasks +
            "45: model.tasks.0: type: the column parts has labels, of which an image may have "
            "several: multi_label");
  CHECK(refused("model.tasks=[{name: a, column: age, type: classification}]") ==
        tasks + "43: model.tasks.0: type: the column age has one value: regression");
  CHECK(refused("model.tasks=[{name: a, column: soft, type: multi_label}]") ==
        tasks +
            "44: model.tasks.0: type: the column soft has values: regression, or "
            "classification where they are shares of classes");
  CHECK(refused("model.tasks=[{name: a, column: age, target: {above: 1}}]") ==
        tasks +
            "45: model.tasks.0: target: above and one_of ask for one of several classes, and "
            "the task is regression of the column age");
  CHECK(refused("model.tasks=[{name: a, column: age, head: softmax}]") ==
        tasks +
            "43: model.tasks.0.head: softmax gives probabilities of classes, and the task a is "
            "regression");
  CHECK(refused("model.tasks=[{name: a, column: age, loss: focal}]") ==
        tasks +
            "43: model.tasks.0.loss: focal is for classification, and the task a is "
            "regression; for regression there are huber, mse");
  desk.write("d.yaml", "base: c.yaml\nmodel: {tasks: [{name: a, column: age}]}\n");
  CHECK_THAT(desk.error(ExitCode::kUsage, {"d.yaml", "loss=focal"}),
             StartsWith("error: command line:1:6: loss: focal is for classification, and the task "
                        "a is regression; for regression there are huber, mse\n"));
  CHECK_THAT(desk.error(ExitCode::kUsage, {"d.yaml", "training.metrics=[top_k]"}),
             StartsWith("error: command line:1:19: training.metrics.0: top_k is for "
                        "classification, and the task a is regression; for regression there are "
                        "mean_absolute_error, mean_squared_error, r2, root_mean_squared_error\n"));
}

TEST_CASE("a label that is of no class and that no loss ignores is a mistake of the data") {
  const Columns desk;
  CHECK(desk.error(ExitCode::kData, {"c.yaml", "model.tasks.0.loss=focal"}) ==
        "error: d.safetensors: label -1 of training image 5 in the column kind is below 0\n");
}

TEST_CASE(
    "an experiment that predicts nothing takes images without a class, and measures by others") {
  const Desk desk;
  const int64_t n = 24;  // of which every third has no label
  const auto label = [](int64_t i) { return i % 3 == 2 ? -1 : i % 2; };
  const std::string pixels =
      bytes<uint8_t>(64 * n, [&](int64_t i) { return label(i / 64) == 1 ? 200 + i % 9 : i % 64; });
  const std::string labels = bytes<int8_t>(n, label);
  std::vector<TensorView> tensors;
  for (const std::string set : {"train", "test"}) {
    tensors.push_back({set + "/images", DType::kU8, {n, 8, 8}, pixels});
    tensors.push_back({set + "/labels", DType::kI8, {n}, labels});
  }
  desk.write("d.safetensors", write_safetensors(tensors, {}));
  desk.write("b.yaml",
             "dataset: {type: arrays, path: d.safetensors, class_names: [no, yes]}\n"
             "model: {type: vit, n_patches: 2, hidden_d: 8, n_heads: 2, n_blocks: 1}\n"
             "training: {epochs: 1, batch_size: 8}\n");
  CHECK(desk.error(ExitCode::kData, {"b.yaml"}) ==
        "error: d.safetensors: label -1 of training image 2 is below 0\n");
  CHECK(desk.run({"b.yaml", "experiment=masked_autoencoder", "--run-dir", "m"}).code == 0);
  const Result result = desk.run({"b.yaml", "experiment=contrastive", "experiment.neighbours=1",
                                  "dataset.transforms=[random_shift]", "--run-dir", "c"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  // Both sets are the same: a labelled image's nearest neighbour is itself.
  const Json test = json_of(desk / "c" / "metrics.json").at("test");
  CHECK(test.at("test/knn_accuracy") == 1.0);
  CHECK(test.at("test/probe_accuracy") == 1.0);
}

TEST_CASE("an experiment that predicts needs labels") {
  const Desk desk;
  const std::string pixels(16 * 8, '\x10');
  desk.write("d.safetensors", write_safetensors({{"train/images", DType::kU8, {8, 4, 4}, pixels},
                                                 {"test/images", DType::kU8, {8, 4, 4}, pixels}},
                                                {}));
  desk.write("b.yaml",
             "base: a.yaml\ndataset: {type: arrays, path: d.safetensors, validation: 2}\n");
  CHECK_THAT(desk.error(ExitCode::kUsage, {"b.yaml"}),
             Contains("dataset: it has no labels, and the experiment classification learns to "
                      "predict them"));
  CHECK(desk.run({"b.yaml", "experiment=masked_autoencoder", "--run-dir", "run",
                  "training.batch_size=4"})
            .code == 0);
}

}  // namespace vitrine
