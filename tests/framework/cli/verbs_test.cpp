#include <algorithm>
#include <cmath>
#include <set>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/images/encode.h"
#include "framework/runs/checkpoint.h"
#include "tests/framework/cli/support.h"
#include "tests/schema_python.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
seed: 3
threads: 1
dataset: {type: digits, train: 96, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 2, batch_size: 16, checkpoint: {every: 2 steps, keep: 2}}
)";

// The tutorial's parts, whose weights the layout "tutorial" can hold.
constexpr const char* kTutorial = R"(name: tutorial
threads: 1
dataset: {type: digits, train: 64, test: 64}
model: {type: vit, n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2, attention: per_head,
        final_norm: false, head: softmax}
training: {epochs: 1, batch_size: 32}
)";

// A folder in which small.yaml was run, into run/.
class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kConfig) {
    const Result result = run({"small.yaml", "--run-dir", "run"});
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
};

void write_png(const fs::path& path, int64_t side, int64_t channels, uint8_t value) {
  const auto size = static_cast<size_t>(side * side * channels);
  write_plain(path, encode_png({side, side, channels, std::vector<uint8_t>(size, value)}));
}

TEST_CASE("status tells how a run stands") {
  const Folder folder;
  const Json metrics = json_of(folder / "run/metrics.json");
  const Json rows = Json::parse(folder.run({"status", "run", "--json"}).out);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].at("run") == "run");
  CHECK(rows[0].at("status") == "finished");
  CHECK(rows[0].at("epoch") == 2);
  CHECK(rows[0].at("epochs") == 2);
  CHECK(rows[0].at("step") == 8);
  CHECK(rows[0].at("train/loss") == metrics.at("history")[1].at("train/loss"));
  CHECK(rows[0].at("test/accuracy") == metrics.at("test").at("test/accuracy"));
  CHECK(rows[0].at("exact") == true);

  const Result text = folder.run({"status", "run"});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("run  status    epoch  step  loss    best validation  test\n"
                                  "run  finished  2/2       8  "));

  // A run whose process is gone although its file says that it is running was killed.
  Json killed = metrics;
  killed["status"] = "running";
  killed["finished"] = nullptr;
  write_plain(folder / "run/metrics.json", killed.dump());
  CHECK(Json::parse(folder.run({"status", "run", "--json"}).out)[0].at("status") == "interrupted");

  const Result missing = folder.run({"status", "rum"});
  CHECK(missing.code == 2);
  CHECK(missing.err == "error: rum is no run: there is no such directory" +
                           counted_from(folder.path(), "rum") + "; runs near it: ./run\n");
}

TEST_CASE("metrics.json tells goal and unit of every value") {
  const Folder folder;
  const Json metrics = json_of(folder / "run/metrics.json");
  std::set<std::string> names;
  for (const Json* values :
       {&metrics.at("history")[0], &metrics.at("test"), &metrics.at("summary")}) {
    for (const auto& [name, value] : values->items()) names.insert(name);
  }
  for (const char* place : {"epoch", "step", "checkpoint"}) names.erase(place);
  std::set<std::string> told;
  for (const auto& [name, info] : metrics.at("metrics").items()) told.insert(name);
  CHECK(told == names);
  CHECK(metrics.at("metrics").at("seconds").dump() == R"({"goal":"min","unit":"seconds"})");
}

TEST_CASE("status reads a run of any age") {
  const Folder folder;
  // Killed before its first metrics.json.
  fs::create_directory(folder / "early");
  fs::copy_file(folder / "run/config.yaml", folder / "early/config.yaml");
  const Json early = Json::parse(folder.run({"status", "early", "--json"}).out)[0];
  CHECK(early.at("status") == "interrupted");
  CHECK(early.at("name") == "small");
  CHECK(early.at("epochs") == 2);
  CHECK(early.at("step") == 0);

  REQUIRE(folder.run({"small.yaml", "--run-dir", "stopped", "--stop-after", "3"}).code == 75);
  const Json stopped = Json::parse(folder.run({"status", "stopped", "--json"}).out)[0];
  CHECK(stopped.at("status") == "stopped");
  CHECK(stopped.at("epoch") == 0);
  CHECK(stopped.at("step") == 3);
}

