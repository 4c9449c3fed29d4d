#include <algorithm>

#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "tests/framework/cli/support.h"

// What a newcomer gets wrong, and the whole of what the program answers.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 256, test: 64, validation: 64}
model:
  type: vit
  n_patches: 4
  hidden_d: 8
  n_heads: 2
  n_blocks: 1
training: {epochs: 1, batch_size: 64}
)";

// A folder with the config a.yaml, from which the program is started.
class Desk {
 public:
  Desk() { write("a.yaml", kConfig); }

  void write(const std::string& name, const std::string& text) const {
    write_plain(folder_ / name, text);
  }
  Result run(std::vector<std::string> arguments) const {
    auto environment = isolated(folder_.path());
    environment["VITRINE_DATA"] = "no";
    return runner(std::move(arguments), folder_.path(), std::move(environment));
  }
  // What the program says when it ends with `code`.
  std::string error(ExitCode code, std::vector<std::string> arguments) const {
    const Result result = run(std::move(arguments));
    INFO(result.out << result.err);
    CHECK(result.code == static_cast<int>(code));
    return result.err;
  }
  // The same for a config with one override. Nothing may be left of such a start.
  std::string refused(const std::string& override) const {
    const std::string text = error(ExitCode::kUsage, {"a.yaml", override, "--run-dir", "run"});
    CHECK_FALSE(fs::exists(folder_ / "run"));
    return text;
  }
  // A finished run in `name`.
  void train(const std::string& name) const {
    REQUIRE(run({"a.yaml", "--run-dir", name}).err == "");
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

nlohmann::json metrics_of(const fs::path& run) {
  return parse_json(Process::read(run / "metrics.json"), "metrics");
}

std::vector<std::string> checkpoints_in(const fs::path& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

const std::string kMissingFiles =
    "Set VITRINE_DATA or dataset.root to a folder with its four files (train-images-idx3-ubyte, "
    "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, raw or .gz), or use "
    "dataset=digits, which needs no file.\n";

TEST_CASE("A misspelled key is named at its place, with the nearest key, at every depth") {
  const Desk desk;
  CHECK(desk.refused("optimiser.lr=1") ==
        "error: command line:1:1: optimiser: unknown key\n"
        "    1 | optimiser.lr=1\n"
        "      | ^ did you mean optimizer?\n");
  CHECK(desk.refused("model.hiden_d=3") ==
        "error: command line:1:7: model.hiden_d: unknown key\n"
        "    1 | model.hiden_d=3\n"
        "      |       ^ did you mean hidden_d?\n");
  CHECK(desk.refused("model.mlp.rato=2") ==
        "error: command line:1:11: model.mlp.rato: unknown key\n"
        "    1 | model.mlp.rato=2\n"
        "      |           ^ did you mean ratio?\n");
  CHECK(desk.refused("training.checkpoint.evry=1 epoch") ==
        "error: command line:1:21: training.checkpoint.evry: unknown key\n"
        "    1 | training.checkpoint.evry=1 epoch\n"
        "      |                     ^ did you mean every?\n");
  desk.write("b.yaml", "bsae: a.yaml\nmodel: vit\ndataset: digits\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:1:1: bsae: unknown key\n"
        "    1 | bsae: a.yaml\n"
        "      | ^ did you mean base?\n");
  desk.write("b.yaml", "base: a.yaml\nsede: 1\nmodel:\n  mlp: {type: gelu, rato: 2}\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:2:1: sede: unknown key\n"
        "    2 | sede: 1\n"
        "      | ^ did you mean seed?\n"
        "b.yaml:4:21: model.mlp.rato: unknown key\n"
        "    4 |   mlp: {type: gelu, rato: 2}\n"
        "      |                     ^ did you mean ratio?\n");
}

TEST_CASE("A value of a wrong type or range is shown with what is allowed") {
  const Desk desk;
  CHECK(desk.refused("training.epochs=two") ==
        "error: command line:1:17: training.epochs: expected a whole number at least 1, got "
        "\"two\"\n"
        "    1 | training.epochs=two\n"
        "      |                 ^\n");
  CHECK(desk.refused("model.mlp.ratio=2.5") ==
        "error: command line:1:17: model.mlp.ratio: expected a whole number at least 1, got 2.5\n"
        "    1 | model.mlp.ratio=2.5\n"
        "      |                 ^\n");
  CHECK(desk.refused("optimizer.lr=-1") ==
        "error: command line:1:14: optimizer.lr: expected a number at least 0, got -1\n"
        "    1 | optimizer.lr=-1\n"
        "      |              ^\n");
  CHECK(desk.refused("training.batch_size=0") ==
        "error: command line:1:21: training.batch_size: expected a whole number at least 1, got "
        "0\n"
        "    1 | training.batch_size=0\n"
        "      |                     ^\n");
  CHECK(desk.refused("device=gpu") ==
        "error: command line:1:8: device: expected one of auto, cpu, cuda, mps, got \"gpu\"\n"
        "    1 | device=gpu\n"
        "      |        ^ did you mean cpu?\n");
  CHECK(desk.refused("training.checkpoint.every=soon") ==
        "error: command line:1:27: training.checkpoint.every: expected a stretch of training, got "
        "\"soon\"\n"
        "    1 | training.checkpoint.every=soon\n"
        "      |                           ^ written as 1 epoch, 500 steps or 10 min\n");
}

TEST_CASE("An unknown component is answered with the nearest and all that there are") {
  const Desk desk;
  CHECK(desk.refused("model.mlp=gelo") ==
        "error: command line:1:11: model.mlp: unknown mlp \"gelo\"\n"
        "    1 | model.mlp=gelo\n"
        "      |           ^ did you mean gelu? there are gelu, swiglu\n");
}

TEST_CASE("Sizes that do not divide are named with both places") {
  const Desk desk;
  CHECK(desk.refused("model.n_heads=3") ==
        "error: a.yaml:7:13: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    7 |   hidden_d: 8\n"
        "      |             ^ n_heads is at command line:1:15\n");
  CHECK(desk.refused("model.n_patches=[4, 5]") ==
        "error: command line:1:17: model: the image width (28) must be divisible by the columns of "
        "n_patches (5)\n"
        "    1 | model.n_patches=[4, 5]\n"
        "      |                 ^\n");
}

TEST_CASE("An option without effect is refused") {
  const Desk desk;
  desk.write("b.yaml", "base: a.yaml\ndataset: {validation: 0}\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml", "training.early_stopping={patience: 3}"}) ==
        "error: command line:1:10: training.early_stopping has no effect: there is no validation "
        "split (dataset.validation)\n"
        "    1 | training.early_stopping={patience: 3}\n"
        "      |          ^ remove it\n");
}

TEST_CASE("A source of data that is never asked is an option without effect") {
  const Desk desk;
  CHECK(desk.refused("dataset={type: mnist, root: data, mirrors: ['https://a.org']}") ==
        "error: command line:1:35: dataset.mirrors has no effect: root is given, and nothing else "
        "is tried\n"
        "    1 | dataset={type: mnist, root: data, mirrors: ['https://a.org']}\n"
        "      |                                   ^ remove it\n");
  CHECK(desk.refused("dataset={type: mnist, root: data, download: true}") ==
        "error: command line:1:35: dataset.download has no effect: root is given, and nothing else "
        "is tried\n"
        "    1 | dataset={type: mnist, root: data, download: true}\n"
        "      |                                   ^ remove it\n");
  CHECK(desk.refused("dataset={type: mnist, download: false, mirrors: ['https://a.org']}") ==
        "error: command line:1:40: dataset.mirrors has no effect: download is false\n"
        "    1 | dataset={type: mnist, download: false, mirrors: ['https://a.org']}\n"
        "      |                                        ^ remove it\n");
}

TEST_CASE("More images or batches than the data set has are named with both places") {
  const Desk desk;
  CHECK(desk.refused("dataset.validation=256") ==
        "error: command line:1:20: dataset: validation (256) of 256 training images leaves no "
        "training image\n"
        "    1 | dataset.validation=256\n"
        "      |                    ^ train is at a.yaml:3:32\n");
  CHECK(desk.refused("dataset.limit_train=50") ==
        "error: a.yaml:3:59: dataset: validation (64) of 50 training images is larger than the "
        "set\n"
        "    3 | dataset: {type: digits, train: 256, test: 64, validation: 64}\n"
        "      |                                                           ^ limit_train is at "
        "command line:1:21\n");
  CHECK(desk.refused("dataset.limit_test=65") ==
        "error: command line:1:20: dataset: limit_test (65) is larger than the test set (64 "
        "images)\n"
        "    1 | dataset.limit_test=65\n"
        "      |                    ^ test is at a.yaml:3:43\n");
  desk.write("m.yaml", "base: a.yaml\ndataset: {type: mnist, download: false}\n");
  CHECK(desk.error(ExitCode::kUsage, {"m.yaml", "dataset.limit_train=60_001"}) ==
        "error: command line:1:21: dataset: limit_train (60001) is larger than the training set "
        "(60000 images)\n"
        "    1 | dataset.limit_train=60_001\n"
        "      |                     ^\n");
  CHECK(desk.refused("training.overfit_batches=4") ==
        "error: command line:1:26: training: overfit_batches (4) is more than there are: 192 "
        "training images make 3 batches\n"
        "    1 | training.overfit_batches=4\n"
        "      |                          ^ batch_size is at a.yaml:10:35\n");
  CHECK(desk.refused("training.ema_decay=1") ==
        "error: command line:1:20: training.ema_decay: expected a number from 0 to below 1 or "
        "null, got 1\n"
        "    1 | training.ema_decay=1\n"
        "      |                    ^\n");
}

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

TEST_CASE("Several values for one key are a sweep") {
  CHECK(Desk().refused("model.hidden_d=8,16") ==
        "error: command line:1:16: model.hidden_d: several values make a sweep: runner sweep "
        "CONFIG model.hidden_d=8,16\n"
        "    1 | model.hidden_d=8,16\n"
        "      |                ^ a list is written in brackets, [a, b], and a text with a comma "
        "in quotes\n");
}

TEST_CASE("A config that cannot be read says why and where") {
  const Desk desk;
  const auto said = [&](const std::string& text) {
    desk.write("b.yaml", text);
    return desk.error(ExitCode::kUsage, {"b.yaml"});
  };
  CHECK(said("name: a\nname: b\n") ==
        "error: b.yaml:2:1: the key \"name\" stands here a second time\n"
        "    2 | name: b\n"
        "      | ^ first at b.yaml:1:1\n");
  CHECK(said("a: [1,\n b: 2\n") ==
        "error: b.yaml:1:4: this is not YAML: the bracket [ is not closed\n"
        "    1 | a: [1,\n"
        "      |    ^\n");
  CHECK(said(std::string("\x89PNG\r\n\x1a\n\0\0", 10)) ==
        "error: b.yaml: holds a NUL byte; this is not a text file\n");
  CHECK(said("just text\n") ==
        "error: b.yaml:1:1: expected a mapping, got \"just text\"\n"
        "    1 | just text\n"
        "      | ^ a config is made of lines such as seed: 0\n");
  CHECK(said(std::string(2 << 20, '#')) ==
        "error: b.yaml: larger than 1 MiB, the most that a config may have\n");
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    const std::string below = std::string("*") + static_cast<char>(name - 1);
    bomb += std::string(1, name) + ": &" + name + " [" + below;
    for (int i = 1; i < 9; ++i) bomb += ", " + below;
    bomb += "]\n";
  }
  CHECK(said(bomb) ==
        "error: b.yaml:1:1: more than 100000 values, counting what anchors and aliases repeat\n"
        "    1 | a: &a [x, x, x, x, x, x, x, x, x]\n"
        "      | ^\n");
}

