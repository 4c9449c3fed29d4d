#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/files/safetensors.h"
#include "framework/files/sealed.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

// Weights and images that do not fit what is asked of them.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("Weights for the test of a run, which has its own, are refused") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"test", "run", "model.weights=run/model.safetensors"}) ==
        "error: command line:1:7: model.weights has no effect: a checkpoint of the run is tested\n"
        "    1 | model.weights=run/model.safetensors\n"
        "      |       ^ --checkpoint chooses among them; a config in the run's place takes "
        "model.weights=FILE\n");
  CHECK(desk.run({"test", "a.yaml", "model.weights=run/model.safetensors"}).code == 0);
}

TEST_CASE("Weights to start from are checked with the config, before data are touched") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "1"}).code == 75);
  const auto refused = [&](const std::string& file, const std::string& reason) {
    CHECK(desk.error(ExitCode::kUsage,
                     {"a.yaml", "--run-dir", "new", "dataset=mnist", "model.weights=" + file}) ==
          "error: command line:1:15: model.weights: " + reason +
              "\n"
              "    1 | model.weights=" +
              file +
              "\n"
              "      |               ^ taken is a run, its model.safetensors, or what runner "
              "export RUN "
              "FILE writes\n");
    CHECK_FALSE(fs::exists(desk / "new"));
  };
  refused("missing.safetensors", "cannot read missing.safetensors: No such file or directory (" +
                                     (desk / "missing.safetensors").string() +
                                     ": a relative path counts from the current folder)");
  refused("run", "run has no model.safetensors: no run that was tested lies there");
  refused("a.yaml", "a.yaml: no safetensors file: it does not begin with the length of a header");
  refused("run/checkpoints/step-00000001.safetensors",
          "run/checkpoints/step-00000001.safetensors is a checkpoint, with all that a run needs to "
          "go on");
}

TEST_CASE("Weights that a run was started from are needed no more once it has a checkpoint") {
  const Desk desk;
  desk.train("first");
  fs::copy_file(desk / "first/model.safetensors", desk / "w.safetensors");
  REQUIRE(
      desk.run({"a.yaml", "model.weights=w.safetensors", "--run-dir", "run", "--stop-after", "2"})
          .code == 75);
  fs::remove(desk / "w.safetensors");
  CHECK(desk.run({"resume", "run"}).err == "");
  CHECK(json_of(desk / "run/metrics.json").at("status") == "finished");
  CHECK(desk.run({"test", "run"}).err == "");
  fs::remove(desk / "run/model.safetensors");
  CHECK(desk.run({"export", "run", "x.safetensors"}).err == "");
}

// The file with the values in the place of the first ones of a tensor.
void spoil(const fs::path& file, const std::string& tensor, const std::vector<float>& values) {
  const std::string bytes = bytes_of(file);
  const auto model = Safetensors::parse(bytes, "model");
  std::vector<TensorView> tensors = model.tensors();
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const TensorView& view) { return view.name == tensor; });
  REQUIRE(found != tensors.end());
  std::string spoiled(found->bytes);
  std::memcpy(spoiled.data(), values.data(), values.size() * sizeof(float));
  found->bytes = spoiled;
  write_plain(file, write_sealed_safetensors(tensors, model.metadata()));
}

// The same for a checkpoint, which stays whole.
void spoil_checkpoint(const fs::path& run, int64_t step, const std::string& tensor) {
  Checkpoint checkpoint = load_checkpoint(checkpoint_file(run / "checkpoints", step));
  for (OwnedTensor& one : checkpoint.tensors) {
    const float nan = std::nanf("");
    if (one.name == tensor) std::memcpy(one.bytes.data(), &nan, sizeof nan);
  }
  save_checkpoint(run / "checkpoints", checkpoint, step);
}

const float kNan = std::nanf(""), kInfinity = INFINITY;
const std::string kCause = ". They are damaged, or of a training that diverged\n";

