#include "framework/config/load.h"

#include "framework/registry/register.h"
#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

struct Layer {
  static constexpr const char* kKind = "layer_of_load_test";
  struct Context {};
};
struct GeluOptions {
  int64_t ratio = 4;
  void visit(Fields& field) { field("ratio", ratio, "width", at_least(1)); }
};
struct SwigluOptions : GeluOptions {};
template <class Options>
struct AnyLayer : Layer {
  AnyLayer(const Options&, const Context&) {}
};
const bool gelu = register_component<Layer, AnyLayer<GeluOptions>, GeluOptions>("", "gelu.cpp", 1);
const bool swiglu =
    register_component<Layer, AnyLayer<SwigluOptions>, SwigluOptions>("", "swiglu.cpp", 1);

struct Model {
  Choice<Layer> mlp{"gelu"};
  int64_t n_blocks = 2;
  void visit(Fields& field) {
    field("mlp", mlp, "");
    field("n_blocks", n_blocks, "");
  }
};
struct Options {
  Model model;
  void visit(Fields& field) { field("model", model, ""); }
};

using Texts = std::vector<std::pair<std::string, std::string>>;

// Configs in a fresh folder, the first of them the one that is loaded.
class Files {
 public:
  explicit Files(const Texts& files) : first_(files[0].first) {
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories((folder_ / name).parent_path());
      write_plain(folder_ / name, text);
    }
  }
  Node load(std::vector<std::string> overrides = {}, std::vector<std::string> unset = {}) const {
    return load_config({folder_ / first_, std::move(overrides), std::move(unset)});
  }
  std::string json(std::vector<std::string> overrides = {},
                   std::vector<std::string> unset = {}) const {
    return load(std::move(overrides), std::move(unset)).json().dump();
  }
  // What loading is refused with, the folder's name cut out.
  std::string refusal(std::vector<std::string> overrides = {},
                      std::vector<std::string> unset = {}) const {
    return local(message_of(ExitCode::kUsage, [&] { load(overrides, unset); }));
  }
  std::string origin(const Node& config, const std::string& path) const {
    return local(origin_of(config, path));
  }

 private:
  std::string local(std::string text) const {
    const std::string prefix = folder_.path().string() + "/";
    for (size_t at; (at = text.find(prefix)) != text.npos;) text.erase(at, prefix.size());
    return text;
  }

  TemporaryFolder folder_;
  std::string first_;
};

std::string overridden(const std::string& yaml, const std::string& assignment) {
  Node config = parse_yaml(yaml, "a.yaml");
  apply_override(config, assignment);
  return config.json().dump();
}

std::string refused(const std::string& yaml, const std::string& assignment) {
  return message_of(ExitCode::kUsage, [&] { overridden(yaml, assignment); });
}

std::string merged(const std::string& base, const std::string& over) {
  return merge(parse_yaml(base, "base.yaml"), parse_yaml(over, "a.yaml")).json().dump();
}

}  // namespace

TEST_CASE("mappings merge, lists and scalars replace", "[load]") {
  CHECK(merged("{a: {x: 1, y: 2}, b: [1, 2], c: 1}", "{a: {y: 3, z: 4}, b: [3], d: 5}") ==
        R"({"a":{"x":1,"y":3,"z":4},"b":[3],"c":1,"d":5})");
  CHECK(merged("{a: {x: 1}}", "{a: null}") == R"({"a":null})");
  CHECK(merged("{a: 5}", "{a: {x: 1}}") == R"({"a":{"x":1}})");
}

TEST_CASE("a change of type drops the base's options", "[load]") {
  CHECK(merged("m: {type: gelu, ratio: 8}", "m: {type: swiglu}") == R"({"m":{"type":"swiglu"}})");
  CHECK(merged("m: {type: gelu, ratio: 8}", "m: swiglu") == R"({"m":{"type":"swiglu"}})");
  CHECK(merged("m: gelu", "m: {type: swiglu, ratio: 2}") == R"({"m":{"type":"swiglu","ratio":2}})");
  CHECK(merged("m: {type: gelu, ratio: 8}", "m: {type: gelu, dropout: 0.1}") ==
        R"({"m":{"type":"gelu","ratio":8,"dropout":0.1}})");
  CHECK(merged("m: {type: gelu, ratio: 8}", "m: gelu") == R"({"m":{"type":"gelu","ratio":8}})");
  CHECK(merged("m: gelu", "m: {ratio: 8}") == R"({"m":{"type":"gelu","ratio":8}})");
}

