#include "framework/sweeps/options.h"

#include "tests/framework/config/support.h"

namespace vitrine {
namespace {

// What is wrong with what stands under `sweep:`.
std::string refused(const std::string& yaml) {
  SweepOptions options;
  Problems problems;
  const Node node = parse_yaml(yaml, "a.yaml");
  read_fields(fields_of(options), node, "sweep", problems);
  if (problems.empty()) options.check(Check(node, "sweep", problems));
  return problems.empty() ? "" : problems.text("a.yaml");
}

SweepOptions read(const std::string& yaml) {
  SweepOptions options;
  CHECK(refused(yaml) == "");
  CHECK(problems_with(yaml, options) == "");
  return options;
}

TEST_CASE("the options of a sweep are read, and written so that they read the same") {
  const SweepOptions options =
      read(R"(method: {type: asha, min_epochs: 2, eta: 4, sampler: {type: tpe, startup: 5}}
metric: validation/loss
parameters:
  model.hidden_d: [8, 16]
  model.n_patches: [7, [4, 4]]
  optimizer.lr: {min: 1e-4, max: 0.1, log: true}
cells: [{name: plain, model.mlp: gelu}, {model.mlp: {type: swiglu, ratio: 2}, training.batch_size: 64}]
seeds: 3..5
trials: 20
search_seed: 7
jobs: 2
confirm: {top: 2}
)");
  CHECK(options.method.type() == "asha");
  CHECK(options.metric == "validation/loss");
  REQUIRE(options.parameters.list.size() == 3);
  CHECK(to_flow_yaml(options.parameters.list[1].values) == "[7, [4, 4]]");
  CHECK(to_flow_yaml(options.parameters.list[2].values) == "{min: 1e-4, max: 0.1, log: true}");
  REQUIRE(options.cells.list.size() == 2);
  CHECK(options.cells.list[0].name == "plain");
  CHECK(options.cells.list[1].settings[1].path == "training.batch_size");
  CHECK(options.seeds.list == std::vector<int64_t>{3, 4, 5});
  CHECK(options.confirm->top == 2);
  CHECK(options.confirm->seeds == 10);

  SweepOptions copy = options;
  const std::string written = to_yaml(write_fields(fields_of(copy)));
  SweepOptions again = read(written);
  CHECK(to_yaml(write_fields(fields_of(again))) == written);
}

TEST_CASE("defaults spelled out are no mistake") {
  SweepOptions options;
  CHECK(refused(to_yaml(write_fields(fields_of(options)))) == "");
}

TEST_CASE("mistakes in a sweep are located and explained") {
  const std::pair<const char*, const char*> cases[] = {
      {"methode: grid",
       "a.yaml:1:1: sweep.methode: unknown key\n"
       "    1 | methode: grid\n"
       "      | ^ did you mean sweep.method?"},
      {"method: best",
       "a.yaml:1:9: sweep.method: unknown searcher \"best\"\n"
       "    1 | method: best\n"
       "      |         ^ there are asha, grid, random, tpe; no plug-in is loaded; plugins: [FILE] "
       "or "
       "--plugin FILE adds some"},
      {"metric: test/accuracy",
       "a.yaml:1:9: sweep: the best cannot be chosen by test/accuracy: the test set would no "
       "longer tell how good it is on new images; choose by what validation tells\n"
       "    1 | metric: test/accuracy\n"
       "      |         ^"},
      {"metric: accuracy",
       "a.yaml:1:9: sweep: unknown metric \"accuracy\": one of validation or of training is "
       "written as validation/loss or train/loss\n"
       "    1 | metric: accuracy\n"
       "      |         ^"},
      {"name: a/b",
       "a.yaml:1:7: sweep: the name \"a/b\" cannot be a folder's: 1 to 128 letters, digits, '.', "
       "'_' or '-', not beginning with '.' or '-'\n"
       "    1 | name: a/b\n"
       "      |       ^"},
      {"parameters: [8]",
       "a.yaml:1:13: sweep.parameters: expected a mapping, got a list\n"
       "    1 | parameters: [8]\n"
       "      |             ^ written as {model.hidden_d: [8, 16]}"},
      {"parameters: {model.hidden_d: 8}",
       "a.yaml:1:30: sweep.parameters.model.hidden_d: expected a list of values or a range, got 8\n"
       "    1 | parameters: {model.hidden_d: 8}\n"
       "      |                              ^ [8, 16], or {min: 0.001, max: 0.1, log: true}"},
      {"parameters: {model.hidden_d: []}",
       "a.yaml:1:30: sweep.parameters.model.hidden_d: expected a list of values or a range, got "
       "an empty list\n"
       "    1 | parameters: {model.hidden_d: []}\n"
       "      |                              ^ [8, 16], or {min: 0.001, max: 0.1, log: true}"},
      {"parameters: {model.hidden_d: [8, 16, 8]}",
       "a.yaml:1:38: sweep.parameters.model.hidden_d: 8 is listed twice\n"
       "    1 | parameters: {model.hidden_d: [8, 16, 8]}\n"
       "      |                                      ^ each value once; more runs of one value are "
       "what seeds are for"},
      {"parameters: {seed: [0, 1]}",
       "a.yaml:1:14: sweep.parameters.seed: seeds have a place of their own\n"
       "    1 | parameters: {seed: [0, 1]}\n"
       "      |              ^ sweep.seeds"},
      {"parameters: {name: [a, b]}",
       "a.yaml:1:14: sweep.parameters.name: a sweep cannot vary it\n"
       "    1 | parameters: {name: [a, b]}\n"
       "      |              ^"},
      {"parameters: {model..x: [1, 2]}",
       "a.yaml:1:14: sweep.parameters.model..x: expected a key of a config\n"
       "    1 | parameters: {model..x: [1, 2]}\n"
       "      |              ^ such as model.hidden_d"},
      {"cells: {model.hidden_d: 8}",
       "a.yaml:1:8: sweep.cells: expected a list, got a mapping\n"
       "    1 | cells: {model.hidden_d: 8}\n"
       "      |        ^ written as [{model.hidden_d: 8, optimizer.lr: 0.01}]"},
      {"cells: [8]",
       "a.yaml:1:9: sweep.cells.0: expected a mapping, got 8\n"
       "    1 | cells: [8]\n"
       "      |         ^ written as {model.hidden_d: 8, optimizer.lr: 0.01}"},
      {"cells: [{name: [a], x: 1}, {name: b, x: 1}, {name: b, x: 2}]",
       "a.yaml:1:16: sweep.cells.0.name: expected a text, got a list\n"
       "    1 | cells: [{name: [a], x: 1}, {name: b, x: 1}, {name: b, x: 2}]\n"
       "      |                ^\n"
       "a.yaml:1:52: sweep.cells.2.name: \"b\" is the name of another cell\n"
       "    1 | cells: [{name: [a], x: 1}, {name: b, x: 1}, {name: b, x: 2}]\n"
       "      |                                                    ^"},
      {"seeds: 10",
       "a.yaml:1:8: sweep.seeds: expected seeds, got 10\n"
       "    1 | seeds: 10\n"
       "      |        ^ whole numbers at least 0: 0..2, or [0, 1, 2], on the command line 0,1,2"},
      {"seeds: 2..0",
       "a.yaml:1:8: sweep.seeds: expected seeds, got \"2..0\"\n"
       "    1 | seeds: 2..0\n"
       "      |        ^ whole numbers at least 0: 0..2, or [0, 1, 2], on the command line 0,1,2"},
      {"seeds: [0..2, 1]",
       "a.yaml:1:15: sweep.seeds: 1 is listed twice\n"
       "    1 | seeds: [0..2, 1]\n"
       "      |               ^ each value once; more runs of one value are what seeds are for"},
      {"trials: 5",
       "a.yaml:1:1: sweep.trials has no effect: a grid draws nothing; sweep.method=random does\n"
       "    1 | trials: 5\n"
       "      | ^ remove it"},
      {"search_seed: 5",
       "a.yaml:1:1: sweep.search_seed has no effect: a grid draws nothing; sweep.method=random "
       "does\n"
       "    1 | search_seed: 5\n"
       "      | ^ remove it"},
      {"method: random",
       "a.yaml:1:9: sweep: random needs to know how many cells to try: trials: 20\n"
       "    1 | method: random\n"
       "      |         ^"},
      // As older versions spelled them.
      {"{method: asha, trials: 5, eta: 2, min_epochs: 2}",
       "a.yaml:1:27: sweep.eta: unknown key\n"
       "    1 | {method: asha, trials: 5, eta: 2, min_epochs: 2}\n"
       "      |                           ^ did you mean sweep.method.eta?\n"
       "a.yaml:1:35: sweep.min_epochs: unknown key\n"
       "    1 | {method: asha, trials: 5, eta: 2, min_epochs: 2}\n"
       "      |                                   ^ did you mean sweep.method.min_epochs?"},
      {"{method: {type: asha, eta: 1}, trials: 5}",
       "a.yaml:1:28: sweep.method.eta: expected a whole number at least 2, got 1\n"
       "    1 | {method: {type: asha, eta: 1}, trials: 5}\n"
       "      |                            ^"},
      {"{method: {type: asha, sampler: grid}, trials: 5}",
       "a.yaml:1:32: sweep.method: grid draws no cells that asha could compare; random and tpe do\n"
       "    1 | {method: {type: asha, sampler: grid}, trials: 5}\n"
       "      |                                ^"},
      {"{method: {type: asha, sampler: asha}, trials: 5}",
       "a.yaml:1:32: sweep.method: asha draws no cells that asha could compare; random and tpe do\n"
       "    1 | {method: {type: asha, sampler: asha}, trials: 5}\n"
       "      |                                ^"},
      {"method: tpe",
       "a.yaml:1:9: sweep: tpe needs to know how many cells to try: trials: 20\n"
       "    1 | method: tpe\n"
       "      |         ^"},
      {"{method: {type: tpe, n_startup_trials: 0}, trials: 5}",
       "a.yaml:1:22: sweep.method.n_startup_trials: unknown key\n"
       "    1 | {method: {type: tpe, n_startup_trials: 0}, trials: 5}\n"
       "      |                      ^ did you mean sweep.method.startup?"},
      {"{method: {type: tpe, startup: 0}, trials: 5}",
       "a.yaml:1:31: sweep.method.startup: expected a whole number at least 1, got 0\n"
       "    1 | {method: {type: tpe, startup: 0}, trials: 5}\n"
       "      |                               ^"},
  };
  for (const auto& [yaml, message] : cases) CHECK(refused(yaml) == message);
}

}  // namespace
}  // namespace vitrine
