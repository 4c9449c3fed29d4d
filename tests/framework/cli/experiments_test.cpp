// Experiments other than supervised training, as a user runs them.
#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(
dataset: {type: digits, validation: 200, limit_train: 600, limit_test: 200}
model: {type: vit, n_patches: 4, hidden_d: 8, n_heads: 2, n_blocks: 1, block: {type: pre_norm, dropout: 0.2}}
optimizer: {type: adamw, lr: 0.005}
training: {epochs: 2, batch_size: 200, accumulate: 1, ema_decay: 0.9}
)";

class Experiments {
 public:
  Experiments() {
    write_plain(folder_ / "c.yaml", kConfig);
    REQUIRE(run({"c.yaml", "--run-dir", "teacher", "training.epochs=1"}).code == 0);
  }

  fs::path operator/(const std::string& name) const { return folder_ / name; }
  Result run(const std::vector<std::string>& arguments) const {
    return runner(arguments, folder_.path(), isolated(folder_.path()));
  }
  // What a config of each says besides.
  std::vector<std::string> config(const std::string& experiment) const {
    std::vector<std::string> out = {"c.yaml", "experiment=" + experiment};
    if (experiment == "distillation") out.push_back("experiment.teacher=teacher");
    if (experiment == "contrastive")
      out.push_back("dataset.transforms=[{type: random_affine}, {type: random_shift}]");
    return out;
  }
  Result train(const std::string& experiment, const std::string& name,
               std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = config(experiment);
    arguments.insert(arguments.end(), {"--run-dir", name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

 private:
  TemporaryFolder folder_;
};

const std::vector<std::string> kAll = {"masked_autoencoder", "distillation", "contrastive"};

}  // namespace

TEST_CASE("a run of any experiment that is stopped after any step goes on to the same bits") {
  const Experiments runs;
  for (const std::string& experiment : kAll) {
    CAPTURE(experiment);
    REQUIRE(runs.train(experiment, experiment).code == 0);
    const Json metrics = Json::parse(bytes_of(runs / experiment / "metrics.json"));
    REQUIRE(metrics.at("exact") == true);
    for (int64_t step = 1; step < 4; ++step) {
      CAPTURE(step);
      const std::string parts = experiment + std::to_string(step);
      REQUIRE(runs.train(experiment, parts, {"--stop-after", std::to_string(step)}).code == 75);
      REQUIRE(runs.run({"resume", parts}).code == 0);
      check_equal(runs / parts, runs / experiment);
    }
  }
}

TEST_CASE(
    "a run of any experiment that is killed at random moments has the bits of one that is not") {
  const Experiments runs;
  std::mt19937 generator(11);
  for (const std::string& experiment : kAll) {
    CAPTURE(experiment);
    const std::string killed = experiment + "-killed";
    const std::vector<std::string> often = {"training.epochs=14",
                                            "training.checkpoint.every=1 steps"};
    REQUIRE(runs.train(experiment, experiment, often).code == 0);
    for (int kills = 0; kills < 3;) {
      std::vector<std::string> arguments = runs.config(experiment);
      arguments.insert(arguments.end(), {"--run-dir", killed, "--resume"});
      arguments.insert(arguments.end(), often.begin(), often.end());
      Process process(runner_command(arguments), runs / ".", isolated(runs / "."));
      std::this_thread::sleep_for(std::chrono::milliseconds(250 + generator() % 600));
      process.send(SIGKILL);
      const Result result = process.wait();
      if (result.code == 0) break;
      REQUIRE(result.code == 128 + SIGKILL);
      ++kills;
    }
    REQUIRE(runs.train(experiment, killed, {"--resume", often[0], often[1]}).code == 0);
    check_equal(runs / killed, runs / experiment);
  }
}

TEST_CASE("the two ways to execute any experiment agree, and the kernel's is the usual one") {
  const Experiments runs;
  for (const std::string& experiment : kAll) {
    CAPTURE(experiment);
    const std::string layers = experiment + "-layers";
    const std::vector<std::string> little = {"training.epochs=1", "optimizer=sgd",
                                             "optimizer.lr=0.1"};
    auto in_layers = little;
    in_layers.push_back("backend=layers");
    REQUIRE(runs.train(experiment, experiment, little).code == 0);
    REQUIRE(runs.train(experiment, layers, in_layers).code == 0);
    const Json one = Json::parse(bytes_of(runs / experiment / "metrics.json"));
    const Json other = Json::parse(bytes_of(runs / layers / "metrics.json"));
    CHECK(one.at("execution").at("backend").at("value") == "fused");
    for (const char* name : {"train/loss", "validation/loss"}) {
      const double wanted = other.at("history")[0].at(name);
      CHECK(std::abs(one.at("history")[0].at(name).get<double>() - wanted) < 1e-4 * wanted);
    }
  }
}

TEST_CASE(
    "an experiment in a plug-in is as well off: exact, by the kernel, and of use without it") {
  const Experiments runs;
  const std::vector<std::string> plugin = {"plugins=[" VITRINE_BINARY_DIR
                                           "/test_plugin_rotation.so]"};
  const auto train = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), plugin[0]);
    return runs.train("rotation", name, more);
  };
  REQUIRE(train("whole", {}).code == 0);
  const Json metrics = Json::parse(bytes_of(runs / "whole" / "metrics.json"));
  CHECK(metrics.at("execution").at("backend").at("value") == "fused");
  CHECK(metrics.at("best_by") == "validation/accuracy");
  for (int64_t step = 1; step < 4; ++step) {
    const std::string name = std::to_string(step);
    REQUIRE(train(name, {"--stop-after", name}).code == 75);
    REQUIRE(runs.run({"resume", name}).code == 0);
    check_equal(runs / name, runs / "whole");
  }
  REQUIRE(train("layers", {"backend=layers", "optimizer=sgd", "training.epochs=1"}).code == 0);
  REQUIRE(train("fused", {"optimizer=sgd", "training.epochs=1"}).code == 0);
  const auto loss = [&](const std::string& name) {
    return Json::parse(bytes_of(runs / name / "metrics.json"))
        .at("test")
        .at("test/loss")
        .get<double>();
  };
  CHECK(std::abs(loss("layers") - loss("fused")) < 1e-4);
  CHECK(
      runs.run({"c.yaml", "--run-dir", "tuned", "model.weights=whole", "training.epochs=1"}).code ==
      0);
}