TEST_CASE("options beside no type belong to the default type", "[load]") {
  const auto read = [](const Texts& texts) {
    const Files files(texts);
    const Node written = files.load();
    Options options;
    Problems problems;
    read_fields(fields_of(options), written, "", problems);
    CHECK(problems.text("") == "");
    return to_flow_yaml(options.model.mlp.write()) + " from " +
           files.origin(written, "model.mlp.ratio");
  };
  const std::string base = "model: {mlp: {ratio: 8}}";
  CHECK(read({{"a.yaml", "base: b.yaml\nmodel: {mlp: gelu}"}, {"b.yaml", base}}) ==
        "{type: gelu, ratio: 8} from b.yaml:1:22");
  CHECK(read({{"a.yaml", "base: b.yaml\nmodel: {mlp: swiglu}"}, {"b.yaml", base}}) ==
        "{type: swiglu, ratio: 4} from default");
  CHECK(read({{"a.yaml", "base: b.yaml\nmodel: {mlp: {type: gelu, ratio: 2}}"},
              {"b.yaml", base}}) == "{type: gelu, ratio: 2} from a.yaml:2:34");
  CHECK(read({{"a.yaml", "base: b.yaml\nmodel: {n_blocks: 3}"}, {"b.yaml", base}}) ==
        "{type: gelu, ratio: 8} from b.yaml:1:22");
  CHECK(read({{"a.yaml", "base: b.yaml\nmodel: {mlp: {type: swiglu}}"},
              {"b.yaml", "base: c.yaml\nmodel: {mlp: gelu}"},
              {"c.yaml", base}}) == "{type: swiglu, ratio: 4} from default");
}

TEST_CASE("bases: one, several, in other folders, through each other", "[load]") {
  CHECK(Files(Texts{{"a.yaml", "base: b.yaml\nseed: 1"}, {"b.yaml", "seed: 0\nname: b"}}).json() ==
        R"({"seed":1,"name":"b"})");
  CHECK(Files(Texts{{"a.yaml", "base: [b.yaml, c.yaml]\nw: 4"},
                    {"b.yaml", "x: 1\ny: 1"},
                    {"c.yaml", "y: 2\nz: 3"}})
            .json() == R"({"x":1,"y":2,"z":3,"w":4})");
  CHECK(Files(Texts{{"exp/a.yaml", "base: ../common/b.yaml"},
                    {"common/b.yaml", "base: c.yaml\nx: 1"},
                    {"common/c.yaml", "y: 2"}})
            .json() == R"({"y":2,"x":1})");
  CHECK(Files(Texts{{"a.yaml", "base: [b.yaml, c.yaml]"},
                    {"b.yaml", "base: d.yaml"},
                    {"c.yaml", "base: d.yaml"},
                    {"d.yaml", "x: 1"}})
            .json() == R"({"x":1})");
}

TEST_CASE("cycles of bases show the chain", "[load]") {
  CHECK(Files(Texts{{"a.yaml", "base: sub/b.yaml"},
                    {"sub/b.yaml", "seed: 1\nbase: ../c.yaml"},
                    {"c.yaml", "base: sub/b.yaml"}})
            .refusal() ==
        "c.yaml:1:7: base: these configs inherit from each other: sub/b.yaml -> c.yaml -> "
        "sub/b.yaml\n"
        "    1 | base: sub/b.yaml\n"
        "      |       ^");
  CHECK(Files(Texts{{"a.yaml", "base: a.yaml"}}).refusal() ==
        "a.yaml:1:7: base: these configs inherit from each other: a.yaml -> a.yaml\n"
        "    1 | base: a.yaml\n"
        "      |       ^");
}

