#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/runs/checkpoint.h"
#include "tests/framework/cli/support.h"

// What the options of training do, as their user sees it.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
seed: 3
threads: 1
backend: layers
dataset: {type: digits, train: 96, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 2, batch_size: 16}
)";

class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kConfig) {}

  // metrics.json of small.yaml, trained with these overrides in the folder `name`.
  Json train(const std::string& name, std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"small.yaml", "--run-dir", name});
    const Result result = run(overrides);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return json_of(*this / name / "metrics.json");
  }
  // All values of the weights that the run tested.
  std::vector<double> weights(const std::string& name) const {
    std::vector<double> out;
    const auto file = Safetensors::load(*this / name / "model.safetensors", 1 << 20);
    for (const TensorView& tensor : file.tensors()) {
      for (size_t i = 0; i < tensor.bytes.size(); i += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, tensor.bytes.data() + i, sizeof value);
        out.push_back(value);
      }
    }
    return out;
  }
};

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

// The values of `key` in the rows of an epoch or a step, as metrics.json has them.
std::vector<double> column(const Json& metrics, const std::string& key) {
  std::vector<double> out;
  for (const Json& row : metrics.at("history")) out.push_back(row.at(key));
  return out;
}

TEST_CASE("early stopping ends training once nothing has improved for `patience` epochs") {
  const Folder folder;
  // With a rate of 0 no epoch improves on the first.
  const Json still = folder.train("still", {"optimizer={type: sgd, lr: 0}", "training.epochs=9",
                                            "training.early_stopping={patience: 2}"});
  CHECK(column(still, "epoch") == std::vector<double>{1, 2, 3});
  CHECK(still.at("status") == "finished");
  CHECK(folder.run({"resume", "still"}).code == 0);
  CHECK(json_of(folder / "still/metrics.json").at("history") == still.at("history"));

  // A loss that falls by less than min_delta has not improved.
  const std::string patience = "training.early_stopping={patience: 1, min_delta: ";
  const Json better = folder.train("better", {"training.epochs=4", patience + "0}"});
  const auto losses = column(better, "validation/loss");
  REQUIRE(losses.size() == 4);
  for (size_t i = 1; i < losses.size(); ++i) REQUIRE(losses[i] < losses[i - 1]);
  const Json slow = folder.train("slow", {"training.epochs=4", patience + "10}"});
  CHECK(column(slow, "validation/loss") == std::vector<double>(losses.begin(), losses.begin() + 2));
}

TEST_CASE("clip_norm is the longest step that a gradient can make") {
  const Folder folder;
  const std::vector<std::string> one = {"dataset.validation=0", "training.max_steps=1"};
  const auto train = [&](const std::string& name, std::vector<std::string> overrides) {
    overrides.insert(overrides.end(), one.begin(), one.end());
    return column(folder.train(name, overrides), "train/grad_norm").at(0);
  };
  const double norm = train("start", {"optimizer={type: sgd, lr: 0}"});
  REQUIRE(norm > 0.2);
  train("free", {"optimizer={type: sgd, lr: 1}"});
  const double clipped =
      train("clipped", {"optimizer={type: sgd, lr: 1}", "training.clip_norm=0.125"});
  train("loose", {"optimizer={type: sgd, lr: 1}", "training.clip_norm=1000"});
  const auto start = folder.weights("start");
  CHECK(std::abs(distance(folder.weights("free"), start) - norm) < 1e-4 * norm);
  CHECK(std::abs(distance(folder.weights("clipped"), start) - 0.125) < 1e-5);
  CHECK(folder.weights("loose") == folder.weights("free"));
  CHECK(clipped == norm);  // what is recorded is the norm before clipping
}

TEST_CASE("overfit_batches trains on the first batches alone") {
  const Folder folder;
  const Json few = folder.train(
      "few", {"dataset.validation=0", "training.overfit_batches=2", "training.epochs=3"});
  CHECK(column(few, "step") == std::vector<double>{2, 4, 6});
  // 2 batches of 16: what a data set of these 32 images gives.
  const Json same =
      folder.train("same", {"dataset.validation=0", "dataset.limit_train=32", "training.epochs=3"});
  CHECK(column(few, "train/loss") == column(same, "train/loss"));
  CHECK(folder.weights("few") == folder.weights("same"));
}

