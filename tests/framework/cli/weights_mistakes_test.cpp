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
