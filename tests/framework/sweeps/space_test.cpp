#include "framework/sweeps/space.h"

#include "framework/sweeps/combinations.h"
#include "tests/framework/config/support.h"

// Which values a sweep tries: lists and ranges at any depth, and what their keys make of them.
namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// Two optimizers whose `decay` differs in kind, a model with whole numbers and a list, and a few
// keys of other kinds.
const FieldTypes& types() {
  static const FieldTypes out(Json::parse(R"({"properties": {
    "note": {"type": "string"},
    "amsgrad": {"type": "boolean"},
    "share": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
    "model": {"anyOf": [{"enum": ["vit"]}, {"type": "object", "properties": {
      "type": {"const": "vit"},
      "n_blocks": {"type": "integer"},
      "n_patches": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}
    }}]},
    "optimizer": {"anyOf": [{"enum": ["adam", "sgd"]},
      {"type": "object", "properties": {
        "type": {"const": "sgd"}, "lr": {"type": "number"}, "decay": {"type": "integer"},
        "momentum": {"type": "number"}}},
      {"type": "object", "properties": {
        "type": {"const": "adam"}, "lr": {"type": "number"}, "decay": {"type": "number"},
        "betas": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}}}
    ]},
    "steps": {"type": "array", "items": {"type": "object", "properties": {
      "width": {"type": "integer"}, "kind": {"type": "string"}}}}
  }})"));
  return out;
}

struct Searched {
  SweepSpec spec;
  Space space;
  Problems problems;
};

Searched search(const std::string& yaml, const std::string& config = "{}") {
  Searched out;
  const Node node = parse_yaml(yaml, "a.yaml");
  read_fields(fields_of(out.spec.options), node, "sweep", out.problems);
  out.spec.configs = {{"a.yaml", parse_yaml(config, "b.yaml")}};
  if (out.problems.empty()) out.space = read_space(out.spec.options, types(), out.problems);
  return out;
}

std::string line_of(const Combination& combination) {
  std::string out;
  for (const Setting& setting : combination.settings)
    out += (out.empty() ? "" : " ") + setting.path + "=" + to_flow_yaml(setting.value);
  return out + "\n";
}

// All cells of a grid, or the first draws of a search.
std::string cells(const std::string& yaml, size_t most = 100, const std::string& config = "{}") {
  const Searched searched = search(yaml, config);
  REQUIRE(searched.problems.text("") == "");
  Combinations all(searched.spec, searched.space, types());
  std::string out;
  for (size_t i = 0; i < most; ++i) {
    const auto next = all.next();
    if (!next) break;
    out += line_of(*next);
  }
  return out;
}

std::string refused(const std::string& yaml) { return search(yaml).problems.text("a.yaml"); }

TEST_CASE("lists within cells vary, each cell for itself") {
  CHECK(cells(R"(cells:
  - optimizer: {type: sgd, lr: [0.1, 1], momentum: 0.9}
  - {name: plain, optimizer: adam}
parameters: {model.n_blocks: [1, 2]}
)") == "optimizer=sgd optimizer.momentum=0.9 optimizer.lr=0.1 model.n_blocks=1\n"
       "optimizer=sgd optimizer.momentum=0.9 optimizer.lr=0.1 model.n_blocks=2\n"
       "optimizer=sgd optimizer.momentum=0.9 optimizer.lr=1 model.n_blocks=1\n"
       "optimizer=sgd optimizer.momentum=0.9 optimizer.lr=1 model.n_blocks=2\n"
       "optimizer=adam model.n_blocks=1\n"
       "optimizer=adam model.n_blocks=2\n");
}