TEST_CASE("bases that cannot be read are refused where they are named", "[load]") {
  CHECK(Files(Texts{{"a.yaml", "seed: 1\nbase: vit.yaml"}}).refusal() ==
        "a.yaml:2:7: base: no such file: vit.yaml\n"
        "    2 | base: vit.yaml\n"
        "      |       ^ a relative path counts from the folder of the config that names it");
  CHECK(Files(Texts{{"a.yaml", "base: {x: 1}"}}).refusal() ==
        "a.yaml:1:7: base: expected the path of a config, or a list of them, got a mapping\n"
        "    1 | base: {x: 1}\n"
        "      |       ^");
  CHECK(Files(Texts{{"a.yaml", "base:\nseed: 1"}}).refusal() ==
        "a.yaml:1:1: base: expected the path of a config, or a list of them, got nothing\n"
        "    1 | base:\n"
        "      | ^");
  CHECK(Files(Texts{{"a.yaml", "base: ''"}})
            .refusal()
            .starts_with(
                "a.yaml:1:7: base: expected the path of a config, or a list of them, got \"\"\n"));
  CHECK(Files(Texts{{"a.yaml", "base: b.yaml"}, {"b.yaml", "- 1"}}).refusal() ==
        "b.yaml:1:1: expected a mapping, got a list\n"
        "    1 | - 1\n"
        "      | ^ a config is made of lines such as seed: 0");
  CHECK(Files(Texts{{"a.yaml", "lr:0.1"}}).refusal() ==
        "a.yaml:1:1: expected a mapping, got \"lr:0.1\"\n"
        "    1 | lr:0.1\n"
        "      | ^ a config is made of lines such as seed: 0");
  CHECK(Files(Texts{{"a.yaml", "base: " + std::string(5000, 'x')}})
            .refusal()
            .starts_with("a.yaml:1:7: base: no such file: xxx"));
}

TEST_CASE("many bases end somewhere", "[load]") {
  Texts files;
  for (int i = 0; i < 12; ++i) {
    const std::string next = std::to_string(i + 1) + ".yaml";
    files.emplace_back(std::to_string(i) + ".yaml", "base: [" + next + ", " + next + "]");
  }
  files.emplace_back("12.yaml", "x: 1");
  CHECK(Files(files).refusal() == "12.yaml: more than 1000 bases");
}