TEST_CASE("what is tested and saved is the best by validation, not the last") {
  const Folder folder;
  folder.train("run", {"training.epochs=3"});
  // An epoch with an absurd rate undoes what was learned.
  const Result result = folder.run({"resume", "run", "training.epochs=4", "optimizer.lr=10"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  const Json metrics = json_of(folder / "run/metrics.json");
  const auto accuracies = column(metrics, "validation/accuracy");
  REQUIRE(accuracies.size() == 4);
  size_t best = 0;
  for (size_t i = 1; i < 4; ++i) {
    const auto losses = column(metrics, "validation/loss");
    const bool better = accuracies[i] > accuracies[best] ||
                        (accuracies[i] == accuracies[best] && losses[i] < losses[best]);
    if (better) best = i;
  }
  REQUIRE(best < 3);
  const std::string name =
      checkpoint_file("", 4 * (static_cast<int64_t>(best) + 1)).stem().string();
  CHECK(metrics.at("checkpoints").at("best") == name);
  CHECK(metrics.at("summary").at("validation/accuracy") == accuracies[best]);
  CHECK(metrics.at("summary").at("validation/loss") == column(metrics, "validation/loss")[best]);
  CHECK(metrics.at("checkpoints").at("last") == "step-00000016");
  CHECK(metrics.at("test").at("checkpoint") == name);
  const auto loss_of = [&](const std::string& checkpoint) -> double {
    return Json::parse(folder.run({"test", "run", "--json", "--checkpoint", checkpoint}).out)
        .at("test/loss");
  };
  CHECK(metrics.at("test").at("test/loss") == loss_of("best"));
  CHECK(loss_of("last") > loss_of("best"));
  const auto tested = Safetensors::load(folder / "run/model.safetensors", 1 << 20);
  const auto kept =
      Safetensors::load(folder / "run/checkpoints" / (name + ".safetensors"), 1 << 20);
  for (const TensorView& tensor : tested.tensors()) {
    if (tensor.name.starts_with("program.")) continue;  // no weight
    INFO(tensor.name);
    const TensorView* same = kept.find("model/" + tensor.name);
    REQUIRE(same);
    CHECK(same->bytes == tensor.bytes);
  }
}

TEST_CASE("digits are neither trivial nor hopeless for the tutorial's model") {
  const TemporaryFolder folder;
  const fs::path configs = fs::path(VITRINE_SOURCE_DIR) / "configs";
  const Result result = runner({configs / "vit_mnist_logits.yaml", "--run-dir", "run",
                                "dataset={type: digits, train: 20000, test: 5000}"},
                               folder.path());
  INFO(result.err);
  REQUIRE(result.code == 0);
  const Json metrics = json_of(folder / "run/metrics.json");
  CHECK(metrics.at("history").size() == 5);
  const double accuracy = metrics.at("test").at("test/accuracy");
  CHECK(accuracy >= 0.70);
  CHECK(accuracy <= 0.97);
}

TEST_CASE("every experiment trains, stops, goes on, and leaves a model that can be used") {
  const Folder folder;
  const Json experiments = Json::parse(folder.run({"list", "experiment", "--json"}).out);
  REQUIRE_FALSE(experiments.empty());
  folder.train("teacher", {});
  // What some of them need besides.
  const std::map<std::string, std::string> more = {
      {"contrastive", "dataset.transforms=[{type: random_shift}]"},
      {"distillation", "experiment.teacher=teacher"}};
  for (const Json& experiment : experiments) {
    const std::string name = experiment.at("name"), parts = name + "-parts";
    CAPTURE(name);
    const std::string besides = more.contains(name) ? more.at(name) : "note=nothing";
    const Json whole = folder.train(name, {"experiment=" + name, besides});
    const auto losses = column(whole, "train/loss");
    CHECK(losses.back() < losses.front());
    REQUIRE(folder
                .run({"small.yaml", "experiment=" + name, besides, "--run-dir", parts,
                      "--stop-after", "3"})
                .code == 75);
    CHECK(folder.run({"resume", parts}).code == 0);
    CHECK(folder.weights(parts) == folder.weights(name));
    const Result test = folder.run({"test", parts, "--json"});
    REQUIRE(test.code == 0);
    CHECK(Json::parse(test.out).at("test/loss") == whole.at("test").at("test/loss"));
  }
}

TEST_CASE("a second runner in a directory is kept out, and the first goes on undisturbed") {
  const Folder folder;
  const fs::path run = folder / "run";
  Process first(runner_command({"small.yaml", "--run-dir", "run", "training.epochs=100000"}),
                folder.path(), {});
  for (int i = 0; i < 10'000 && !fs::exists(run / "metrics.json"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(fs::exists(run / "metrics.json"));
  const std::string owner = Process::read(run / ".lock");
  CHECK_THAT(owner, StartsWith("process " + std::to_string(first.id()) + ", since "));
  const Result second = folder.run({"resume", "run"});
  CHECK(second.code == 1);
  CHECK(second.err == "error: another runner (" + owner.substr(0, owner.find('\n')) +
                          ") is working in run; wait for it or use another --run-dir\n");
  first.send(SIGTERM);
  CHECK(first.wait().code == 143);
  CHECK(json_of(run / "metrics.json").at("status") == "stopped");
  const int64_t step = checkpoint_steps(run / "checkpoints").back();
  CHECK(folder.run({"resume", "run", "--stop-after", std::to_string(step + 1)}).code == 75);
}

}  // namespace
}  // namespace vitrine