TEST_CASE("choices hold choices, at any depth") {
  CHECK(cells("parameters: {optimizer: [adam, {type: sgd, lr: [1, {min: 2, max: 4, step: 1}]}]}") ==
        "optimizer=adam\n"
        "optimizer=sgd optimizer.lr=1\n"
        "optimizer=sgd optimizer.lr=2\n"
        "optimizer=sgd optimizer.lr=3\n"
        "optimizer=sgd optimizer.lr=4\n");
  CHECK(cells("parameters: {optimizer: {type: [adam, sgd], lr: 0.5}}") ==
        "optimizer.lr=0.5 optimizer=adam\noptimizer.lr=0.5 optimizer=sgd\n");
  CHECK(cells("cells: [{steps: [{kind: a, width: [1, 2]}, {kind: b}]}]") ==
        "steps=[{kind: a, width: 1}, {kind: b}]\nsteps=[{kind: a, width: 2}, {kind: b}]\n");
  CHECK(cells("cells: [{optimizer: {type: sgd, lr: 1}}]") == "optimizer={type: sgd, lr: 1}\n");
}

TEST_CASE("of a key that is a list itself several values are a list of lists") {
  CHECK(cells("cells: [{optimizer: {type: adam, betas: [0.9, 0.99]}}]") ==
        "optimizer={type: adam, betas: [0.9, 0.99]}\n");
  CHECK(cells("cells: [{optimizer: {type: adam, betas: [[0.9, 0.99], [0.8, 0.9]]}}]") ==
        "optimizer=adam optimizer.betas=[0.9, 0.99]\noptimizer=adam optimizer.betas=[0.8, 0.9]\n");
  CHECK(cells("cells: [{model.n_patches: [7, 14]}, {model.n_patches: [[7, 14], 4]}]") ==
        "model.n_patches=[7, 14]\nmodel.n_patches=[7, 14]\nmodel.n_patches=4\n");
  CHECK(cells("parameters: {model.n_patches: [7, [4, 4]]}") ==
        "model.n_patches=7\nmodel.n_patches=[4, 4]\n");
  CHECK(cells("cells: [{optimizer.betas: [0.9, {min: 0.5, max: 1, step: 0.25}]}]") ==
        "optimizer.betas=[0.9, 0.5]\noptimizer.betas=[0.9, 0.75]\noptimizer.betas=[0.9, 1]\n");
  CHECK(varying_paths(search("cells: [{optimizer.betas: [0.9, 0.5..1.0:0.25]}]").space) ==
        std::vector<std::string>{"optimizer.betas"});
}

TEST_CASE("a range draws what its key takes: whole numbers, any numbers") {
  const std::string drawn = cells(R"(method: random
search_seed: 1
parameters:
  model.n_blocks: {min: 1, max: 3}
  optimizer.lr: {min: 1, max: 3}
  share: {min: 0, max: 1000}
  unknown: {min: 0.5, max: 1000}
)",
                                  3);
  CHECK(drawn ==
        "model.n_blocks=1 optimizer.lr=1.902 share=21 unknown=351.2\n"
        "model.n_blocks=2 optimizer.lr=1.149 share=570 unknown=635.4\n"
        "model.n_blocks=2 optimizer.lr=2.579 share=221 unknown=419\n");
}

TEST_CASE("where components differ in a key's kind, the chosen one tells it") {
  const std::string yaml =
      "{method: random, parameters: {optimizer: [sgd, adam], optimizer.decay: {min: 1, max: 9}}}";
  const std::string drawn = cells(yaml, 20);
  CHECK_THAT(drawn, StartsWith("optimizer=adam optimizer.decay=1.317\n"
                               "optimizer=adam optimizer.decay=1.457\n"
                               "optimizer=sgd optimizer.decay=8\n"));
  CHECK(cells("{method: random, cells: [{optimizer: {type: sgd, decay: {min: 1, max: 9}}}]}", 1) ==
        "optimizer=sgd optimizer.decay=1\n");
  CHECK(cells("{method: random, parameters: {optimizer.decay: {min: 1, max: 9}}}", 1,
              "{optimizer: adam}") == "optimizer.decay=8.937\n");
}

