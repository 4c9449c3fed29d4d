#include <algorithm>
#include <filesystem>

#include "framework/files/file.h"
#include "framework/training/inspect.h"
#include "tests/framework/training/tried_run.h"

// Test images that nobody has labelled.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Hears what is said.
class Listener : public Quiet {
 public:
  void message(const std::string& text) override { said += text + "\n"; }
  std::string said;
};

struct Fixture {
  Fixture() {
    std::string train = "label,a,b,c,d\n", test = "a,b,c,d\n";
    for (int i = 0; i < 16; ++i) {
      const std::string pixels = std::to_string(10 * i) + ",0,100," + std::to_string(5 * i) + "\n";
      train += std::to_string(i % 2) + "," + pixels;
      if (i < 5) test += pixels;
    }
    write_plain(folder / "train.csv", train);
    write_plain(folder / "test.csv", test);
    write_plain(folder / "c.yaml",
                "threads: 1\nname: c\n"
                "dataset: {type: csv, train: " +
                    (folder / "train.csv").string() + ", test: " + (folder / "test.csv").string() +
                    ", validation: 4}\n"
                    "model: {type: vit, n_patches: 2, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
                    "training: {epochs: 1, batch_size: 6}\n");
  }
  ConfigSource source(const std::vector<std::string>& overrides = {}) const {
    return {folder / "c.yaml", overrides, {}};
  }
  fs::path run() const { return folder / "run"; }
  Metrics train(const std::vector<std::string>& overrides, Observer& observer) const {
    TrainRequest request;
    request.config = engine().resolve(source(overrides));
    request.run_dir = run();
    must(engine().train(request, observer).code);
    return Metrics::read(run() / "metrics.json");
  }

  TemporaryFolder folder;
};

TEST_CASE_METHOD(
    Fixture, "a run whose test images have no labels trains, and says that it measured nothing") {
  Listener listener;
  const Metrics metrics = train({}, listener);
  CHECK(metrics.status == RunStatus::kFinished);
  CHECK(metrics.dataset.at("test_has_labels") == false);
  CHECK(metrics.dataset.at("test") == 5);
  CHECK(metrics.test.size() == 1);
  CHECK(metrics.test.contains("checkpoint"));
  CHECK(metrics.summary.contains("validation/accuracy"));
  CHECK_FALSE(metrics.summary.contains("test/accuracy"));
  CHECK_FALSE(metrics.metrics.contains("test/accuracy"));
  CHECK(metrics.metrics.contains("validation/accuracy"));
  CHECK_FALSE(fs::exists(run() / "test.json"));
  CHECK(fs::exists(run() / "model.safetensors"));
  CHECK(listener.said.find("4 to validate, 5 to test without labels; 2 classes") !=
        std::string::npos);
  CHECK(listener.said.find(
            "test: nothing to measure: the 5 test images have no labels; runner test " +
            run().string() + " --predictions FILE writes what the model says of them\n") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a test of them is refused, and tells the way") {
  Listener listener;
  train({}, listener);
  const WeightsSource weights = {run(), ""};
  CHECK(message_of(ExitCode::kUsage,
                   [&] {
                     vitrine::test(resolve_tested({run() / "config.yaml", {}, {}}, weights),
                                   weights, listener, {});
                   }) ==
        "the 5 test images have no labels, so there is nothing to measure; --predictions FILE "
        "writes what the model says of them");
}

TEST_CASE_METHOD(Fixture, "what the model says of them is written") {
  Listener listener;
  train({}, listener);
  const WeightsSource weights = {run(), ""};
  const Json told = vitrine::test(resolve_tested({run() / "config.yaml", {}, {}}, weights), weights,
                                  listener, folder / "answers.csv");
  CHECK(told.at("images") == 5);
  CHECK(told.size() == 2);
  const std::string table = read_file(folder / "answers.csv", 1 << 20);
  CHECK(std::count(table.begin(), table.end(), '\n') == 6);
  CHECK(table.substr(0, table.find('\n')) == "image,prediction,probability.0,probability.1");
  const std::string first = table.substr(table.find("\n0,"), 4);
  CHECK((first == "\n0,0" || first == "\n0,1"));
}

TEST_CASE_METHOD(Fixture, "what learns without labels is tested all the same") {
  Listener listener;
  const Metrics metrics = train({"experiment=masked_autoencoder"}, listener);
  CHECK(metrics.test.contains("test/loss"));
  CHECK(metrics.status == RunStatus::kFinished);
}

}  // namespace
}  // namespace vitrine
