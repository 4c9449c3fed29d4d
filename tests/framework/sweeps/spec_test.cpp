#include "framework/sweeps/spec.h"

#include "framework/sweeps/combinations.h"
#include "tests/framework/config/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

class Folder : public TemporaryFolder {
 public:
  Folder() {
    write_plain(*this / "base.yaml", "name: plain\nmodel: {hidden_d: 4}\n");
    write_plain(*this / "other.yaml", "model: {hidden_d: 6}\n");
  }
  // Writes a sweep file and returns its path.
  std::string sweep(const std::string& yaml) const {
    write_plain(*this / "sizes.yaml", yaml);
    return *this / "sizes.yaml";
  }
  std::string base() const { return *this / "base.yaml"; }
  std::string other() const { return *this / "other.yaml"; }
};

// Each combination of a spec, as "config: a=1 b=2".
std::string combinations(const SweepSpec& spec, size_t most = 100) {
  const FieldTypes types(Json::parse(
      R"({"properties": {"decay": {"type": "number"}, "width": {"type": "integer"}}})"));
  Problems problems;
  const Space space = read_space(spec.options, types, problems);
  CHECK(problems.text("") == "");
  Combinations all(spec, space, types);
  std::string out;
  for (size_t i = 0; i < most; ++i) {
    const auto next = all.next();
    if (!next) break;
    out += std::to_string(next->config) + ":";
    for (const Setting& setting : next->settings)
      out += " " + setting.path + "=" + to_flow_yaml(setting.value);
    out += "\n";
  }
  return out;
}

TEST_CASE("commas part values, brackets and quotes keep them together") {
  const Folder folder;
  const SweepSpec spec =
      read_spec({folder.base()}, {"model.n_patches=[7,14],[4,4],7", "note='a,b',\"c,d\",e",
                                  "model.mlp={type: gelu, ratio: 2},swiglu", "optimizer.lr=0.01"});
  const auto& list = spec.options.parameters.list;
  REQUIRE(list.size() == 4);
  const auto values = [&](size_t i) {
    std::string out;
    for (const Node& value : list[i].values.children) out += to_flow_yaml(value) + ";";
    return out;
  };
  CHECK(values(0) == "[7, 14];[4, 4];7;");
  CHECK(values(1) == "\"a,b\";\"c,d\";e;");
  CHECK(values(2) == "{type: gelu, ratio: 2};swiglu;");
  CHECK(values(3) == "0.01;");
}

TEST_CASE("seeds and whole numbers are given as ranges, both ends included") {
  const Folder folder;
  const SweepSpec spec = read_spec({folder.base()}, {"seed=0..2,7", "model.hidden_d=8..10"});
  CHECK(spec.options.seeds.list == std::vector<int64_t>{0, 1, 2, 7});
  CHECK(combinations(spec) ==
        "0: model.hidden_d=8\n"
        "0: model.hidden_d=9\n"
        "0: model.hidden_d=10\n");
}

TEST_CASE("ends of ranges take values of the environment and of the config") {
  const Folder folder;
  setenv("VITRINE_TEST_LOW", "0.5", 1);
  const SweepSpec spec = read_spec(
      {folder.sweep("base: base.yaml\na: 2\nsweep: {method: random, trials: 3, parameters: "
                    "{b: {min: '${a}', max: 4}, c: ['${env:VITRINE_TEST_LOW}..${a}']}}\n")},
      {"d=log:${env:VITRINE_TEST_LOW}..${a}", "seed=${a}..4"});
  CHECK(to_flow_yaml(spec.options.parameters.write()) ==
        "{b: {min: 2, max: 4}, c: [0.5..2], d: [log:0.5..2]}");
  CHECK(spec.options.seeds.list == std::vector<int64_t>{2, 3, 4});
  const SweepSpec varied = read_spec({folder.base()}, {"a=1,2", "b=${a}..4"});
  CHECK(to_flow_yaml(varied.options.parameters.write()) == "{a: [1, 2], b: [\"${a}..4\"]}");
}