TEST_CASE("A base that is missing or that inherits from its heir is refused") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kUsage, {"missing.yaml"}) == "error: missing.yaml: no such file\n");
  desk.write("b.yaml", "base: c.yaml\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:1:7: base: no such file: c.yaml\n"
        "    1 | base: c.yaml\n"
        "      |       ^ the path counts from the folder of the config that names it\n");
  desk.write("c.yaml", "base: b.yaml\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: c.yaml:1:7: base: these configs inherit from each other: b.yaml -> c.yaml -> "
        "b.yaml\n"
        "    1 | base: b.yaml\n"
        "      |       ^\n");
}

TEST_CASE("A wrong command line is answered with what to type instead") {
  const Desk desk;
  const auto said = [&](std::vector<std::string> arguments) {
    return desk.error(ExitCode::kUsage, std::move(arguments));
  };
  CHECK(said({"trian", "a.yaml"}) ==
        "error: \"trian\" is neither a config file nor a verb (did you mean train?); runner --help "
        "lists the verbs\n");
  CHECK(said({"a.yaml", "--epochs", "3"}) ==
        "error: The following argument was not expected: --epochs; runner train --help tells what "
        "it takes\n");
  CHECK(said({}) ==
        "error: give a config, such as configs/vit_digits.yaml, or a verb; runner --help lists the "
        "verbs\n");
  CHECK(said({"a.yaml", "--threads", "two"}) ==
        "error: --threads: expected a whole number at least 1, got \"two\"; runner train --help "
        "tells what it takes\n");
  CHECK(said({"resume", "run", "--stop-after", "0"}) ==
        "error: --stop-after: expected a whole number at least 1, got \"0\"; runner resume --help "
        "tells what it takes\n");
  CHECK(said({"a.yaml", "nonsense"}) ==
        "error: command line:1:1: expected key=value, got \"nonsense\"\n"
        "    1 | nonsense\n"
        "      | ^ such as optimizer.lr=0.01\n");
  CHECK(said({"a.yaml", "--resume"}) ==
        "error: --resume needs --run-dir DIR, the run to go on with; or use: runner resume RUN\n");
}

