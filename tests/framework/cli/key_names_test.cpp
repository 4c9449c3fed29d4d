#include "tests/framework/cli/support.h"

// Keys under names that people bring along, and what the program answers.
namespace vitrine {
namespace {

// What stands behind the carets, one line each.
std::string hints(const std::string& err) {
  static const std::regex line("[^\n]*\\^ ([^\n]*)\n");
  std::string out;
  for (std::sregex_iterator hint(err.begin(), err.end(), line), end; hint != end; ++hint)
    out += (*hint)[1].str() + "\n";
  return out;
}

TEST_CASE("A short name on the command line is answered with the whole key") {
  CHECK(Desk().refused("hidden_d=16") ==
        "error: command line:1:1: hidden_d: unknown key\n"
        "    1 | hidden_d=16\n"
        "      | ^ did you mean model.hidden_d?\n");
}

TEST_CASE("An option of components that are not chosen is named with theirs") {
  const Desk desk;
  CHECK(desk.refused("momentum=0.9") ==
        "error: command line:1:1: momentum: unknown key\n"
        "    1 | momentum=0.9\n"
        "      | ^ did you mean optimizer.momentum? it is an option of the optimizers rmsprop and "
        "sgd, not of adam\n");
  CHECK(desk.refused("optimizer.momentum=0.9") ==
        "error: command line:1:11: optimizer.momentum: unknown key\n"
        "    1 | optimizer.momentum=0.9\n"
        "      |           ^ it is an option of the optimizers rmsprop and sgd, not of adam\n");
}

TEST_CASE("Short, near and foreign names of keys are understood wherever they stand") {
  const Desk desk;
  // In the order of their columns.
  const std::vector<std::pair<const char*, const char*>> overrides = {
      {"lr=0.01", "did you mean optimizer.lr?"},
      {"epochs=3", "did you mean training.epochs?"},
      {"patience=3",
       "did you mean training.early_stopping.patience or schedule.patience (of plateau, not of "
       "constant)?"},
      {"learning_rate=1", "did you mean optimizer.lr?"},
      {"n_head=2", "did you mean model.n_heads?"},
      {"num_heads=2", "did you mean model.n_heads?"},
      {"embed_dim=8", "did you mean model.hidden_d?"},
      {"depth=2", "did you mean model.n_blocks?"},
      {"batch=8", "did you mean training.batch_size?"},
      {"weight_decay=0", "did you mean optimizer.weight_decay?"},
      {"validation_split=0.1", "did you mean dataset.validation?"},
      {"mlp_ratio=2", "did you mean model.mlp.ratio?"},
      {"dropout=0.1",
       "did you mean model.block.dropout, model.attention.dropout or model.mlp.dropout?"},
      {"pixels=2", "did you mean dataset.transforms: [{type: random_shift, pixels: ...}]?"},
      {"final=0.1",
       "did you mean schedule.final? it is an option of the schedules cosine, linear and plateau, "
       "not of "
       "constant"},
      {"optim.lr=1", "did you mean optimizer?"},
      {"trainig.epochs=3", "did you mean training?"},
      {"mlp.ratio=2", "did you mean model.mlp.ratio?"},
      {"adam.betas=[0, 0]", "did you mean optimizer.betas?"},
      {"training.batchsize=8", "did you mean training.batch_size?"},
      {"training.optimizer=sgd", "did you mean optimizer (at the top)?"},
      {"model.mlp.ration=2", "did you mean model.mlp.ratio?"},
      {"optimizer.learning_rate=1", "did you mean optimizer.lr?"},
      {"optimizer.name=sgd", "did you mean optimizer.type?"},
  };
  std::string all;
  std::vector<std::string> arguments = {"a.yaml"};
  for (const auto& [override, hint] : overrides) {
    arguments.emplace_back(override);
    all += std::string(hint) + "\n";
  }
  CHECK(hints(desk.error(ExitCode::kUsage, arguments)) == all);
}

TEST_CASE("A key of a file that stands in the wrong mapping is named where it belongs") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "val: 0.1\n"
             "optim.lr: 1\n"
             "training.batchsize: 8\n"
             "trainer: {epochs: 2, batch_size: 8}\n"
             "model: {lr: 0.1, mlp: {raito: 3}}\n"
             "dataset:\n"
             "  transforms: [{type: random_shift, pixel: 2, degrees: 3}]\n");
  CHECK(desk.error(ExitCode::kUsage, {"b.yaml"}) ==
        "error: b.yaml:2:1: val: unknown key\n"
        "    2 | val: 0.1\n"
        "      | ^ did you mean dataset.validation?\n"
        "b.yaml:3:1: optim.lr: unknown key\n"
        "    3 | optim.lr: 1\n"
        "      | ^ did you mean optimizer: {lr: ...}?\n"
        "b.yaml:4:1: training.batchsize: unknown key\n"
        "    4 | training.batchsize: 8\n"
        "      | ^ dots are for the command line; here it is training: {batch_size: ...}\n"
        "b.yaml:5:1: trainer: unknown key\n"
        "    5 | trainer: {epochs: 2, batch_size: 8}\n"
        "      | ^ did you mean training?\n"
        "b.yaml:6:9: model.lr: unknown key\n"
        "    6 | model: {lr: 0.1, mlp: {raito: 3}}\n"
        "      |         ^ did you mean optimizer.lr?\n"
        "b.yaml:6:24: model.mlp.raito: unknown key\n"
        "    6 | model: {lr: 0.1, mlp: {raito: 3}}\n"
        "      |                        ^ did you mean model.mlp.ratio?\n"
        "b.yaml:8:37: dataset.transforms.0.pixel: unknown key\n"
        "    8 |   transforms: [{type: random_shift, pixel: 2, degrees: 3}]\n"
        "      |                                     ^ did you mean dataset.transforms.0.pixels?\n"
        "b.yaml:8:47: dataset.transforms.0.degrees: unknown key\n"
        "    8 |   transforms: [{type: random_shift, pixel: 2, degrees: 3}]\n"
        "      |                                               ^ it is an option of the transform "
        "random_affine, not of random_shift\n");
}