TEST_CASE("a grid has every combination, the last key varying fastest") {
  const Folder folder;
  const SweepSpec spec = read_spec({folder.base(), folder.other()},
                                   {"a=1,2", "sweep.cells=[{c: x, d: 1}, {c: z}]", "b=3,4"});
  CHECK(combinations(spec) ==
        "0: c=x d=1 a=1 b=3\n0: c=x d=1 a=1 b=4\n0: c=x d=1 a=2 b=3\n0: c=x d=1 a=2 b=4\n"
        "0: c=z a=1 b=3\n0: c=z a=1 b=4\n0: c=z a=2 b=3\n0: c=z a=2 b=4\n"
        "1: c=x d=1 a=1 b=3\n1: c=x d=1 a=1 b=4\n1: c=x d=1 a=2 b=3\n1: c=x d=1 a=2 b=4\n"
        "1: c=z a=1 b=3\n1: c=z a=1 b=4\n1: c=z a=2 b=3\n1: c=z a=2 b=4\n");
}

TEST_CASE("draws are the same for the same seed, on any machine") {
  const Folder folder;
  const std::string file = folder.sweep(R"(base: base.yaml
sweep:
  method: random
  trials: 3
  parameters:
    lr: {min: 1e-4, max: 0.1, log: true}
    width: {min: 8, max: 64}
    decay: {min: -1, max: 1}
    mlp: [gelu, swiglu]
)");
  const std::string draws =
      "0: lr=0.09472 width=10 decay=0.195 mlp=swiglu\n"
      "0: lr=0.007845 width=32 decay=0.6845 mlp=swiglu\n"
      "0: lr=0.009259 width=61 decay=-0.3112 mlp=gelu\n";
  CHECK(combinations(read_spec({file}, {}), 3) == draws);
  CHECK(combinations(read_spec({file}, {}), 3) == draws);
  CHECK(combinations(read_spec({file}, {"sweep.search_seed=1"}), 3) != draws);
}

TEST_CASE("draws never repeat, and end when there is nothing more") {
  const Folder folder;
  const SweepSpec spec =
      read_spec({folder.base()}, {"a=1,2", "b=1,2,3", "sweep.method=random", "sweep.trials=50"});
  const std::string all = combinations(spec);
  CHECK(std::count(all.begin(), all.end(), '\n') == 6);
  for (const char* combination : {"a=1 b=1", "a=1 b=2", "a=1 b=3", "a=2 b=1", "a=2 b=2", "a=2 b=3"})
    CHECK_THAT(all, Contains(combination));
}

