#include "tests/framework/cli/resumed_run.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

Json metrics_of(const fs::path& run) { return json_of(run / "metrics.json"); }

TEST_CASE("bfloat16 is computed in libtorch, near float32, and goes on exactly") {
  const ResumedFolder folder;
  const fs::path exact = folder.whole({"backend=layers"});
  const Result result = folder.run({"small.yaml", "training.precision=bfloat16", "--run-dir", "b"});
  INFO(result.out << result.err);
  REQUIRE(result.code == 0);
  const Json metrics = metrics_of(folder / "b");
  CHECK(metrics.at("execution").at("backend").at("value") == "layers");
  CHECK(metrics.at("execution").at("backend").at("why") == "training.precision is bfloat16");
  const double loss = metrics.at("test").at("test/loss");
  const double near = metrics_of(exact).at("test").at("test/loss");
  CHECK(loss != near);
  CHECK(std::abs(loss - near) < 0.02 * near);
  // What is kept and written stays in float32.
  const Checkpoint last = load_checkpoint(checkpoint_file(folder / "b" / "checkpoints", kSteps));
  for (const OwnedTensor& tensor : last.tensors) {
    INFO(tensor.name);
    CHECK(
        (tensor.dtype == DType::kF32 || tensor.dtype == DType::kU8 || tensor.dtype == DType::kI64));
  }

  REQUIRE(
      folder
          .run({"small.yaml", "training.precision=bfloat16", "--run-dir", "s", "--stop-after", "7"})
          .code == 75);
  REQUIRE(folder.run({"resume", "s"}).code == 0);
  check_equal(folder / "s", folder / "b");

  const Result changed = folder.run({"resume", "s", "training.precision=float32"});
  CHECK(changed.code == 5);
  CHECK(changed.err ==
        "error: s/config.yaml: training.precision cannot change in a run under way; start a new "
        "run for it\n");
}

TEST_CASE("the kernel refuses bfloat16 in words") {
  const ResumedFolder folder;
  const Result result = folder.run({"small.yaml", "training.precision=bfloat16", "backend=fused"});
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("backend: fused computes in float32 alone, and "
                                  "training.precision is bfloat16\n"));
  CHECK_THAT(result.err, Contains("layers computes in bfloat16\n"));
}

TEST_CASE("all parts train in bfloat16") {
  const ResumedFolder folder;
  for (const std::vector<std::string>& parts : std::vector<std::vector<std::string>>{
           {"model.mlp=swiglu", "model.norm=rms", "model.position=rope"},
           {"model.block=post_norm", "model.mlp=relu", "model.pooling=attention"},
           {"model.embedding=conv_stem", "model.n_patches=7", "model.pooling=mean",
            "model.n_registers=2"},
           {"model.attention={type: multi_head, qk_norm: true}", "model.head=mlp"},
           {"experiment=contrastive"},
           {"experiment=masked_autoencoder"}}) {
    std::vector<std::string> words = {"small.yaml", "training.precision=bfloat16",
                                      "training.epochs=1", "--run-dir", "run"};
    words.insert(words.end(), parts.begin(), parts.end());
    const Result result = folder.run(words);
    INFO(parts[0] << ": " << result.out << result.err);
    CHECK(result.code == 0);
    fs::remove_all(folder / "run");
  }
  for (const std::string model : {"mixer", "lenet"}) {
    write_plain(folder / "other.yaml",
                "dataset: {type: digits, train: 100, test: 20}\nmodel: " + model +
                    "\ntraining: {epochs: 1, precision: bfloat16}\n");
    const Result result = folder.run({"other.yaml", "--run-dir", "run"});
    INFO(model << ": " << result.out << result.err);
    CHECK(result.code == 0);
    fs::remove_all(folder / "run");
  }
}

}  // namespace
}  // namespace vitrine