TEST_CASE("A folder without a run cannot be resumed") {
  const Desk desk;
  fs::create_directory(desk / "empty");
  CHECK(desk.error(ExitCode::kUsage, {"resume", "empty"}) ==
        "error: empty holds no run (no config.yaml, metrics.json or checkpoints)\n");
  desk.train("run");
  CHECK(desk.error(ExitCode::kUsage, {"resume", "rum"}) ==
        "error: rum is no run: there is no such directory; runs near it: ./run\n");
}

TEST_CASE("A directory that holds a run is not used again, nor changed into another run") {
  const Desk desk;
  desk.train("run");
  const std::string before = Process::read(desk / "run/metrics.json");
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "--run-dir", "run"}) ==
        "error: run already holds a run: add --resume to go on with it, or name another directory "
        "with --run-dir\n");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "model.hidden_d=16"}) ==
        "error: run/config.yaml: model.hidden_d cannot change in a run under way; start a new run "
        "for it\n");
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run", "dataset.train=200"}) ==
        "error: run/config.yaml: dataset.train cannot change in a run under way; start a new run "
        "for it\n");
  CHECK(Process::read(desk / "run/metrics.json") == before);
}

TEST_CASE("A run directory that cannot be made ends with the system's reason") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kFailed, {"a.yaml", "--run-dir", "a.yaml/run"}) ==
        "error: cannot create the run directory a.yaml/run: Not a directory\n");
}