TEST_CASE("steps and logarithms, for both kinds") {
  CHECK(cells("parameters: {model.n_blocks: {min: 2, max: 9, step: 3}}") ==
        "model.n_blocks=2\nmodel.n_blocks=5\nmodel.n_blocks=8\n");
  CHECK(cells("parameters: {optimizer.lr: {min: 0.1, max: 0.3, step: 0.1}}") ==
        "optimizer.lr=0.1\noptimizer.lr=0.2\noptimizer.lr=0.3\n");
  // Half of the draws are below the square root of the largest.
  const auto below = [](const std::string& drawn, double limit) {
    size_t out = 0;
    for (size_t at = 0; at < drawn.size(); at = drawn.find('\n', at) + 1)
      out += std::stod(drawn.substr(drawn.find('=', at) + 1)) < limit;
    return out;
  };
  const std::string whole =
      cells("{method: random, parameters: {model.n_blocks: {min: 1, max: 1e10, log: true}}}", 400);
  CHECK(below(whole, 1e5) > 160);
  CHECK(below(whole, 1e5) < 240);
  CHECK_THAT(whole, !Contains("e+"));
  const std::string any =
      cells("{method: random, parameters: {optimizer.lr: {min: 1e-4, max: 1, log: true}}}", 1000);
  CHECK(below(any, 0.01) > 450);
  CHECK(below(any, 0.01) < 550);
  const std::string steps = cells(
      "{method: random, parameters: {model.n_blocks: {min: 8, max: 64, log: true, step: 8}}}", 99);
  CHECK(std::count(steps.begin(), steps.end(), '\n') == 8);  // all that there are
}

TEST_CASE("short forms of ranges") {
  CHECK(cells("parameters: {model.n_blocks: 1..3}") ==
        "model.n_blocks=1\nmodel.n_blocks=2\nmodel.n_blocks=3\n");
  CHECK(cells("parameters: {model.n_blocks: [1..2, 8]}") ==
        "model.n_blocks=1\nmodel.n_blocks=2\nmodel.n_blocks=8\n");
  CHECK(cells("parameters: {optimizer.lr: 0..1:0.5}") ==
        "optimizer.lr=0\noptimizer.lr=0.5\noptimizer.lr=1\n");
  CHECK(cells("cells: [{model: {n_blocks: 1..2}, note: 1..2}]") ==
        "note=1..2 model.n_blocks=1\nnote=1..2 model.n_blocks=2\n");
  const auto drawn = [](const std::string& range) {
    return cells("{method: random, parameters: {optimizer.lr: " + range + "}}", 5);
  };
  CHECK(drawn("1e-4..1e-1") == drawn("{min: 1e-4, max: 0.1}"));
  CHECK(drawn("[1e-4..1e-1]") == drawn("{min: 1e-4, max: 0.1}"));
  CHECK(drawn("['1e-4..1e-1']") == "optimizer.lr=\"1e-4..1e-1\"\n");
  CHECK(drawn("log:1e-4..1e-1") == drawn("{min: 1e-4, max: 0.1, log: true}"));
  CHECK(drawn("log:1..100:1") == drawn("{min: 1, max: 100, log: true, step: 1}"));
}

TEST_CASE("every value is tried once before any is drawn") {
  const Searched searched = search(R"(method: random
cells: [{optimizer: {type: sgd, lr: [1, 2]}}, {optimizer: adam}]
parameters: {model.n_blocks: {min: 1, max: 9}, note: [a, b, c]}
)");
  std::string out;
  for (const Combination& combination :
       Combinations(searched.spec, searched.space, types()).samples())
    out += line_of(combination);
  for (const char* value : {"=sgd optimizer.lr=1 ", "=sgd optimizer.lr=2 ", "=adam ", "n_blocks=1 ",
                            "n_blocks=9 ", "note=a\n", "note=b\n", "note=c\n"})
    CHECK_THAT(out, Contains(value));
  CHECK(std::count(out.begin(), out.end(), '\n') == 4);
}