TEST_CASE("a sweep file is a config with a sweep in it") {
  const Folder folder;
  const SweepSpec spec = read_spec({folder.sweep(R"(base: base.yaml
model: {n_heads: 2}
sweep: {parameters: {model.hidden_d: [8, 16], model.mlp: [gelu]}, seeds: [1, 2]}
)")},
                                   {"model.hidden_d=32,64", "seed=5", "sweep.jobs=3"});
  CHECK(spec.name == "sizes");
  REQUIRE(spec.configs.size() == 1);
  CHECK(to_flow_yaml(spec.configs[0].written) == "{name: plain, model: {hidden_d: 4, n_heads: 2}}");
  CHECK(spec.options.seeds.list == std::vector<int64_t>{5});
  CHECK(*spec.options.jobs == 3);
  CHECK(combinations(spec) ==
        "0: model.hidden_d=32 model.mlp=gelu\n0: model.hidden_d=64 model.mlp=gelu\n");
}

TEST_CASE("sweep.configs are swept side by side, the file's own keys over each") {
  const Folder folder;
  const SweepSpec spec = read_spec({folder.sweep("model: {n_heads: 2}\n"
                                                 "sweep: {configs: [base.yaml, other.yaml]}\n")},
                                   {});
  REQUIRE(spec.configs.size() == 2);
  CHECK(to_flow_yaml(spec.configs[1].written) == "{model: {hidden_d: 6, n_heads: 2}}");
}

TEST_CASE("a sweep is named after its config, its configs or its file") {
  const Folder folder;
  CHECK(read_spec({folder.base()}, {}).name == "plain");
  CHECK(read_spec({folder.base()}, {"name=mine"}).name == "mine");
  CHECK(read_spec({folder.base(), folder.other()}, {}).name == "plain-other");
  CHECK(read_spec({folder.base()}, {"sweep.name=chosen"}).name == "chosen");
}

TEST_CASE("a sweep is written so that it reads the same") {
  const Folder folder;
  for (const std::vector<std::string>& files :
       {std::vector<std::string>{folder.base()}, {folder.base(), folder.other()}}) {
    const SweepSpec spec = read_spec(files, {"model.n_patches=[7,14],7", "seed=0..2", "a=null,x"});
    const std::string text = to_yaml(spec);
    const SweepSpec again = read_spec({folder.sweep(text)}, {});
    CHECK(to_yaml(again) == text);
    CHECK(combinations(again) == combinations(spec));
    REQUIRE(again.configs.size() == files.size());
    CHECK(to_yaml(again.configs.back().written) == to_yaml(spec.configs.back().written));
  }
}

TEST_CASE("a sweep on the command line is refused with the place of the mistake") {
  const Folder folder;
  const auto refused = [&](const std::vector<std::string>& assignments) {
    return message_of(ExitCode::kUsage, [&] { read_spec({folder.base()}, assignments); });
  };
  CHECK(refused({"model.hidden_d=8,16", "model.hidden_d=32"}) ==
        "command line:1:1: model.hidden_d: given twice\n"
        "    1 | model.hidden_d=32\n"
        "      | ^ several values stand in one argument, parted by commas");
  CHECK(refused({"model.hidden_d=8,,16"}) ==
        "command line:1:18: model.hidden_d: a value is missing\n"
        "    1 | model.hidden_d=8,,16\n"
        "      |                  ^ nothing at all is written null");
  CHECK(refused({"sweep.slurm.partition="}) ==
        "command line:1:23: sweep.slurm.partition: a value is missing\n"
        "    1 | sweep.slurm.partition=\n"
        "      |                       ^ nothing at all is written null");
  CHECK(refused({"model.hidden_d=8,16,8"}) ==
        "command line:1:21: sweep.parameters.model.hidden_d: 8 is listed twice\n"
        "    1 | model.hidden_d=8,16,8\n"
        "      |                     ^ each value once; more runs of one value are what seeds are "
        "for");
  CHECK(refused({"seed=1,x"}) ==
        "command line:1:8: sweep.seeds: expected seeds, got \"x\"\n"
        "    1 | seed=1,x\n"
        "      |        ^ whole numbers at least 0: 0..2, or [0, 1, 2], on the command line 0,1,2");
  CHECK(refused({"name=a,b"}) ==
        "command line:1:1: name: it cannot vary\n"
        "    1 | name=a,b\n"
        "      | ^ each trial has a folder of its own");
  CHECK(refused({"sweep.method=grid,asha"}) ==
        "command line:1:1: options of the sweep are set one by one\n"
        "    1 | sweep.method=grid,asha\n"
        "      | ^ such as sweep.trials=20; a list is written in brackets");
  CHECK(refused({"sweep.cells=[{a: 1}]", "a=2,3"}) ==
        "command line:1:15: sweep.cells: a is set by a parameter as well\n"
        "    1 | sweep.cells=[{a: 1}]\n"
        "      |               ^ that is at command line:1:1");
  const SweepSpec large = read_spec({folder.base()}, {"a=1..1000", "b=1..1000"});
  CHECK(message_of(ExitCode::kUsage, [&] { combinations(large); }) ==
        "the grid has more than 100000 cells; method: random draws some of them");
}

TEST_CASE("a sweep file stands alone") {
  const Folder folder;
  const std::string file = folder.sweep("base: base.yaml\nsweep: {seeds: 0..1}\n");
  CHECK(message_of(ExitCode::kUsage,
                   [&] {
                     read_spec({folder.base(), file}, {});
                   }) == file +
                             ":2:1: sweep: a sweep file stands alone\n"
                             "    2 | sweep: {seeds: 0..1}\n"
                             "      | ^ sweep.configs names configs that are swept side by side");
}

}  // namespace
}  // namespace vitrine
