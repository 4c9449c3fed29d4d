#include <cmath>
#include <cstring>

#include "framework/files/png.h"
#include "framework/files/safetensors.h"
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
              "      |               ^ taken is the model.safetensors of a run, or what runner "
              "export RUN FILE writes\n");
    CHECK_FALSE(fs::exists(desk / "new"));
  };
  refused("missing.safetensors", "cannot read missing.safetensors: No such file or directory");
  refused("run", "cannot read run: it is a directory");
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

// The model with NaN in the place of its first weight.
void spoil(const fs::path& file) {
  const std::string bytes = bytes_of(file);
  const auto model = Safetensors::parse(bytes, "model");
  std::vector<TensorView> tensors = model.tensors();
  std::string first(tensors[0].bytes);
  const float nan = std::nanf("");
  std::memcpy(first.data(), &nan, sizeof nan);
  tensors[0].bytes = first;
  write_plain(file, write_safetensors(tensors, model.metadata()));
}

TEST_CASE("Weights that are not finite have no answers") {
  const Desk desk;
  desk.train("run");
  spoil(desk / "run/model.safetensors");
  desk.write("x.png", encode_png({28, 28, 1, std::vector<uint8_t>(28 * 28, 9)}));
  const std::string rest =
      ": its answer to x.png is no finite number: the weights are damaged, or of a training that "
      "diverged\n";
  CHECK(desk.error(ExitCode::kCheckpoint, {"predict", "run", "x.png"}) ==
        "error: run/model.safetensors" + rest);
  const Result json = desk.run({"predict", "run/model.safetensors", "x.png", "--json"});
  CHECK(json.code == 5);
  CHECK(json.out == "");
  CHECK(json.err == "error: run/model.safetensors" + rest);
}

TEST_CASE("An image that is none is refused by predict") {
  const Desk desk;
  desk.train("run");
  CHECK(desk.error(ExitCode::kData, {"predict", "run", "a.yaml"}) ==
        "error: a.yaml: not a PNG image\n");
  CHECK(desk.error(ExitCode::kData, {"predict", "run", "none.png"}) ==
        "error: cannot read none.png: No such file or directory\n");
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
