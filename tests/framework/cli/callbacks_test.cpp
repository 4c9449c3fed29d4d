#include "framework/files/safetensors.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// The list `callbacks`, and the keys of `training` that are short for one.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> weights_in(const fs::path& run) {
  const Safetensors file = Safetensors::load(run / "model.safetensors", 1 << 20);
  std::map<std::string, std::string> out;
  for (const TensorView& tensor : file.tensors()) {
    const bool is_of_program = tensor.name.starts_with("program.");  // and no weight
    if (!is_of_program) out[tensor.name] = tensor.bytes;
  }
  return out;
}

// Two epochs of a run that starts from another one, whose block is frozen.
class FrozenDesk : public Desk {
 public:
  FrozenDesk() {
    train("first");
    write("f.yaml",
          "base: a.yaml\n"
          "model: {weights: {file: first, freeze: [blocks.*, head.weight]}}\n"
          "optimizer: {type: adamw, lr: 0.01, weight_decay: 0.1}\n"
          "training: {epochs: 3, ema_decay: 0.5, log_every: 2, checkpoint: {every: 1 steps}}\n");
  }
  Result start(const std::string& name, std::vector<std::string> more) const {
    more.insert(more.begin(), {"f.yaml", "--run-dir", name});
    return run(more);
  }
};

constexpr const char* kUnfreeze =
    "callbacks=[{type: unfreeze, modules: [blocks.0.mlp.*, head.*], epoch: 2}, {type: unfreeze, "
    "modules: [blocks.0.norm1.*], epoch: 3}]";

void stop_after_every_step(const FrozenDesk& desk, const std::vector<std::string>& options,
                           int64_t steps) {
  REQUIRE(desk.start("whole", options).err == "");
  std::vector<std::string> stopped = options;
  stopped.insert(stopped.end(), {"--stop-after", "1"});
  REQUIRE(desk.start("parts", stopped).code == 75);
  for (int64_t step = 2; step <= steps; ++step) {
    const Result result = desk.run({"resume", "parts", "--stop-after", std::to_string(step)});
    INFO(result.err);
    REQUIRE(result.code == (step < steps ? 75 : 0));
  }
  check_equal(desk / "parts", desk / "whole");
}

TEST_CASE("parts of a frozen model are trained from their epochs on, to the same bits resumed") {
  const FrozenDesk desk;
  const std::string backend = GENERATE("backend=fused", "backend=layers");
  INFO(backend);
  stop_after_every_step(desk, {kUnfreeze, backend}, 9);
  const auto before = weights_in(desk / "first"), after = weights_in(desk / "whole");
  for (const auto& [name, bytes] : after) {
    CAPTURE(name);
    const bool is_frozen =
        name.starts_with("blocks.0.attention") || name.starts_with("blocks.0.norm2");
    CHECK((bytes == before.at(name)) == is_frozen);
  }
}

TEST_CASE("until their epoch frozen parts keep their bits, whatever the optimizer") {
  const FrozenDesk desk;
  for (const char* optimizer : {"sgd", "adamw", "lamb"}) {
    INFO(optimizer);
    const std::string type = std::string("optimizer={type: ") + optimizer + ", weight_decay: 0.1}";
    REQUIRE(desk.start(optimizer, {kUnfreeze, type, "--stop-after", "3"}).code == 75);
    const fs::path file = checkpoint_file(desk / optimizer / "checkpoints", 3);
    const auto first = weights_in(desk / "first");
    for (const OwnedTensor& tensor : load_checkpoint(file).tensors) {
      CAPTURE(tensor.name);
      for (const std::string prefix : {"model/", "ema/"}) {
        if (!tensor.name.starts_with(prefix)) continue;
        const std::string name = tensor.name.substr(prefix.size());
        const bool is_frozen = name.starts_with("blocks.") || name == "head.weight";
        CHECK((tensor.bytes == first.at(name)) == is_frozen);
      }
    }
  }
}

TEST_CASE("until then a run is the one that does not unfreeze") {
  const FrozenDesk desk;
  REQUIRE(desk.start("with", {kUnfreeze, "--stop-after", "3"}).code == 75);
  REQUIRE(desk.start("without", {"--stop-after", "3"}).code == 75);
  const auto weights = [&](const std::string& run) {
    std::map<std::string, std::string> out;
    for (const OwnedTensor& tensor :
         load_checkpoint(checkpoint_file(desk / run / "checkpoints", 3)).tensors) {
      if (tensor.name.starts_with("model/")) out[tensor.name] = tensor.bytes;
    }
    return out;
  };
  CHECK(weights("with") == weights("without"));
}