TEST_CASE("what was learned without labels starts a classifier, whose head is new") {
  const Experiments runs;
  for (const std::string experiment : {"masked_autoencoder", "contrastive"}) {
    CAPTURE(experiment);
    REQUIRE(runs.train(experiment, experiment).code == 0);
    const Result tuned = runs.run({"c.yaml", "--run-dir", experiment + "-tuned",
                                   "model.weights=" + experiment, "training.epochs=1"});
    REQUIRE(tuned.code == 0);
    CHECK_THAT(tuned.out + tuned.err,
               Contains("model.safetensors: head is new: the file has none"));
    const Result exported =
        runs.run({"export", experiment, experiment + ".safetensors", "--layout", "timm"});
    REQUIRE(exported.code == 0);
    const auto file = Safetensors::load(runs / (experiment + ".safetensors"), 1 << 20);
    CHECK(file.find("cls_token"));
    CHECK_FALSE(file.find("head.weight"));
    const Result tested = runs.run({"test", experiment});
    CHECK(tested.code == 0);
    CHECK_THAT(tested.out, StartsWith("test: loss "));
  }
}

TEST_CASE("a picture shows what is told of hidden patches, and the image where they are not") {
  const Experiments runs;
  REQUIRE(runs.train("masked_autoencoder", "m").code == 0);
  REQUIRE(runs.run({"plot", "reconstruction", "m", "--images", "3,5", "-o", "two.json"}).code == 0);
  REQUIRE(runs.run({"plot", "reconstruction", "m", "--images", "5", "-o", "one.json"}).code == 0);
  REQUIRE(runs.run({"plot", "reconstruction", "m", "-o", "all.png"}).code == 0);
  const Json two = Json::parse(bytes_of(runs / "two.json"));
  const Json one = Json::parse(bytes_of(runs / "one.json"));
  CHECK(two.at("axes")[0].at("values") == Json({"test image 3", "test image 5"}));
  CHECK(two.at("values")[1] == one.at("values")[0]);
  int hidden = 0;
  for (size_t row = 0; row < 28; ++row) {
    for (size_t column = 0; column < 28; ++column) {
      const auto of = [&](size_t picture) {
        return one.at("values")[0][picture][0][row][column].get<double>();
      };
      hidden += of(1) == 1;
      CHECK((of(1) == 1 || of(1) == 0));
      if (of(1) == 0) CHECK(of(2) == of(0));
    }
  }
  CHECK(hidden == 12 * 7 * 7);  // three quarters of 4 x 4 patches
  const Result other = runs.run({"plot", "reconstruction", "teacher"});
  CHECK(other.code == 2);
  CHECK(other.err == "error: the run's experiment hides nothing that it could tell\n");
  CHECK(runs.run({"plot", "reconstruction"}).err ==
        "error: this picture is of a run: give one after its name\n");
  CHECK_THAT(runs.run({"plot", "reconstruction", "m/model.safetensors"}).err,
             Contains("holds the model alone: give its run"));
}

