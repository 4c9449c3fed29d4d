// export RUN model.onnx
#include "tests/framework/cli/support.h"
#include "tests/framework/onnx/read_onnx.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

ReadOnnx onnx_of(const fs::path& file) { return read_onnx(bytes_of(file)); }

TEST_CASE("export writes a run's model as ONNX, and says what it takes and gives") {
  const Desk desk;
  REQUIRE(
      desk.run({"a.yaml", "dataset.transforms=[{type: normalize, mean: 0.25}]", "--run-dir", "run"})
          .code == 0);
  const Result written = desk.run({"export", "run", "model.onnx"});
  CHECK(written.err == "");
  CHECK(written.out ==
        "wrote model.onnx: opset 17, images uint8 [batch, 1, 28, 28] -> class [batch, 10], "
        "class.probabilities [batch, 10]\n");
  const ReadOnnx model = onnx_of(desk / "model.onnx");
  CHECK(model.opset == 17);
  CHECK(model.inputs == std::vector<std::string>{"images uint8 [batch, 1, 28, 28]"});
  CHECK(model.outputs == std::vector<std::string>{"class float [batch, 10]",
                                                  "class.probabilities float [batch, 10]"});
  CHECK(model.initializers.at("normalize.mean").values == std::vector<float>{0.25});
  CHECK(model.initializers.at("normalize.std").values == std::vector<float>{0.5});
  CHECK(nlohmann::json::parse(model.metadata.at("input")) ==
        nlohmann::json::parse(R"({"type": "uint8", "channels": "grey", "height": 28, "width": 28,
                        "resize": null,
                        "transforms": [{"type": "normalize", "mean": [0.25], "std": [0.5]}],
                        "transforms_are_inside": true})"));
  CHECK(nlohmann::json::parse(model.metadata.at("tasks")) ==
        nlohmann::json::parse(R"([{"name": "class", "type": "classification",
                         "names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
                         "output": "class", "probabilities": "class.probabilities"}])"));
  // The same file again, from the run and from its model file; another one of another checkpoint.
  REQUIRE(desk.run({"export", "run/model.safetensors", "again.onnx"}).code == 0);
  CHECK(bytes_of(desk / "again.onnx") == bytes_of(desk / "model.onnx"));
  REQUIRE(desk.run({"export", "run", "last.onnx", "--checkpoint", "last"}).code == 0);
  CHECK(onnx_of(desk / "last.onnx").metadata == model.metadata);

  const Result floats =
      desk.run({"export", "run", "floats.onnx", "--input", "float32", "--opset", "23"});
  CHECK(floats.out ==
        "wrote floats.onnx: opset 23, images float32 [batch, 1, 28, 28] -> class [batch, 10], "
        "class.probabilities [batch, 10]\n");
  const ReadOnnx other = onnx_of(desk / "floats.onnx");
  CHECK(other.opset == 23);
  CHECK(other.inputs == std::vector<std::string>{"images float [batch, 1, 28, 28]"});
  CHECK_FALSE(other.initializers.contains("normalize.mean"));
  const auto input = nlohmann::json::parse(other.metadata.at("input"));
  CHECK(input.at("type") == "float32");
  CHECK(input.at("transforms_are_inside") == false);
  CHECK(input.at("transforms").size() == 1);
}

TEST_CASE("options of one format are refused for the other, and nothing is written") {
  const Desk desk;
  desk.train("run");
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"export", "run"});
    const std::string out = desk.error(ExitCode::kUsage, words);
    CHECK_FALSE(fs::exists(desk / words[2]));
    return out;
  };
  CHECK(refused({"m.onnx", "--layout", "timm"}) ==
        "error: --layout is of weights, and a name that ends in .onnx asks for the model\n");
  CHECK(refused({"m.safetensors", "--opset", "23"}) ==
        "error: --opset is of models in ONNX, whose name ends in .onnx\n");
  CHECK(refused({"m.safetensors", "--input", "float32"}) ==
        "error: --input is of models in ONNX, whose name ends in .onnx\n");
  CHECK_THAT(refused({"m.onnx", "--opset", "16"}), Contains("--opset"));
  CHECK_THAT(refused({"m.onnx", "--opset", "24"}), Contains("--opset"));
  CHECK_THAT(refused({"m.onnx", "--input", "uint16"}), Contains("--input"));
  CHECK_THAT(refused({"m.onnx", "--to", "tensorboard", "--opset", "17"}), Contains("--opset"));
}

TEST_CASE("parts of plug-ins are written where they are recorded, and named where they are not") {
  const ConfigFolder folder(kSmallConfig);
  const auto train = [&](const std::string& mlp) {
    const std::string file = VITRINE_BINARY_DIR "/test_plugin_" + mlp + ".so";
    REQUIRE(
        folder.run({"small.yaml", "plugins=[" + file + "]", "model.mlp=" + mlp, "--run-dir", mlp})
            .code == 0);
    return "loading the plug-in " + file + "\n";
  };
  train("squared");
  CHECK(folder.run({"export", "squared", "squared.onnx"}).code == 0);
  CHECK(onnx_of(folder / "squared.onnx").outputs.size() == 2);
  const std::string loading = train("sine");
  const Result refused = folder.run({"export", "sine", "sine.onnx"});
  CHECK(refused.code == 2);
  CHECK(refused.err == loading +
                           "error: the model cannot be written as ONNX: blocks.0.mlp: sine "
                           "computes with libtorch itself (sine.cpp:15); what is written with "
                           "operations can be\n");
  CHECK_FALSE(fs::exists(folder / "sine.onnx"));
}

TEST_CASE("a model without labels gives its features") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "experiment=contrastive",
                    "dataset.transforms=[{type: random_affine}, {type: random_shift}]", "--run-dir",
                    "run"})
              .code == 0);
  CHECK(desk.run({"export", "run", "model.onnx"}).out ==
        "wrote model.onnx: opset 17, images uint8 [batch, 1, 28, 28] -> features [batch, 8]\n");
  CHECK(onnx_of(desk / "model.onnx").metadata.at("tasks") == "[]");
}

}  // namespace
}  // namespace vitrine