TEST_CASE("Missing data end with what was tried and how to go on") {
  const Desk desk;
  desk.write("m.yaml", "base: a.yaml\ndataset: {type: mnist, download: false}\n");
  CHECK(desk.error(ExitCode::kData, {"m.yaml"}) ==
        "error: MNIST was not found. Tried:\n"
        "  no/mnist: no such folder\n  no: no such folder\n"
        "  data/mnist: no such folder\n  data: no such folder\n"
        "  ../data/mnist: no such folder\n  ../data: no such folder\n"
        "  ../shared/data/mnist: no such folder\n  ../shared/data: no such folder\n"
        "  " +
            (desk / "cache/vitrine/mnist").string() +
            ": no such folder\n"
            "  " +
            (desk / "cache/vitrine").string() + ": no such folder\n" + kMissingFiles);
  fs::create_directory(desk / "empty");
  CHECK(desk.error(ExitCode::kData, {"m.yaml", "dataset.root=empty"}) ==
        "error: MNIST was not found. Tried:\n"
        "  empty/mnist: no such folder\n  empty: has none of the files\n" +
            kMissingFiles);
}

TEST_CASE("Damaged data are named with the damage") {
  const Desk desk;
  desk.write("m.yaml", "base: a.yaml\ndataset: {type: mnist, root: data}\n");
  fs::create_directory(desk / "data");
  for (const char* name :
       {"train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    desk.write(std::string("data/") + name, "");
  }
  const auto said = [&] { return desk.error(ExitCode::kData, {"m.yaml"}); };
  const std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  desk.write("data/train-images-idx3-ubyte.gz", gzip + "\xff this is no deflate stream");
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte.gz: gzip data is corrupt (invalid block type)\n");
  desk.write("data/train-images-idx3-ubyte.gz", gzip);
  CHECK(said() == "error: data/train-images-idx3-ubyte.gz: gzip data is truncated\n");
  fs::remove(desk / "data/train-images-idx3-ubyte.gz");
  const std::string header("\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c\0\0\0\x1c", 16);
  desk.write("data/train-images-idx3-ubyte", header + std::string(1000, '\0'));
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte: truncated: shape [60000, 28, 28] needs 47040000 "
        "bytes, the file has 1000\n");
  desk.write("data/train-images-idx3-ubyte", header + std::string(60000 * 784, '\0'));
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte: wrong checksum: its SHA-256 is "
        "ba2048faa0242d852ccfba31d5efa227046ebcc173e3a4951fb9c906fb61ebdb, that of MNIST's "
        "train-images-idx3-ubyte is "
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db\n");
}