TEST_CASE("the command line sets values", "[load]") {
  CHECK(overridden("{}", "optimizer.lr=1e-3") == R"({"optimizer":{"lr":0.001}})");
  CHECK(overridden("optimizer: adam", "optimizer.lr=.5") ==
        R"({"optimizer":{"type":"adam","lr":0.5}})");
  CHECK(overridden("a: {b: 1}", "a.c.d=x") == R"({"a":{"b":1,"c":{"d":"x"}}})");
  CHECK(overridden("a: 5", "a.b=1") == R"({"a":{"b":1}})");
  CHECK(overridden("{}", "n=[1, 2]") == R"({"n":[1,2]})");
  CHECK(overridden("{}", "n={a: 1, b: [2, 3]}") == R"({"n":{"a":1,"b":[2,3]}})");
  CHECK(overridden("{}", "note=\"a, b\"") == R"({"note":"a, b"})");
  CHECK(overridden("{}", "note='1'") == R"({"note":"1"})");
  CHECK(overridden("{}", "note=it's fine") == R"({"note":"it's fine"})");
  CHECK(overridden("{}", "note=a=b") == R"({"note":"a=b"})");
  CHECK(overridden("note: x", "note=") == R"({"note":null})");
  CHECK(overridden("{}", "n=a: 1\nb: 2") == R"({"n":"a: 1\nb: 2"})");
  CHECK(overridden("{}", "note=see #42") == R"({"note":"see #42"})");
  CHECK(overridden("{}", "tags=[a #1, b]") == R"({"tags":["a #1","b"]})");
}

TEST_CASE("the command line changes types as files do", "[load]") {
  const std::string config = "model: {mlp: {type: gelu, ratio: 8}}";
  CHECK(overridden(config, "model.mlp=swiglu") == R"({"model":{"mlp":{"type":"swiglu"}}})");
  CHECK(overridden(config, "model.mlp.type=swiglu") == R"({"model":{"mlp":{"type":"swiglu"}}})");
  CHECK(overridden(config, "model.mlp={type: swiglu, ratio: 3}") ==
        R"({"model":{"mlp":{"type":"swiglu","ratio":3}}})");
  CHECK(overridden(config, "model.mlp.type=gelu") ==
        R"({"model":{"mlp":{"type":"gelu","ratio":8}}})");
  CHECK(overridden("model: {mlp: gelu}", "model.mlp.ratio=8") ==
        R"({"model":{"mlp":{"type":"gelu","ratio":8}}})");
  CHECK(overridden("model: {mlp: gelu}", "model.mlp.type=swiglu") ==
        R"({"model":{"mlp":{"type":"swiglu"}}})");
}

TEST_CASE("a type on the command line drops no option that stands there before it", "[load]") {
  const Files files(Texts{{"a.yaml", "optimizer: {type: adam, betas: [0, 0]}"}});
  const std::string wanted = R"({"optimizer":{"type":"sgd","lr":5}})";
  CHECK(files.json({"optimizer.lr=5", "optimizer=sgd"}, {}) == wanted);
  CHECK(files.json({"optimizer.lr=5", "optimizer.type=sgd"}, {}) == wanted);
  CHECK(files.json({"optimizer=sgd", "optimizer.lr=5"}, {}) == wanted);
  CHECK(files.json({"optimizer.lr=1", "optimizer.lr=5", "optimizer=sgd"}, {}) == wanted);
}

TEST_CASE("items of lists are set by number", "[load]") {
  CHECK(overridden("t: [a, b]", "t.1=c") == R"({"t":["a","c"]})");
  CHECK(overridden("t: [{n: 1, m: 2}]", "t.0.n=3") == R"({"t":[{"n":3,"m":2}]})");
  CHECK(overridden("t: [normalize]", "t.0.mean=0.5") ==
        R"({"t":[{"type":"normalize","mean":0.5}]})");
  CHECK(overridden("t: [[1, 2]]", "t.0.1=5") == R"({"t":[[1,5]]})");
  CHECK(refused("t: [a, b]", "t.2=c") ==
        "command line:1:3: \"2\" is no item of this list\n"
        "    1 | t.2=c\n"
        "      |   ^ its items are 0 to 1");
  CHECK(refused("a: {t: []}", "a.t.first.x=c") ==
        "command line:1:5: \"first\" is no item of this list\n"
        "    1 | a.t.first.x=c\n"
        "      |     ^ the list is empty");
}

TEST_CASE("several values name the sweep", "[load]") {
  CHECK(refused("{}", "model.hidden_d=8,16") ==
        "command line:1:16: model.hidden_d: several values make a sweep: runner sweep CONFIG "
        "model.hidden_d=8,16\n"
        "    1 | model.hidden_d=8,16\n"
        "      |                ^ a list is written in brackets, [a, b], and a text with a comma "
        "or dots in quotes");
  CHECK(refused("{}", "seed=0..9") ==
        "command line:1:6: seed: several values make a sweep: runner sweep CONFIG seed=0..9\n"
        "    1 | seed=0..9\n"
        "      |      ^ a list is written in brackets, [a, b], and a text with a comma or dots in "
        "quotes");
  CHECK(refused("{}", "model.mlp={type: gelu},swiglu")
            .starts_with("command line:1:11: model.mlp: several values make a sweep"));
  CHECK(refused("{}", "note=it's a, b")
            .starts_with("command line:1:6: note: several values make a sweep"));
}

TEST_CASE("what is no assignment is refused", "[load]") {
  CHECK(refused("{}", "epochs") ==
        "command line:1:1: expected key=value, got \"epochs\"\n"
        "    1 | epochs\n"
        "      | ^ such as optimizer.lr=0.01");
  for (const std::string& text :
       {std::string("=5"), std::string(".a=5"), std::string("a.=5"), std::string("a..b=5"),
        std::string(""), "a" + std::string(70, '.') + "b=1"}) {
    CHECK(refused("{}", text)
              .starts_with("command line:1:1: expected key=value, got \"" + text + "\"\n"));
  }
  std::string deep = "a";
  for (int i = 0; i < 64; ++i) deep += ".a";
  CHECK(refused("{}", deep + "=1").starts_with("command line:1:1: a key has at most 64 levels\n"));
  CHECK(refused("{}", "a.b=[1, 2") ==
        "command line:1:5: a.b: the bracket [ is not closed\n"
        "    1 | a.b=[1, 2\n"
        "      |     ^");
  CHECK(refused("{}", "a={b: [1, 2]")
            .starts_with("command line:1:3: a: the bracket { is not closed\n"));
  CHECK(refused("{}", "note='it") ==
        "command line:1:6: this is not YAML: a quote is not closed\n"
        "    1 | note='it\n"
        "      |      ^");
  CHECK(refused("{}", "base=b.yaml") ==
        "command line:1:1: base: cannot be set here\n"
        "    1 | base=b.yaml\n"
        "      | ^ a config names its base in its own file");
  CHECK(refused("{}", "a={b: 1, b: 2}") ==
        "command line:1:10: the key \"b\" stands here a second time\n"
        "    1 | a={b: 1, b: 2}\n"
        "      |          ^ first at command line:1:4");
}

TEST_CASE("problems with the command line's values point into the argument", "[load]") {
  const auto problem = [](const std::string& assignment) {
    Node config = parse_yaml("model: {n_blocks: 2}", "a.yaml");
    apply_override(config, assignment);
    Options options;
    Problems problems;
    read_fields(fields_of(options), config, "", problems);
    return problems.text("a.yaml");
  };
  CHECK(problem("model.n_blocks=two") ==
        "command line:1:16: model.n_blocks: expected a whole number, got \"two\"\n"
        "    1 | model.n_blocks=two\n"
        "      |                ^");
  CHECK(problem("model.mlp.ratoi=2") ==
        "command line:1:11: model.mlp.ratoi: unknown key\n"
        "    1 | model.mlp.ratoi=2\n"
        "      |           ^ did you mean model.mlp.ratio?");
  CHECK(problem("modle.n_blocks=2") ==
        "command line:1:1: modle: unknown key\n"
        "    1 | modle.n_blocks=2\n"
        "      | ^ did you mean model?");
  CHECK(problem("model.mlp={type: gelu, ratio: 0}") ==
        "command line:1:31: model.mlp.ratio: expected a whole number at least 1, got 0\n"
        "    1 | model.mlp={type: gelu, ratio: 0}\n"
        "      |                               ^");
  CHECK(problem("model.n_blocks=") ==
        "command line:1:16: model.n_blocks: expected a whole number, got nothing\n"
        "    1 | model.n_blocks=\n"
        "      |                ^ --unset model.n_blocks takes it back to its default, 2");
}

TEST_CASE("--unset takes values back to their defaults", "[load]") {
  const Files files(Texts{{"a.yaml", "base: b.yaml\nmodel: {mlp: {type: gelu, ratio: 2}}"},
                          {"b.yaml", "seed: 3\nmodel: {n_blocks: 4, mlp: gelu}\ntags: [x]"}});
  CHECK(files.json({}, {"model.mlp"}) == R"({"seed":3,"model":{"n_blocks":4},"tags":["x"]})");
  CHECK(files.json({}, {"seed", "model.n_blocks", "tags"}) ==
        R"({"model":{"mlp":{"type":"gelu","ratio":2}}})");
  CHECK(files.json({}, {"model.mlp.type", "tags", "seed"}) ==
        R"({"model":{"n_blocks":4,"mlp":{"ratio":2}}})");
  CHECK(files.json({"model.mlp.type=gelu"}, {"model.mlp.ratio", "tags", "seed"}) ==
        R"({"model":{"n_blocks":4,"mlp":{"type":"gelu"}}})");
  CHECK(files.refusal({"tags=[y]", "model.mlp.ratio=3"}, {"model.mlp"}) ==
        "--unset model.mlp: the command line sets it as well (model.mlp.ratio=3)");
  CHECK(Files(Texts{{"a.yaml", "mlp: gelu"}}).json({}, {"mlp.type"}) == R"({"mlp":{}})");
  CHECK(files.refusal({}, {"model.n_block"}) ==
        "--unset model.n_block: the config does not set it; did you mean model.n_blocks?");
  CHECK(files.refusal({}, {"optimizer.lr"}) == "--unset optimizer.lr: the config does not set it");
  CHECK(files.refusal({}, {""}) == "--unset : the config does not set it");
  CHECK(files.refusal({}, {"tags."}) == "--unset tags.: an item of a list has no default");
  CHECK(files.refusal({}, {"tags.0"}) == "--unset tags.0: an item of a list has no default");
}

TEST_CASE("`+` adds to a list of the base, of several bases, and to the default", "[load]") {
  const auto json = [](const std::string& own, const std::string& base) {
    return Files(Texts{{"a.yaml", "base: b.yaml\n" + own}, {"b.yaml", base}}).json();
  };
  CHECK(json("tags+: [c]", "tags: [a, b]") == R"({"tags":["a","b","c"]})");
  CHECK(json("tags+: c", "tags: a") == R"({"tags":["a","c"]})");
  CHECK(json("m: {tags+: [c]}", "m: {tags: [a], n: 1}") == R"({"m":{"tags":["a","c"],"n":1}})");
  CHECK(json("t: [x]\nt+: [y]", "t: [a]") == R"({"t":["x","y"]})");
  CHECK(json("t+: [y]\nt: [x]", "t: [a]") == R"({"t":["x","y"]})");
  CHECK(json("t+: [[1, 2]]", "t: [[0, 1]]") == R"({"t":[[0,1],[1,2]]})");
  CHECK(Files(Texts{{"a.yaml", "base: b.yaml\nt+: [c]"},
                    {"b.yaml", "base: c.yaml\nt+: [b]"},
                    {"c.yaml", "t: [a]"}})
            .json({"t+=d", "t+=[e, f]"}) == R"({"t":["a","b","c","d","e","f"]})");
  CHECK(overridden("t: [a]", "t+=5") == R"({"t":["a",5]})");
  CHECK(overridden("m: [{t: [a]}]", "m.0.t+=b") == R"({"m":[{"t":["a","b"]}]})");
  CHECK(overridden("t: [[1]]", "t.0+=2") == R"({"t":[[1,2]]})");
  CHECK(Files(Texts{{"a.yaml", "base: b.yaml\nt+: [c]"}, {"b.yaml", "t: {x: 1}"}}).refusal() ==
        "a.yaml:2:5: nothing can be appended to a mapping\n"
        "    2 | t+: [c]\n"
        "      |     ^ the base has it at b.yaml:1:4");
  CHECK(
      refused("t: [a]", "t+=b,c").starts_with("command line:1:4: t: several values make a sweep"));
  CHECK_THAT(refused("t: [a]", "t+.x=b"),
             StartsWith("command line:1:1: t+.x: no key ends with +\n"));
  CHECK_THAT(refused("t: [a]", "t++=b"), StartsWith("command line:1:1: t+: no key ends with +\n"));

  struct Lists {
    std::vector<std::string> keys = {"seed"};
    int64_t epochs = 5;
    void visit(Fields& field) {
      field("keys", keys, "");
      field("epochs", epochs, "");
    }
  };
  Node config = parse_yaml("keys+: [split]", "a.yaml");
  take_appended(config);
  Lists lists;
  Problems problems;
  read_fields(fields_of(lists), config, "", problems);
  CHECK(problems.empty());
  CHECK(lists.keys == std::vector<std::string>{"seed", "split"});
  apply_override(config, "epochs+=3");
  read_fields(fields_of(lists), config, "", problems);
  CHECK(problems.text("") ==
        "command line:1:9: epochs: expected a whole number, got a list\n"
        "    1 | epochs+=3\n"
        "      |         ^ + appends to a list, which this key does not take");
}

TEST_CASE("numbers change items of a list of the base", "[load]") {
  const auto files = [](const std::string& own) {
    return Files(Texts{{"a.yaml", "base: b.yaml\n" + own},
                       {"b.yaml", "t: [{type: shift, pixels: 2}, normalize]"}});
  };
  CHECK(files("t: {0: {pixels: 3}}").json() ==
        R"({"t":[{"type":"shift","pixels":3},"normalize"]})");
  CHECK(files("t: {1: {mean: 0.5}, 0: flip}").json() ==
        R"({"t":[{"type":"flip"},{"type":"normalize","mean":0.5}]})");
  CHECK(files("t: {2: flip}").refusal() ==
        "a.yaml:2:5: \"2\" is no item of the list\n"
        "    2 | t: {2: flip}\n"
        "      |     ^ its items are 0 to 1");
}

TEST_CASE("`unset` takes keys of the bases back to their defaults", "[load]") {
  const auto files = [](const std::string& own) {
    return Files(Texts{{"a.yaml", "base: b.yaml\n" + own},
                       {"b.yaml", "seed: 3\nmodel: {mlp: {type: gelu, ratio: 2}, n: 1}\nt: [x]"}});
  };
  CHECK(files("unset: [model.mlp, t]").json() == R"({"seed":3,"model":{"n":1}})");
  CHECK(files("unset: model").json() == R"({"seed":3,"t":["x"]})");
  CHECK(files("unset: [model.mlp.ratio, seed]\nmodel: {n: 5}").json() ==
        R"({"model":{"mlp":{"type":"gelu"},"n":5},"t":["x"]})");
  // What the file itself says still holds.
  CHECK(files("unset: [model.mlp]\nmodel: {mlp: {ratio: 3}}").json() ==
        R"({"seed":3,"model":{"n":1,"mlp":{"ratio":3}},"t":["x"]})");
  CHECK(files("unset: [model.n_heads]").refusal() ==
        "a.yaml:2:9: unset: model.n_heads: no base sets it\n"
        "    2 | unset: [model.n_heads]\n"
        "      |         ^ what is set in this file is left out");
  CHECK(files("unset: [t.0]")
            .refusal()
            .starts_with("a.yaml:2:9: unset: t.0: an item of a list has no default\n"));
  CHECK(files("unset: [[t]]")
            .refusal()
            .starts_with("a.yaml:2:9: unset: expected a key, or a list of them, got a list\n"));
}

TEST_CASE("nothing, where a key cannot be nothing, is answered with what can be written",
          "[load]") {
  const auto problem = [](const std::string& yaml, const std::vector<std::string>& overrides) {
    Node config = parse_yaml(yaml, "a.yaml");
    for (const std::string& one : overrides) apply_override(config, one);
    Options options;
    Problems problems;
    read_fields(fields_of(options), config, "", problems);
    return problems.text("a.yaml");
  };
  CHECK(
      problem("model: {mlp: null}", {}) ==
      "a.yaml:1:14: model.mlp: expected a component, got nothing\n"
      "    1 | model: {mlp: null}\n"
      "      |              ^ leave it out for its default, gelu; unset: [model.mlp], at the top, "
      "takes back what a base says");
  CHECK(
      problem("model:\n", {}) ==
      "a.yaml:1:1: model: expected a mapping, got nothing\n"
      "    1 | model:\n"
      "      | ^ leave it out for its defaults; unset: [model], at the top, takes back what a base "
      "says");
  CHECK(problem("{}", {"model.n_blocks=null"}) ==
        "command line:1:16: model.n_blocks: expected a whole number, got nothing\n"
        "    1 | model.n_blocks=null\n"
        "      |                ^ --unset model.n_blocks takes it back to its default, 2");
}

TEST_CASE("bases in the home folder, and where a variable says", "[load]") {
  const TemporaryFolder home;
  write_plain(home / "b.yaml", "x: 1");
  setenv("HOME", home.path().c_str(), 1);
  setenv("VITRINE_TEST_FOLDER", home.path().c_str(), 1);
  CHECK(Files(Texts{{"a.yaml", "base: ~/b.yaml"}}).json() == R"({"x":1})");
  CHECK(Files(Texts{{"a.yaml", "base: [\"${env:VITRINE_TEST_FOLDER}/b.yaml\"]"}}).json() ==
        R"({"x":1})");
  CHECK(Files(Texts{{"a.yaml", "base: ~/c.yaml"}}).refusal() ==
        "a.yaml:1:7: base: no such file: " + (home / "c.yaml").string() +
            "\n"
            "    1 | base: ~/c.yaml\n"
            "      |       ^");
  CHECK(Files(Texts{{"a.yaml", "base: ${name}.yaml\nname: b"}})
            .refusal()
            .starts_with("a.yaml:1:7: base: no key has a value before the bases are read\n"));
}

TEST_CASE("names of experiments whose config has none", "[load]") {
  CHECK(default_name("configs/vit_mnist.yaml") == "vit_mnist");
  CHECK(default_name("vit.yaml") == "vit");
  CHECK(default_name("-") == "stdin");
  CHECK(default_name("/dev/stdin") == "stdin");
  CHECK(default_name("/dev/fd/63") == "config");
}

TEST_CASE("the origin of every value", "[load]") {
  const Files files(Texts{{"a.yaml", "base: b.yaml\nmodel:\n  mlp: gelu\n"},
                          {"b.yaml", "seed: 3\ntags: [x, y]\n"}});
  const Node config = files.load({"model.n_blocks=2", "optimizer.lr=1"});
  CHECK(files.origin(config, "seed") == "b.yaml:1:7");
  CHECK(files.origin(config, "tags") == "b.yaml:2:7");
  CHECK(files.origin(config, "tags.1") == "b.yaml:2:11");
  CHECK(files.origin(config, "model.mlp.type") == "a.yaml:3:8");
  CHECK(files.origin(config, "model.mlp.ratio") == "default");
  CHECK(files.origin(config, "model.n_blocks") == "command line");
  CHECK(files.origin(config, "optimizer.lr") == "command line");
  CHECK(files.origin(config, "optimizer.type") == "default");
  CHECK(files.origin(config, "training.epochs") == "default");
}