TEST_CASE("test repeats what the run measured") {
  const Folder folder;
  const Json expected = json_of(folder / "run/metrics.json").at("test");
  const auto test = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"test", "run", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result result = folder.run(arguments);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return Json::parse(result.out);
  };
  for (const Json& result : {test({}), test({"--checkpoint", "best"})}) {
    CHECK(result.at("test/loss") == expected.at("test/loss"));
    CHECK(result.at("test/accuracy") == expected.at("test/accuracy"));
    CHECK(result.at("checkpoint") == expected.at("checkpoint"));
    CHECK(result.at("images") == 64);
  }
  CHECK(test({"--checkpoint", "last"}).at("checkpoint") == "step-00000008");
  CHECK(test({"--checkpoint", "8"}).at("checkpoint") == "step-00000008");

  const Result unknown = folder.run({"test", "run", "--checkpoint", "3"});
  CHECK(unknown.code == 2);
  std::string steps;
  for (int64_t step : checkpoint_steps(folder / "run/checkpoints")) {
    steps += (steps.empty() ? "" : ", ") + std::to_string(step);
  }
  CHECK_THAT(unknown.err,
             EndsWith("run: there is no checkpoint \"3\"; there are best, last and the steps " +
                      steps + "\n"));
}

TEST_CASE("predict agrees with the probabilities of test.json") {
  const Folder folder;
  const Json worst = json_of(folder / "run/test.json").at("tasks").at("class").at("worst")[0];
  const std::string file = "run/" + worst.at("file").get<std::string>();
  const Result result = folder.run({"predict", "run", file, "--json"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  const Json answers = Json::parse(result.out);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].at("image") == file);
  const Json task = answers[0].at("tasks")[0];
  CHECK(task.at("class") == worst.at("predicted"));
  const double probability = task.at("probability"), measured = worst.at("probability");
  CHECK(std::abs(probability - measured) < 1e-5);
  double sum = 0;
  for (const auto& [name, value] : task.at("probabilities").items()) sum += value.get<double>();
  CHECK(std::abs(sum - 1) < 1e-5);
  CHECK(task.at("probabilities").size() == 10);
}

TEST_CASE("predict takes colour and other sizes") {
  const Folder folder;
  write_png(folder / "grey.png", 28, 1, 128);
  write_png(folder / "colour.png", 28, 3, 128);
  write_png(folder / "large.png", 40, 3, 128);
  const Result result =
      folder.run({"predict", "run", "grey.png", "colour.png", "large.png", "--json"});
  CHECK(result.code == 0);
  const std::string blank = ": all its pixels are the same: there is nothing to see\n";
  CHECK(result.err == "warning: grey.png" + blank + "warning: colour.png" + blank +
                          "warning: large.png: scaled from 40 x 40 to the model's 28 x 28\n" +
                          "warning: large.png" + blank);
  const Json answers = Json::parse(result.out);
  CHECK(answers[1].at("tasks") == answers[0].at("tasks"));
  CHECK(answers[2].at("tasks") == answers[0].at("tasks"));
  write_plain(folder / "no.png", "not a PNG");
  const Result broken = folder.run({"predict", "run", "no.png"});
  CHECK(broken.code == 3);
  CHECK_THAT(broken.err, StartsWith("error: no.png: "));
}