TEST_CASE("A damaged checkpoint is passed over for the one before it") {
  const Desk desk;
  const Result first = desk.run({"a.yaml", "--run-dir", "run", "training.checkpoint.every=1 steps",
                                 "training.checkpoint.keep=3", "--stop-after", "2"});
  REQUIRE(first.code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  const Result result = desk.run({"resume", "run"});
  CHECK(result.code == 0);
  CHECK(result.err ==
        "warning: the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the "
        "SHA-256 of its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
  CHECK_THAT(result.out, StartsWith("going on from step-00000001 (step 1 of 3)\n"));
}

TEST_CASE("Without any sound checkpoint a run is not resumed") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "2"}).code == 75);
  fs::resize_file(desk / "run/checkpoints/step-00000002.safetensors", 3000);
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: no checkpoint in run/checkpoints is usable:\n"
        "  the checkpoint run/checkpoints/step-00000002.safetensors is unusable: the SHA-256 of "
        "its 3000 bytes is not the recorded one: it was cut, changed or damaged\n");
}

TEST_CASE("A loss that is not finite ends the run as diverged, its last good checkpoint kept") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kDiverged, {"a.yaml", "optimizer.lr=1e30", "--run-dir", "first"}) ==
        "error: the loss is not finite by step 3 (epoch 1): training has diverged. A lower "
        "optimizer.lr (now 1e+30), training.clip_norm or schedule.warmup may help.\n");
  CHECK(metrics_of(desk / "first").at("status") == "diverged");

  desk.train("run");
  CHECK(desk.error(ExitCode::kDiverged,
                   {"resume", "run", "optimizer.lr=1e30", "training.epochs=2"}) ==
        "warning: optimizer.lr differs from what this run was started with: its results are no "
        "longer exact\n"
        "error: the loss is not finite by step 6 (epoch 2): training has diverged. A lower "
        "optimizer.lr (now 1e+30), training.clip_norm or schedule.warmup may help. The last good "
        "checkpoint is step-00000003.\n");
  CHECK(metrics_of(desk / "run").at("status") == "diverged");
  CHECK(checkpoints_in(desk / "run") == std::vector<std::string>{"step-00000003.safetensors"});
}

TEST_CASE("Weights that are bad although every training loss was finite end the run as diverged") {
  const Desk desk;
  const std::string advice =
      " (epoch 1): training has diverged. A lower optimizer.lr (now 1e+38), training.clip_norm or "
      "schedule.warmup may help.\n";
  const std::string sgd = "optimizer={type: sgd, lr: 1e38}", once = "training.batch_size=256";
  CHECK(desk.error(ExitCode::kDiverged, {"a.yaml", sgd, once, "--run-dir", "validated"}) ==
        "error: the validation loss is not finite by step 1" + advice);
  CHECK(metrics_of(desk / "validated").at("status") == "diverged");
  CHECK_FALSE(fs::exists(desk / "validated/checkpoints"));

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", sgd, "training.max_steps=1", "--run-dir", "short"}) ==
        "error: the validation loss is not finite by step 1" + advice);

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", sgd, once, "dataset.validation=0", "--run-dir", "tested"}) ==
        "error: the test loss is not finite by step 1" + advice);
  CHECK(metrics_of(desk / "tested").at("status") == "diverged");
  CHECK_FALSE(fs::exists(desk / "tested/test.json"));
  CHECK_FALSE(fs::exists(desk / "tested/model.safetensors"));

  CHECK(desk.error(ExitCode::kDiverged,
                   {"a.yaml", "optimizer={type: sgd, lr: 1e38, weight_decay: 1e30}", once,
                    "dataset.validation=0", "--run-dir", "saved"}) ==
        "error: a weight is not finite by step 1" + advice);
  CHECK_FALSE(fs::exists(desk / "saved/checkpoints"));
}