TEST_CASE("mistakes in ranges and lists are located and explained") {
  const std::pair<const char*, const char*> cases[] = {
      {"{method: random, parameters: {optimizer.lr: {min: 1}}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: a range needs max\n"
       "    1 | {method: random, parameters: {optimizer.lr: {min: 1}}}\n"
       "      |                                             ^ written as {min: 0.001, max: 0.1}"},
      {"{method: random, parameters: {optimizer.lr: {low: 1, max: 2}}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: a range needs min\n"
       "    1 | {method: random, parameters: {optimizer.lr: {low: 1, max: 2}}}\n"
       "      |                                             ^ written as {min: 0.001, max: 0.1}\n"
       "a.yaml:1:46: sweep.parameters.optimizer.lr.low: unknown key\n"
       "    1 | {method: random, parameters: {optimizer.lr: {low: 1, max: 2}}}\n"
       "      |                                              ^ did you mean "
       "sweep.parameters.optimizer.lr.log?"},
      {"{method: random, parameters: {optimizer.lr: {min: '${other}', max: 1}}}",
       "a.yaml:1:51: sweep.parameters.optimizer.lr.min: \"${other}\": the ends of a range are the "
       "same for all trials\n"
       "    1 | {method: random, parameters: {optimizer.lr: {min: '${other}', max: 1}}}\n"
       "      |                                                   ^ an end is a number, "
       "${env:NAME}, or "
       "${KEY} of a key that the config sets and the sweep does not"},
      {"{method: random, parameters: {optimizer.lr: {min: 1, max: 0.1}}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: min (1) must be below max (0.1)\n"
       "    1 | {method: random, parameters: {optimizer.lr: {min: 1, max: 0.1}}}\n"
       "      |                                             ^"},
      {"{method: random, cells: [{optimizer: {lr: {min: 0, max: 1, log: true}}}]}",
       "a.yaml:1:43: sweep.cells.0.optimizer.lr: log: true: min (0) must be above 0\n"
       "    1 | {method: random, cells: [{optimizer: {lr: {min: 0, max: 1, log: true}}}]}\n"
       "      |                                           ^"},
      {"{method: random, parameters: {optimizer.lr: {min: 0, max: 1, step: 2}}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: step (2) must be above 0, and at most max - "
       "min "
       "(1)\n"
       "    1 | {method: random, parameters: {optimizer.lr: {min: 0, max: 1, step: 2}}}\n"
       "      |                                             ^"},
      {"{method: random, parameters: {model.n_blocks: {min: 1.5, max: 3}}}",
       "a.yaml:1:53: sweep.parameters.model.n_blocks.min: expected a whole number, got 1.5\n"
       "    1 | {method: random, parameters: {model.n_blocks: {min: 1.5, max: 3}}}\n"
       "      |                                                     ^ the key takes whole numbers"},
      {"{method: random, parameters: {model.n_blocks: {min: 0, max: 9223372036854775807}}}",
       "a.yaml:1:61: sweep.parameters.model.n_blocks.max: expected a whole number, got "
       "9223372036854775807\n"
       "    1 | {method: random, parameters: {model.n_blocks: {min: 0, max: "
       "9223372036854775807}}}\n"
       "      |                                                             ^ the ends of a range "
       "of whole numbers are at most 1e+15"},
      {"{method: random, parameters: {amsgrad: {min: 0, max: 1}}}",
       "a.yaml:1:40: sweep.parameters.amsgrad: a range is of numbers, which this key does not "
       "take\n"
       "    1 | {method: random, parameters: {amsgrad: {min: 0, max: 1}}}\n"
       "      |                                        ^ its values are listed"},
      {"parameters: {optimizer.lr: {min: 0.1, max: 1}}",
       "a.yaml:1:28: sweep.parameters.optimizer.lr: a grid takes lists; the other methods draw "
       "values from ranges\n"
       "    1 | parameters: {optimizer.lr: {min: 0.1, max: 1}}\n"
       "      |                            ^ sweep.method=random, or step: 0.1 for every value in "
       "steps"},
      {"parameters: {optimizer.lr: log:1..8:1}",
       "a.yaml:1:28: sweep.parameters.optimizer.lr.log has no effect: a grid takes every value\n"
       "    1 | parameters: {optimizer.lr: log:1..8:1}\n"
       "      |                            ^ remove it"},
      {"{method: random, parameters: {a: {min: 1, max: 2, distribution: log_uniform}}}",
       "a.yaml:1:51: sweep.parameters.a.distribution: a range has no such key\n"
       "    1 | {method: random, parameters: {a: {min: 1, max: 2, distribution: log_uniform}}}\n"
       "      |                                                   ^ write log: true instead"},
      {"{method: random, parameters: {a: {min: 1, max: 2, distribution: int_uniform}}}",
       "a.yaml:1:51: sweep.parameters.a.distribution: a range has no such key\n"
       "    1 | {method: random, parameters: {a: {min: 1, max: 2, distribution: int_uniform}}}\n"
       "      |                                                   ^ leave it out: a key that takes "
       "whole numbers is given whole numbers"},
      {"{method: random, parameters: {optimizer.lr: 0..1}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: \"0..1\" is a list of whole numbers, and the "
       "key "
       "takes any number\n"
       "    1 | {method: random, parameters: {optimizer.lr: 0..1}}\n"
       "      |                                             ^ 0.0..1.0 draws what lies between; a "
       "list is spelled out"},
      {"{method: random, parameters: {optimizer.lr: 1e-4...1}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: \"1e-4...1\": three dots may be meant in two "
       "ways\n"
       "    1 | {method: random, parameters: {optimizer.lr: 1e-4...1}}\n"
       "      |                                             ^ write 0.5 instead of .5, and 5 "
       "instead "
       "of 5."},
      {"{method: random, parameters: {optimizer.lr: 0.1..0.5..0.1}}",
       "a.yaml:1:45: sweep.parameters.optimizer.lr: \"0.1..0.5..0.1\": a range has two ends\n"
       "    1 | {method: random, parameters: {optimizer.lr: 0.1..0.5..0.1}}\n"
       "      |                                             ^ steps stand behind a colon, as in "
       "0..1:0.25"},
      {"parameters: {model.n_blocks: 3..1}",
       "a.yaml:1:30: sweep.parameters.model.n_blocks: \"3..1\": the smaller end comes first\n"
       "    1 | parameters: {model.n_blocks: 3..1}\n"
       "      |                              ^ such as 1e-4..0.1, log:1e-4..0.1, or 0..1:0.25 in "
       "steps"},
      {"parameters: {model.n_blocks: [8, 7..9]}",
       "a.yaml:1:34: sweep.parameters.model.n_blocks: 8 is listed twice\n"
       "    1 | parameters: {model.n_blocks: [8, 7..9]}\n"
       "      |                                  ^ each value once; more runs of one value are "
       "what "
       "seeds are for"},
      {"parameters: {model.n_blocks: 0..100000}",
       "a.yaml:1:30: sweep.parameters.model.n_blocks: \"0..100000\": more than 100000 values\n"
       "    1 | parameters: {model.n_blocks: 0..100000}\n"
       "      |                              ^ {min: 0, max: 100000} draws from them"},
      {"cells: [{model: {n_blocks: []}}]",
       "a.yaml:1:28: sweep.cells.0.model.n_blocks: expected values, got an empty list\n"
       "    1 | cells: [{model: {n_blocks: []}}]\n"
       "      |                            ^"},
  };
  for (const auto& [yaml, message] : cases) CHECK(refused(yaml) == message);
}

}  // namespace
}  // namespace vitrine