TEST_CASE("show tells where every value came from") {
  const Folder folder;
  const Result result = folder.run({"show", "small.yaml", "optimizer.lr=0.5"});
  CHECK(result.code == 0);
  CHECK_THAT(
      result.out,
      StartsWith("name: small  # small.yaml:1:7\nseed: 3  # small.yaml:2:7\nreplicate: [seed]  # "
                 "default\ndevice: auto  # default; here cpu: no GPU is here\n"));
  CHECK_THAT(result.out, Contains("  lr: 0.5  # command line\n"));
  CHECK_THAT(result.out,
             Contains("\nbackend: auto  # default; here fused: the model can be recorded, "
                      "and is faster than in layers\n"));
  const Json json = Json::parse(folder.run({"show", "small.yaml", "--json"}).out);
  CHECK(json.at("config").at("model").at("hidden_d") == 8);
  CHECK(json.at("model").at("parameters") ==
        json_of(folder / "run/metrics.json").at("model").at("parameters"));
}

TEST_CASE("list names kinds, components and options") {
  const TemporaryFolder folder;
  const auto list = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "list");
    return runner(arguments, folder.path());
  };
  const std::string all = list({}).out;
  for (const char* kind :
       {"attention\n", "\ndataset\n", "\nmodel\n", "\noptimizer\n", "\ntransform\n"}) {
    CHECK_THAT(all, Contains(kind));
  }
  CHECK(
      list({"optimizer"}).out ==
      "optimizer\n"
      "  adam     steps scaled by running moments of the gradient\n"
      "  adamw    Adam with weight decay apart from the gradient\n"
      "  lamb     Adam with steps in proportion to the norm of each parameter, for large batches\n"
      "  lion     steps of one size, along the sign of the running mean of the gradient\n"
      "  rmsprop  steps divided by the running size of the gradient\n"
      "  sgd      gradient descent with momentum\n");
  CHECK_THAT(list({"optimizer", "sgd"}).out,
             StartsWith("optimizer sgd: gradient descent with momentum\n"
                        "from experiments/optimizer/sgd.cpp:"));
  const Json json = Json::parse(list({"optimizer", "sgd", "--json"}).out);
  CHECK(json.at("options")[0] == Json({{"name", "lr"},
                                       {"type", "number at least 0"},
                                       {"default", "0.001"},
                                       {"help", "learning rate"}}));
  const Result kind = list({"optimzer"});
  CHECK(kind.code == 2);
  CHECK_THAT(
      kind.err,
      StartsWith(
          "error: there is no kind \"optimzer\" (did you mean optimizer?); there are attention, "));
  const Result name = list({"optimizer", "sdg"});
  CHECK(name.code == 2);
  CHECK(name.err ==
        "error: there is no optimizer \"sdg\" (did you mean sgd?); there are adam, adamw, lamb, "
        "lion, rmsprop, sgd\n");
}

TEST_CASE("the schema of configs accepts a resolved config and refuses an unknown key") {
  const Folder folder;
  const Result result = folder.run({"schema"});
  CHECK(result.code == 0);
  CHECK(Json::parse(result.out).at("type") == "object");
  const std::string python = schema_python();
  const std::string validator = VITRINE_SOURCE_DIR "/scripts/validate_metrics.py";
  write_plain(folder / "schema.json", result.out);
  Json config = json_of(folder / "run/metrics.json").at("config");
  write_plain(folder / "good.json", config.dump());
  config["trianing"] = 1;
  write_plain(folder / "bad.json", config.dump());
  const Result good =
      Process({python, validator, "schema.json", "good.json"}, folder.path(), {}).wait();
  CHECK(good.err == "");
  CHECK(good.code == 0);
  CHECK(Process({python, validator, "schema.json", "bad.json"}, folder.path(), {}).wait().code ==
        1);
}

TEST_CASE("metrics.json of real runs follows its schema") {
  const Folder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "stopped", "--stop-after", "5"}).code == 75);
  REQUIRE(folder
              .run({"small.yaml", "--run-dir", "tasks", "dataset.validation=0",
                    "model.tasks=[{name: digit, target: label}, {name: above_five, target: {above: "
                    "5}}]"})
              .code == 0);
  REQUIRE(folder
              .run({"small.yaml", "--run-dir", "diverged", "optimizer={type: sgd, lr: 1e38}",
                    "training.log_every=1"})
              .code == 4);
  std::vector<std::string> command = {schema_python(),
                                      VITRINE_SOURCE_DIR "/scripts/validate_metrics.py",
                                      VITRINE_SOURCE_DIR "/docs/metrics.schema.json"};
  for (const char* run : {"run", "stopped", "tasks", "diverged"}) {
    command.push_back(run + std::string("/metrics.json"));
  }
  const Result result = Process(command, folder.path(), {}).wait();
  CHECK(result.err == "");
  CHECK(result.code == 0);
}