// Images [n, 4, 4] and labels [n], as `arrays` reads them.
std::string arrays_file(int64_t n, int64_t label) {
  const std::string pixels(static_cast<size_t>(16 * n), '\x10');
  std::string labels;
  for (int64_t i = 0; i < n; ++i) labels += static_cast<char>(i == 0 ? label : i % 2);
  std::vector<TensorView> tensors;
  for (const std::string set : {"train", "test"}) {
    tensors.push_back({set + "/images", DType::kU8, {n, 4, 4}, pixels});
    tensors.push_back({set + "/labels", DType::kU8, {n}, labels});
  }
  return write_safetensors(tensors, {});
}

TEST_CASE("A label beyond the classes is named with its image") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, class_names: [no, yes]}\n");
  desk.write("d.safetensors", arrays_file(8, 7));
  CHECK(desk.error(ExitCode::kData, {"b.yaml"}) ==
        "error: d.safetensors: label 7 of training image 0 is beyond the 2 classes\n");
}

TEST_CASE("Data that have changed since a run was started are not trained on") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, validation: 2}\n");
  desk.write("d.safetensors", arrays_file(8, 0));
  REQUIRE(desk.run({"b.yaml", "--run-dir", "run", "training.epochs=2", "--stop-after", "1"}).code ==
          75);
  desk.write("d.safetensors", arrays_file(8, 1));
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: run: the data have changed since this run was started (their SHA-256 is "
        "b793247ebeea, was f30112d5cfdf); start a new run\n");
}

TEST_CASE("Equal data may lie elsewhere when a run goes on") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, validation: 2}\n");
  desk.write("d.safetensors", arrays_file(8, 0));
  REQUIRE(desk.run({"b.yaml", "--run-dir", "run", "training.epochs=2", "--stop-after", "1"}).code ==
          75);
  fs::rename(desk / "d.safetensors", desk / "moved.safetensors");
  const Result result = desk.run({"resume", "run", "dataset.path=moved.safetensors"});
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK(metrics_of(desk / "run").at("exact") == true);
  desk.write("d.safetensors", arrays_file(8, 1));
  CHECK(desk.error(ExitCode::kCheckpoint,
                   {"resume", "run", "dataset.path=d.safetensors", "training.epochs=3"}) ==
        "error: run: the data have changed since this run was started (their SHA-256 is "
        "b793247ebeea, was f30112d5cfdf); start a new run\n");
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

TEST_CASE("Numbers whose product would overflow") {
  const Desk desk;
  const auto first_line = [&](const std::string& assignment) {
    const std::string text = desk.error(ExitCode::kUsage, {"a.yaml", assignment});
    return text.substr(0, text.find('\n'));
  };
  CHECK(first_line("training.batch_size=9223372036854775807") ==
        "error: command line:1:21: training: a step of 9223372036854775807 x 1 images: at most "
        "1000000000 are allowed");
  CHECK(first_line("training.epochs=9223372036854775807") ==
        "error: command line:1:17: training: epochs: at most 1000000000 are allowed");
  CHECK(first_line("threads=1000000") ==
        "error: command line:1:9: threads: at most 1024 are allowed");
}

TEST_CASE("What a config says cannot steer the terminal") {
  const Desk desk;
  const Result result =
      desk.run({"a.yaml", R"(dataset={type: mnist, mirrors: ["https://localhost:1/\e[31mx"]})"});
  CHECK(result.code == static_cast<int>(ExitCode::kData));
  CHECK_THAT(result.out, StartsWith("downloading MNIST from https://localhost:1/\\x1b[31mx into "));
  CHECK((result.out + result.err).find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace vitrine