TEST_CASE("what an experiment has no use for is refused in words, and what it needs is named") {
  const Experiments runs;
  const auto error = [&](const std::string& experiment, const std::vector<std::string>& more) {
    const Result result = runs.train(experiment, "none", more);
    CHECK(result.code == 2);
    CHECK_FALSE(fs::exists(runs / "none"));
    return result.err;
  };
  CHECK_THAT(error("contrastives", {}),
             Contains("experiment: unknown experiment \"contrastives\""));
  const std::string without_labels =
      error("masked_autoencoder", {"loss=mse", "training.metrics=[f1]", "model.head=mlp"});
  CHECK_THAT(without_labels,
             Contains("loss has no effect: the experiment masked_autoencoder predicts no labels"));
  CHECK_THAT(without_labels, Contains("training.metrics has no effect: the experiment"));
  CHECK_THAT(without_labels,
             Contains("model.head has no effect: nothing is predicted from labels"));
  CHECK_THAT(error("masked_autoencoder", {"model=lenet"}),
             Contains("masked_autoencoder hides patches from the model, and this model makes no "
                      "token of each patch that the others could do without"));
  CHECK_THAT(error("masked_autoencoder", {"model.position=rope"}),
             Contains("needs tokens that know their places: model.position must add something"));
  CHECK_THAT(error("masked_autoencoder", {"experiment.hidden=0.01"}),
             Contains("hidden: 0 of 16 patches would be hidden: at least one must be, and at "
                      "least one must not"));
  CHECK_THAT(error("masked_autoencoder", {"experiment.decoder_heads=3"}),
             Contains("decoder_d (64) must be divisible by decoder_heads (3)"));
  CHECK_THAT(error("contrastive", {"dataset.transforms=[]"}),
             Contains("contrastive compares two views of each image, and no transform makes them "
                      "differ"));
  CHECK_THAT(error("distillation", {"experiment.teacher=nothing"}),
             Contains("teacher: ") && Contains("nothing is no run that was tested, and no file"));
  CHECK_THAT(error("distillation", {"experiment.teacher=nothing",
                                    "training.early_stopping={metric: validation/teacher_loss}"}),
             !Contains("early_stopping"));
  CHECK_THAT(error("distillation", {"experiment.teacher=null"}),
             Contains("teacher: a run, or its model.safetensors, must be named"));
  CHECK_THAT(error("distillation", {"experiment.hard=true", "experiment.temperature=2"}),
             Contains("experiment.temperature has no effect: a hard answer has no temperature"));
  CHECK_THAT(error("distillation", {"model.tasks=[{name: a}, {name: b}]"}),
             Contains("task: which one learns from the teacher? There are a, b"));
  CHECK_THAT(error("distillation", {"model.tasks=[{name: a, target: {above: 4}}]"}),
             Contains("its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and the task \"a\" has not "
                      "above 4, above 4"));
  CHECK_THAT(error("distillation", {"dataset.transforms=[{type: normalize}]"}),
             Contains("its images went through [], and these through ["));
}

TEST_CASE("a teacher that has changed is not taken for the one that a run began with") {
  const Experiments runs;
  REQUIRE(runs.train("distillation", "d", {"--stop-after", "2"}).code == 75);
  REQUIRE(runs.run({"c.yaml", "--run-dir", "other", "training.epochs=1", "seed=3"}).code == 0);
  fs::copy_file(runs / "other" / "model.safetensors", runs / "teacher" / "model.safetensors",
                fs::copy_options::overwrite_existing);
  const Result resumed = runs.run({"resume", "d"});
  CHECK(resumed.code == 5);
  CHECK_THAT(resumed.err, Contains("experiment.teacher is not what this run began with"));
}

}  // namespace vitrine