TEST_CASE("export writes the names of the layout") {
  const TemporaryFolder folder;
  write_plain(folder / "tutorial.yaml", kTutorial);
  REQUIRE(runner({"tutorial.yaml", "--run-dir", "run"}, folder.path()).code == 0);
  const auto names = [&](const std::string& layout) {
    const Result result =
        runner({"export", "run", layout + ".safetensors", "--layout", layout}, folder.path());
    CHECK(result.out == "wrote " + layout + ".safetensors in the layout " + layout + "\n");
    std::vector<std::string> out;
    const auto file = Safetensors::load(folder / (layout + ".safetensors"), 1 << 20);
    for (const auto& tensor : file.tensors()) out.push_back(tensor.name);
    std::sort(out.begin(), out.end());
    return out;
  };
  std::vector<std::string> golden;
  const auto file = Safetensors::load(
      VITRINE_SOURCE_DIR "/tests/golden/tutorial_seed0_initial.safetensors", 1 << 20);
  for (const auto& tensor : file.tensors()) golden.push_back(tensor.name);
  std::sort(golden.begin(), golden.end());
  CHECK(names("tutorial") == golden);
  const auto native = names("native");
  for (const char* name : {"tokens.class", "blocks.0.norm1.weight", "blocks.1.norm2.bias"}) {
    CHECK(std::count(native.begin(), native.end(), name) == 1);
  }
  const Result unknown =
      runner({"export", "run", "x.safetensors", "--layout", "keras"}, folder.path());
  CHECK(unknown.code == 2);
  CHECK_FALSE(fs::exists(folder / "x.safetensors"));
}

TEST_CASE("a dry run leaves nothing") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  const Result result = runner({"small.yaml", "--dry-run"}, folder.path());
  CHECK(result.code == 0);
  CHECK_THAT(result.out,
             EndsWith("dry run: config, data, model, one step and a test of 64 images are sound; "
                      "nothing was kept\n"));
  CHECK(folder.count() == 1);
}

TEST_CASE("--json prints one object for a program to read") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  const Result result = runner({"small.yaml", "--run-dir", "run", "--json"}, folder.path());
  CHECK(result.code == 0);
  const Json json = Json::parse(result.out);
  CHECK(json.at("run") == "run");
  CHECK(json.at("exit_code") == 0);
  CHECK(json.at("summary") == json_of(folder / "run/metrics.json").at("summary"));
}

TEST_CASE("every verb has help") {
  const TemporaryFolder folder;
  CHECK(runner({"-h"}, folder.path()).code == 0);
  for (const char* verb : {"train", "resume", "status", "test", "predict", "show", "list", "schema",
                           "plot", "export"}) {
    const Result result = runner({verb, "-h"}, folder.path());
    INFO(verb);
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("-h,--help"));
    CHECK(result.err == "");
  }
}

TEST_CASE("a log file gets neither colours nor carriage returns") {
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  for (const char* no_color : {"", "1"}) {
    const std::string run = std::string("run") + no_color;
    const Result good =
        runner({"small.yaml", "--run-dir", run}, folder.path(), {{"NO_COLOR", no_color}});
    const Result bad = runner({"small.yaml", "sede=1"}, folder.path(), {{"NO_COLOR", no_color}});
    CHECK(bad.code == 2);
    for (const std::string& text :
         {good.out, good.err, bad.out, bad.err, bytes_of(folder / run / "log.txt")}) {
      CHECK(text.find_first_of("\033\r") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace vitrine