TEST_CASE("Weights that are not finite are named wherever they are loaded") {
  const Desk desk;
  desk.train("run");
  fs::copy_file(desk / "run/model.safetensors", desk / "w.safetensors");
  for (const char* file : {"run/model.safetensors", "w.safetensors"}) {
    spoil(desk / file, "head.bias", {kNan});
    spoil(desk / file, "tokens.class", {0, kInfinity, -kInfinity});
  }
  desk.write("x.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28, 9)}));
  const std::string rest =
      ": the weights are not finite: head.bias has NaN in 1 of 10 values; tokens.class has "
      "infinity in 2 of 8 values" +
      kCause;
  const auto refused = [&](const std::string& file, const std::vector<std::string>& arguments) {
    CHECK(desk.error(ExitCode::kCheckpoint, arguments) == "error: " + file + rest);
  };
  refused("run/model.safetensors", {"predict", "run", "x.png"});
  refused("run/model.safetensors", {"predict", "run/model.safetensors", "x.png", "--json"});
  refused("run/model.safetensors", {"export", "run", "out.safetensors"});
  refused("run/model.safetensors", {"plot", "positions", "run", "-o", "out.png"});
  refused("w.safetensors", {"test", "a.yaml", "model.weights=w.safetensors"});
  refused("w.safetensors", {"a.yaml", "model.weights=w.safetensors", "--run-dir", "new"});
  refused("w.safetensors", {"a.yaml", "model.weights=w.safetensors", "--dry-run"});
  refused("w.safetensors",
          {"sweep", "a.yaml", "model.weights=w.safetensors", "seed=0,1", "--run-dir", "sweep"});
  for (const char* name : {"out.safetensors", "out.png", "new", "sweep"})
    CHECK_FALSE(fs::exists(desk / name));
}

TEST_CASE("Weights of a checkpoint that are not finite are named and passed over") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "training.ema_decay=0.9", "training.checkpoint.every=1 steps",
                    "training.epochs=2", "--stop-after", "4", "--run-dir", "run"})
              .code == 75);
  desk.write("x.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28, 9)}));
  spoil_checkpoint(desk / "run", 4, "ema/head.bias");
  const std::string unusable =
      "the checkpoint run/checkpoints/step-00000004.safetensors is unusable: the weights are not "
      "finite: ";
  const std::string of_average = unusable + "ema/head.bias has NaN in 1 of 10 values" + kCause;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"test", "run", "--checkpoint", "last"},
           {"predict", "run", "x.png", "--checkpoint", "4"},
           {"export", "run", "out.safetensors", "--checkpoint", "last"}})
    CHECK(desk.error(ExitCode::kCheckpoint, arguments) == "error: " + of_average);
  CHECK(desk.run({"test", "run", "--checkpoint", "best"}).err == "");

  // Without the average the weights themselves are what is looked at.
  spoil_checkpoint(desk / "run", 3, "model/head.bias");
  CHECK(desk.run({"test", "run", "--checkpoint", "3"}).err == "");
  const std::string of_weights = unusable + "model/head.bias has NaN in 1 of 10 values";
  const std::string error = desk.error(ExitCode::kCheckpoint, {"resume", "run"});
  CHECK_THAT(error,
             StartsWith("error: no checkpoint in run/checkpoints is usable:\n  " +
                        of_average.substr(0, of_average.size() - 1) + "\n  the checkpoint "));
  CHECK_THAT(error, Contains("model/head.bias has NaN in 1 of 10 values"));
}

TEST_CASE("A run goes on from the newest checkpoint whose weights are finite") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "training.checkpoint={every: 1 steps, keep: 9}", "training.epochs=2",
                    "--stop-after", "5", "--run-dir", "run"})
              .code == 75);
  spoil_checkpoint(desk / "run", 3, "model/head.bias");
  spoil_checkpoint(desk / "run", 5, "model/head.bias");
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  const auto unusable = [](const std::string& step) {
    return "warning: the checkpoint run/checkpoints/step-0000000" + step +
           ".safetensors is unusable: the weights are not finite: model/head.bias has NaN in "
           "1 of 10 values. They are damaged, or of a training that diverged";
  };
  CHECK(result.err == unusable("5") + "\n" + unusable("3") +
                          "; the best is chosen among the epochs from here on: the run's results "
                          "are no longer exact\n");
  CHECK_THAT(result.out, Contains("going on from step-00000004 (step 4 of 6)\n"));
}

// Finite itself, and far too large for anything that is computed of it to be.
void inflate(const fs::path& file) { spoil(file, "head.weight", std::vector<float>(80, 3e38F)); }

TEST_CASE("A test that is not finite ends as a training that diverged does") {
  const Desk desk;
  desk.train("run");
  fs::copy_file(desk / "run/model.safetensors", desk / "w.safetensors");
  inflate(desk / "w.safetensors");
  for (const char* json : {"--json", "training.batch_size=64"}) {
    const Result result = desk.run({"test", "a.yaml", "model.weights=w.safetensors", json});
    CHECK(result.code == 4);
    CHECK(result.out == "");
    CHECK(
        result.err ==
        "error: w.safetensors: test/loss is NaN: these weights are finite, but of a training that "
        "has diverged\n");
  }
}

TEST_CASE("No learning rate is advised where the first loss is not finite") {
  const Desk desk;
  desk.train("run");
  fs::copy_file(desk / "run/model.safetensors", desk / "w.safetensors");
  inflate(desk / "w.safetensors");
  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", "model.weights=w.safetensors", "--run-dir", "new"}) ==
        "error: the loss is not finite at the first step, before any weight was changed: the "
        "weights that this run starts from (w.safetensors) are of no use for it, whatever the "
        "learning rate\n");
  CHECK(json_of(desk / "new/metrics.json").at("status") == "diverged");
  CHECK(json_of(desk / "new/metrics.json").at("stopped_by") == "diverged");
}

TEST_CASE("An image that is none is refused by predict") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kData, {"predict", "run", "a.yaml"}) ==
        "error: a.yaml: not an image; JPEG, PNG and WebP are read\n");
  CHECK(desk.error(ExitCode::kData, {"predict", "run", "none.png"}) ==
        "error: cannot read none.png: no such file" + desk.counted("none.png") + "\n");
}

TEST_CASE("A model that a layout cannot express is not exported") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"export", "run", "x.safetensors", "--layout", "tutorial"}) ==
        "error: the layout \"tutorial\" has no equal of this model: attention.type is multi_head, "
        "not per_head; final_norm is true, not false\n");
  CHECK_FALSE(fs::exists(desk / "x.safetensors"));
}

}  // namespace
}  // namespace vitrine
