#include "tests/framework/cli/support.h"

// What a newcomer gets wrong in a config, and the whole of what the program answers.
namespace vitrine {
namespace {

TEST_CASE("A misspelled key is named at its place, with the nearest key, at every depth") {
  const Desk desk;
  CHECK(desk.refused("optimiser.lr=1") ==
        "error: command line:1:1: optimiser: unknown key\n"
        "    1 | optimiser.lr=1\n"
        "      | ^ did you mean optimizer?\n");
  CHECK(desk.refused("model.hiden_d=3") ==
        "error: command line:1:7: model.hiden_d: unknown key\n"
        "    1 | model.hiden_d=3\n"
        "      |       ^ did you mean model.hidden_d?\n");
  CHECK(desk.refused("model.mlp.rato=2") ==
        "error: command line:1:11: model.mlp.rato: unknown key\n"
        "    1 | model.mlp.rato=2\n"
        "      |           ^ did you mean model.mlp.ratio?\n");
  CHECK(desk.refused("training.checkpoint.evry=1 epoch") ==
        "error: command line:1:21: training.checkpoint.evry: unknown key\n"
        "    1 | training.checkpoint.evry=1 epoch\n"
        "      |                     ^ did you mean training.checkpoint.every?\n");
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
        "      |                     ^ did you mean model.mlp.ratio?\n");
}

TEST_CASE("A value of a wrong type or range is shown with what is allowed") {
  const Desk desk;
  CHECK(desk.refused("training.epochs=two") ==
        "error: command line:1:17: training.epochs: expected a whole number from 1 to "
        "1000000000, got \"two\"\n"
        "    1 | training.epochs=two\n"
        "      |                 ^\n");
  CHECK(desk.refused("model.mlp.ratio=2.5") ==
        "error: command line:1:17: model.mlp.ratio: expected a whole number from 1 to 10000, got "
        "2.5\n"
        "    1 | model.mlp.ratio=2.5\n"
        "      |                 ^\n");
  CHECK(desk.refused("optimizer.lr=-1") ==
        "error: command line:1:14: optimizer.lr: expected a number at least 0, got -1\n"
        "    1 | optimizer.lr=-1\n"
        "      |              ^\n");
  CHECK(desk.refused("training.batch_size=0") ==
        "error: command line:1:21: training.batch_size: expected a whole number from 1 to "
        "1000000000, got 0\n"
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
        "      |           ^ did you mean gelu? there are gelu, relu, squared_relu, swiglu\n");
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

TEST_CASE("Several values for one key are a sweep") {
  CHECK(Desk().refused("model.hidden_d=8,16") ==
        "error: command line:1:16: model.hidden_d: several values make a sweep: runner sweep "
        "CONFIG model.hidden_d=8,16\n"
        "    1 | model.hidden_d=8,16\n"
        "      |                ^ a list is written in brackets, [a, b], and a text with a comma "
        "or dots in quotes\n");
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
  CHECK(desk.error(ExitCode::kUsage, {"missing.yaml"}) ==
        "error: missing.yaml: no such file (" + (desk / "missing.yaml").string() +
            ": a relative path counts from the current folder)\n");
  desk.write("b.yaml", "base: c.yaml\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:1:7: base: no such file: " + (desk / "c.yaml").string() +
            "\n"
            "    1 | base: c.yaml\n"
            "      |       ^ a relative path counts from the folder of the config that names it\n");
  desk.write("c.yaml", "base: b.yaml\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: c.yaml:1:7: base: these configs inherit from each other: b.yaml -> c.yaml -> "
        "b.yaml\n"
        "    1 | base: b.yaml\n"
        "      |       ^\n");
}

TEST_CASE("An empty key is shown, at any depth") {
  const Desk desk;
  desk.write("b.yaml", "base: a.yaml\n\"\": 1\nmodel:\n  mlp: {type: gelu, \"\": 2}\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:2:1: \"\": unknown key\n"
        "    2 | \"\": 1\n"
        "      | ^ the keys are base, name, seed, replicate, device, backend, threads, step_graph, "
        "note, tags, "
        "plugins, "
        "experiment, "
        "dataset, model, loss, optimizer, schedule, callbacks, loggers, training\n"
        "b.yaml:4:21: model.mlp.\"\": unknown key\n"
        "    4 |   mlp: {type: gelu, \"\": 2}\n"
        "      |                     ^ the keys are type, ratio, dropout\n");
}

TEST_CASE("A wrong type alone is told, not what the value would do") {
  const Desk desk;
  desk.write("b.yaml", "base: a.yaml\ndataset: {validation: 0}\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml", "training.early_stopping=3"}) ==
        "error: command line:1:25: training.early_stopping: expected a mapping, got 3\n"
        "    1 | training.early_stopping=3\n"
        "      |                         ^ its keys are metric, patience, min_delta\n");
}

TEST_CASE("An item of a list that is not there cannot be set") {
  const Desk desk;
  CHECK(desk.refused("model.tasks.0.name=x") ==
        "error: command line:1:13: there is no list whose item 0 could be set\n"
        "    1 | model.tasks.0.name=x\n"
        "      |             ^ did you mean model.tasks: [{name: ...}]?\n");
  CHECK(desk.refused("model.0=x") ==
        "error: command line:1:7: there is no list whose item 0 could be set\n"
        "    1 | model.0=x\n"
        "      |       ^ set the list as a whole, in brackets\n");
  CHECK(desk.run({"a.yaml", "model.tasks=[{name: a, target: label}]", "model.tasks.0.name=digit",
                  "--dry-run"})
            .err == "");
}

TEST_CASE("All bases that are wrong are named at once") {
  const Desk desk;
  desk.write("b.yaml", "base: [x.yaml, a.yaml, [c], y.yaml]\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:1:8: base: no such file: " + (desk / "x.yaml").string() +
            "\n"
            "    1 | base: [x.yaml, a.yaml, [c], y.yaml]\n"
            "      |        ^ a relative path counts from the folder of the config that names it\n"
            "b.yaml:1:24: base: expected the path of a config, or a list of them, got a list\n"
            "    1 | base: [x.yaml, a.yaml, [c], y.yaml]\n"
            "      |                        ^\n"
            "b.yaml:1:29: base: no such file: " +
            (desk / "y.yaml").string() +
            "\n"
            "    1 | base: [x.yaml, a.yaml, [c], y.yaml]\n"
            "      |                             ^ a relative path counts from the folder of the "
            "config that "
            "names it\n");
}

TEST_CASE("A plug-in without a path is no plug-in") {
  CHECK(Desk().refused("plugins=['']") ==
        "error: command line:1:9: plugins: expected the paths of shared libraries, got \"\"\n"
        "    1 | plugins=['']\n"
        "      |         ^\n");
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