TEST_CASE("A path that misses an item of a list is answered with one that does not") {
  const Desk desk;
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "transforms.0.pixels=2"}) ==
        "error: command line:1:12: there is no list whose item 0 could be set\n"
        "    1 | transforms.0.pixels=2\n"
        "      |            ^ did you mean dataset.transforms: [{type: random_shift, pixels: "
        "...}]?\n");
  CHECK(desk.error(ExitCode::kUsage, {"a.yaml", "dataset.transforms=[random_shift]",
                                      "dataset.transforms.pixels=2"}) ==
        "error: command line:1:20: \"pixels\" is no item of this list\n"
        "    1 | dataset.transforms.pixels=2\n"
        "      |                    ^ did you mean dataset.transforms.0.pixels?\n");
}

TEST_CASE("A type at the top is one unknown key, and drops nothing") {
  CHECK_THAT(Desk().refused("type=sgd"), StartsWith("error: command line:1:1: type: unknown key\n"
                                                    "    1 | type=sgd\n"
                                                    "      | ^ the keys are base, name, "));
}

TEST_CASE("--unset names the key that is set, or says that it is not set either") {
  const Desk desk;
  const auto said = [&](const std::string& key) {
    return desk.error(ExitCode::kUsage, {"a.yaml", "--unset", key});
  };
  CHECK(said("num_heads") ==
        "error: --unset num_heads: the config does not set it; did you mean model.n_heads?\n");
  CHECK(said("learning_rate") ==
        "error: --unset learning_rate: the config does not set it, nor optimizer.lr\n");
}

TEST_CASE("A sweep's keys are looked for among its own options and those of configs") {
  const Desk desk;
  const auto said = [&](const std::string& assignment) {
    return hints(desk.error(ExitCode::kUsage, {"sweep", "a.yaml", assignment}));
  };
  CHECK(said("lr=0.1,0.2") == "did you mean optimizer.lr?\n");
  CHECK(said("trials=20") == "did you mean sweep.trials?\n");
  CHECK(said("sweep.lr=0.1,0.2") == "did you mean optimizer.lr?\n");
  CHECK(desk.error(ExitCode::kUsage, {"sweep", "a.yaml", "sweep.trails=20"}) ==
        "error: command line:1:7: sweep.trails: unknown key\n"
        "    1 | sweep.trails=20\n"
        "      |       ^ did you mean sweep.trials?\n");
}

TEST_CASE("A key that a sweep file varies is shown where the file names it") {
  const Desk desk;
  desk.write("s.yaml",
             "base: a.yaml\n"
             "sweep:\n"
             "  parameters:\n"
             "    \"optimizer.learning_rate\": [0.1, 0.2]\n");
  CHECK(desk.error(ExitCode::kUsage, {"sweep", "s.yaml"}) ==
        "error: s.yaml:4:16: optimizer.learning_rate: unknown key\n"
        "    4 |     \"optimizer.learning_rate\": [0.1, 0.2]\n"
        "      |                ^ did you mean optimizer.lr?\n");
  desk.write("s.yaml",
             "base: a.yaml\n"
             "sweep:\n"
             "  cells:\n"
             "    - {mlp: gelu}\n");
  CHECK(desk.error(ExitCode::kUsage, {"sweep", "s.yaml"}) ==
        "error: s.yaml:4:8: mlp: unknown key\n"
        "    4 |     - {mlp: gelu}\n"
        "      |        ^ did you mean model.mlp?\n");
}

TEST_CASE("list understands names of keys, and of components without their kind") {
  const Desk desk;
  const auto said = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "list");
    const std::string text = desk.error(ExitCode::kUsage, words);
    return text.substr(0, text.find("; there are"));
  };
  CHECK(said({"sgd"}) == "error: there is no kind \"sgd\" (did you mean optimizer sgd?)");
  CHECK(said({"lr_scheduler"}) ==
        "error: there is no kind \"lr_scheduler\" (did you mean schedule?)");
  CHECK(said({"model.mlp"}) == "error: there is no kind \"model.mlp\" (did you mean mlp?)");
  CHECK(said({"optimizer", "momentum"}) ==
        "error: there is no optimizer \"momentum\" (did you mean optimizer.momentum? it is an "
        "option of the optimizers rmsprop and sgd, not of adam)");
}

TEST_CASE("A plot's option of another plot is named with it") {
  CHECK(Desk().error(ExitCode::kUsage, {"plot", "positions", "--images", "0"}) ==
        "error: command line:1:1: plot.images: unknown key\n"
        "    1 | images=0\n"
        "      | ^ it is an option of the plots attention and reconstruction, not of positions\n");
}

}  // namespace
}  // namespace vitrine