TEST_CASE("what cannot be unfrozen is refused") {
  const FrozenDesk desk;
  const auto refused = [&](const std::string& callbacks) {
    return desk.error(ExitCode::kUsage, {"f.yaml", "--run-dir", "no", "callbacks=" + callbacks});
  };
  CHECK(
      refused("[{type: unfreeze, modules: [block.*]}]") ==
      "error: command line:1:38: callbacks.0: \"block.*\" fits no parameter; frozen are blocks.*, "
      "head.weight\n"
      "    1 | callbacks=[{type: unfreeze, modules: [block.*]}]\n"
      "      |                                      ^\n");
  CHECK_THAT(refused("[{type: unfreeze, modules: [embedding.*]}]"),
             Contains("callbacks.0: \"embedding.*\" names what is not frozen; frozen are blocks.*, "
                      "head.weight\n"));
  CHECK_THAT(refused("[{type: unfreeze, modules: [blocks.*], epoch: 4}]"),
             Contains("callbacks.0: epoch (4) lies beyond the run, which has 3\n"));
  CHECK_THAT(refused("[{type: unfreeze, modules: [blocks.*], epoch: 1}]"),
             Contains("callbacks.0.epoch: expected a whole number at least 2, got 1\n"));
  CHECK_THAT(refused("[unfreeze]"),
             Contains("callbacks.0: modules: which frozen parameters, such as [blocks.3.*]?\n"));
  CHECK_THAT(refused("[{type: unfreeze, modules: [blocks.*]}, {type: unfreeze, modules: "
                     "[blocks.0.mlp.*], epoch: 3}]"),
             Contains("callbacks.1: blocks.0.mlp.fc1.weight is trained later by callbacks.0 "
                      "already\n"));
  CHECK_THAT(
      desk.error(ExitCode::kUsage, {"a.yaml", "callbacks=[{type: unfreeze, modules: [blocks.*]}]"}),
      Contains("callbacks.0: nothing is frozen: model.weights.freeze says what is\n"));
}

TEST_CASE("two callbacks that are alike, or test other weights both, are refused") {
  const Desk desk;
  CHECK_THAT(desk.refused("callbacks=[weight_average, weight_average]"),
             Contains("callbacks.1: weight_average stands there twice\n"));
  CHECK_THAT(desk.refused("callbacks=[weight_average, {type: weight_average, decay: 0.5}]"),
             Contains("callbacks.1: callbacks.0 already says what is tested in place of the "
                      "weights\n"));
  CHECK(desk.error(ExitCode::kUsage,
                   {"a.yaml", "training.ema_decay=0.5", "callbacks=[weight_average]"}) ==
        "error: command line:1:12: callbacks.0: training.ema_decay already says what is tested in "
        "place of the weights\n"
        "    1 | callbacks=[weight_average]\n"
        "      |            ^\n");
  CHECK_THAT(desk.refused("callbacks=[weight_avrage]"),
             Contains("callbacks.0: unknown callback \"weight_avrage\"\n"));
  CHECK_THAT(desk.refused("loggers=[csv, csv]"), Contains("loggers.1: csv stands there twice\n"));
}

TEST_CASE("a key that is short for a callback computes what the callback does") {
  const Desk desk;
  const auto train = [&](const std::string& name, const std::string& option) {
    REQUIRE(desk.run({"a.yaml", "training.epochs=6", option, "--run-dir", name}).err == "");
  };
  train("short", "training.ema_decay=0.5");
  train("long", "callbacks=[{type: weight_average, decay: 0.5}]");
  CHECK(weights_in(desk / "short") == weights_in(desk / "long"));
  const std::string stopping = "metric: validation/accuracy, patience: 2, min_delta: 0.5}";
  train("stopped", "training.early_stopping={" + stopping);
  const Result result = desk.run({"a.yaml", "training.epochs=6", "--run-dir", "ended",
                                  "callbacks=[{type: early_stopping, " + stopping + "]"});
  CHECK_THAT(result.out,
             Contains("\nearly stopping after epoch 3 of 6: validation/accuracy has not improved "
                      "by more than 0.5 for 2 epochs, since epoch 1 ("));
  CHECK(weights_in(desk / "stopped") == weights_in(desk / "ended"));
  CHECK(json_of(desk / "ended/metrics.json").at("stopped_by") == "early_stopping");
  CHECK_THAT(desk.run({"resume", "ended"}).out, StartsWith("ended is finished\n"));
}

TEST_CASE("early stopping in the list goes by a metric of validation") {
  const Desk desk;
  CHECK_THAT(desk.refused("callbacks=[{type: early_stopping, metric: validation/acc}]"),
             Contains("callbacks.0: metric: expected one of validation/accuracy, validation/loss, "
                      "got validation/acc; training.metrics says what is counted\n"));
  CHECK_THAT(desk.error(ExitCode::kUsage,
                        {"a.yaml", "dataset.validation=0", "callbacks=[early_stopping]"}),
             Contains("callbacks.0: there is no validation split (dataset.validation)\n"));
}

TEST_CASE("early stopping in the list is exact when it is resumed") {
  const FrozenDesk desk;
  stop_after_every_step(desk,
                        {"training.epochs=6",
                         "callbacks=[{type: early_stopping, metric: validation/accuracy, patience: "
                         "2, min_delta: 0.5}]"},
                        9);
}

TEST_CASE("a run under way takes other options of its callbacks, marked, and no other callbacks") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "training.epochs=3", "--run-dir", "run", "--stop-after", "4",
                    "callbacks=[{type: weight_average, decay: 0.5}]"})
              .code == 75);
  const std::string before = bytes_of(desk / "run/metrics.json");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "callbacks=[]"}) ==
        "error: run/config.yaml: callbacks cannot change in a run under way; start a new run for "
        "it\n");
  CHECK(bytes_of(desk / "run/metrics.json") == before);
  CHECK_THAT(desk.run({"resume", "run", "callbacks.0.decay=0.6"}).err,
             StartsWith("warning: callbacks is [{\"type\":\"weight_average\",\"decay\":0.6}] from "
                        "step 4 on, was [{\"type\":\"weight_average\",\"decay\":0.5}]: this run's "
                        "results are no longer exact\n"));
}

}  // namespace
}  // namespace vitrine
