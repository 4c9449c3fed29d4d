#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/framework/cli/support.h"

// A component of one's own, from what `runner plugin new` writes; and the pages that show the same.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

const fs::path kPages = VITRINE_SOURCE_DIR "/docs/kinds";
constexpr const char* kSamples = VITRINE_BINARY_DIR "/test_plugin_samples.so";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// What sweeps are made of is part of the program: there are pages of it, and no plug-ins.
const std::set<std::string> kOfSweeps = {"launcher", "searcher"};

// Those that plug-ins may have components of.
const std::set<std::string>& kinds() {
  static const std::set<std::string> known = [] {
    std::set<std::string> out;
    const Desk desk;
    for (const Json& component : Json::parse(desk.run({"list", "--json"}).out))
      out.insert(component.at("kind").get<std::string>());
    for (const std::string& kind : kOfSweeps) CHECK(out.erase(kind) == 1);
    return out;
  }();
  return known;
}

// What stands between ```cpp and ``` in a page.
std::vector<std::string> code_in(const fs::path& page) {
  std::vector<std::string> out;
  const std::string text = bytes_of(page), begin = "```cpp\n";
  for (size_t at = text.find(begin); at != text.npos; at = text.find(begin, at + 1)) {
    const size_t first = at + begin.size();
    out.push_back(text.substr(first, text.find("```\n", first) - first));
  }
  return out;
}

TEST_CASE("every kind has a page, whose code is that of a new plug-in, and nothing else has") {
  std::set<std::string> pages;
  for (const auto& entry : fs::directory_iterator(kPages)) {
    if (entry.path().extension() == ".md") pages.insert(entry.path().stem().string());
  }
  std::set<std::string> wanted = kinds();
  wanted.insert("own");
  wanted.insert(kOfSweeps.begin(), kOfSweeps.end());
  CHECK(pages == wanted);
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    REQUIRE(code_in(kPages / (kind + ".md")).size() == 1);
    CHECK(code_in(kPages / (kind + ".md"))[0] == bytes_of(kPages / kind / "example.cpp"));
  }
  std::vector<std::string> own;
  for (const char* file : {"gate.h", "soft.cpp", "gated.cpp"})
    own.push_back(bytes_of(kPages / "own" / file));
  CHECK(code_in(kPages / "own.md") == own);
}

TEST_CASE("CONTRIBUTING and the page on plug-ins lead to the page of every kind") {
  const std::string contributing = bytes_of(VITRINE_SOURCE_DIR "/CONTRIBUTING.md");
  const std::string plugins = bytes_of(VITRINE_SOURCE_DIR "/docs/plugins.md");
  std::set<std::string> all = kinds();
  all.insert(kOfSweeps.begin(), kOfSweeps.end());
  for (const std::string& kind : all) {
    CAPTURE(kind);
    CHECK_THAT(contributing, Contains("(docs/kinds/" + kind + ".md)"));
    CHECK_THAT(plugins, Contains("(kinds/" + kind + ".md)"));
  }
}

TEST_CASE("a new plug-in is the kind's example under another name") {
  const Desk desk;
  for (const std::string kind : {"layout", "mlp", "plot"}) {
    CAPTURE(kind);
    const std::string name = "my_" + kind;
    const Result result = desk.run({"plugin", "new", kind, name});
    REQUIRE(result.err == "");
    CHECK(result.out == fmt::format("wrote {0}: CMakeLists.txt, README.md, {0}.cpp, {0}.yaml\n"
                                    "README.md there tells how it is built, checked and used\n",
                                    name));
    const std::string camel =
        "My" + std::string(1, static_cast<char>(std::toupper(kind[0]))) + kind.substr(1);
    const auto renamed = [&](const std::string& text) {
      return replaced(replaced(text, "example", name), "Example", camel);
    };
    CHECK(bytes_of(desk / (name + "/" + name + ".cpp")) ==
          renamed(bytes_of(kPages / kind / "example.cpp")));
    CHECK(bytes_of(desk / (name + "/" + name + ".yaml")) ==
          renamed(bytes_of(kPages / kind / "example.yaml")));
    const std::string program = VITRINE_BINARY_DIR "/runner";
    CHECK_THAT(bytes_of(desk / (name + "/README.md")),
               Contains("cmake -S . -B build && cmake --build build\n" + program + " check build/" +
                        name + ".so\n" + program + " " + name + ".yaml\n"));
  }
}

TEST_CASE("what is written of each kind trains, and is drawn and exported where that is its use") {
  const Desk desk;
  std::set<std::string> listed;
  for (const Json& component :
       Json::parse(desk.run({"list", "--json", "--plugin", kSamples}).out)) {
    if (component.at("name") == "example") listed.insert(component.at("kind").get<std::string>());
  }
  CHECK(listed == kinds());
  const std::string plugins = fmt::format("plugins=[{}]", kSamples);
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    REQUIRE(desk.run({"plugin", "new", kind, "example", "--folder", kind}).code == 0);
    // The samples are compiled of the very text.
    CHECK(bytes_of(desk / (kind + "/example.cpp")) == bytes_of(kPages / kind / "example.cpp"));
    const Result result = desk.run({kind + "/example.yaml", plugins, "threads=1",
                                    "training.max_steps=2", "--run-dir", "runs/" + kind});
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK_THAT(result.out, Contains("test: loss "));
  }
  CHECK(bytes_of(desk / "runs/logger/status.txt").starts_with("epoch 1 of 1: validation/loss "));
  const Json metric = json_of(desk / "runs/metric/metrics.json").at("test");
  CHECK(metric.contains("test/example"));
  const Json experiment = json_of(desk / "runs/experiment/metrics.json").at("test");
  CHECK(experiment.contains("test/accuracy"));
  const Result drawn =
      desk.run({"plot", "example", "runs/plot", "--columns", "20", "-o", "sizes.json"});
  INFO(drawn.err);
  REQUIRE(drawn.code == 0);
  CHECK(json_of(desk / "sizes.json").at("axes")[1].at("values").size() == 20);
  const Result exported =
      desk.run({"export", "runs/layout", "theirs.safetensors", "--layout", "example"});
  INFO(exported.err);
  REQUIRE(exported.code == 0);
  CHECK_THAT(bytes_of(desk / "theirs.safetensors"), Contains("\"layers.0.attn.qkv.weight\""));
}

TEST_CASE("what is written of each kind passes runner check") {
  const Desk desk;
  const Result result = desk.run({"check", kSamples});
  INFO(result.out << result.err);
  CHECK(result.code == 0);
  for (const std::string& kind : kinds()) CHECK_THAT(result.out, Contains(kind + " example ("));
  CHECK_THAT(result.out, Contains(" sound, 0 faults, "));
}

TEST_CASE("a callback from the page ends a run, and goes on exactly where it was stopped") {
  const Desk desk;
  REQUIRE(desk.run({"plugin", "new", "callback", "example"}).code == 0);
  const auto train = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"example/example.yaml", fmt::format("plugins=[{}]", kSamples),
                                      "threads=1", "callbacks.0.loss=10"};
    words.insert(words.end(), more.begin(), more.end());
    return desk.run(words);
  };
  REQUIRE(train({"--run-dir", "whole"}).code == 0);
  const Json whole = json_of(desk / "whole/metrics.json");
  CHECK(whole.at("history").size() == 2);
  CHECK(whole.at("stopped_by") == "callback");
  REQUIRE(train({"--run-dir", "cut", "--stop-after", "20"}).code == 75);
  REQUIRE(desk.run({"resume", "cut"}).code == 0);
  CHECK(json_of(desk / "cut/metrics.json").at("test") == whole.at("test"));
}

TEST_CASE("a kind of one's own is listed, chosen, checked and trained") {
  const Desk desk;
  const std::string plugin = std::string("--plugin=") + kSamples;
  CHECK_THAT(desk.run({"list", "gate", plugin}).out, StartsWith("gate\n  learned  "));
  const auto train = [&](const std::string& gate) {
    return desk.run({"a.yaml", fmt::format("plugins=[{}]", kSamples),
                     "model.mlp={type: gated, gate: " + gate + "}", "--run-dir", "run"});
  };
  const std::string refused = train("{type: soft, sharpness: 0}").err;
  CHECK_THAT(refused, Contains("model.mlp.gate.sharpness: expected a number above 0, got 0"));
  CHECK_THAT(train("sofd").err, Contains("unknown gate \"sofd\""));
  REQUIRE(train("learned").code == 0);
  CHECK_THAT(bytes_of(desk / "run/model.safetensors"), Contains("\"blocks.0.mlp.gate.fc.weight\""));
}

TEST_CASE("a plug-in that cannot be made is refused in words, and leaves nothing") {
  const Desk desk;
  const auto refused = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all = {"plugin", "new"};
    all.insert(all.end(), words.begin(), words.end());
    return desk.error(ExitCode::kUsage, all);
  };
  CHECK_THAT(refused({"mpl", "mine"}),
             StartsWith("error: there is no kind \"mpl\" (did you mean mlp?); there are attention, "
                        "block, callback, "));
  CHECK_THAT(refused({"project", "mine"}), StartsWith("error: there is no kind \"project\""));
  CHECK_THAT(refused({"mlp", "gelu"}),
             StartsWith("error: the mlp \"gelu\" is there already: models/mlp/gelu.cpp:"));
  const std::string rule =
      " cannot be a component's: letters, digits and _, a letter first, such "
      "as my_mlp\n";
  for (const std::string name : {"2mlp", "_x", "my-mlp", "a/b", "my mlp", "a.b", "größe"})
    CHECK(refused({"mlp", name}) == "error: the name \"" + name + "\"" + rule);
  CHECK(refused({"mlp", std::string(65, 'a')}) ==
        "error: the name \"" + std::string(65, 'a') + "\" is too long: at most 64 letters\n");
  for (const std::string name : {"null", "true"}) {
    CHECK(refused({"mlp", name}) ==
          "error: the name \"" + name + "\" means something else in a config\n");
  }
  for (const std::string name : {"test", "vitrine_core"})
    CHECK(refused({"mlp", name}) == "error: the name \"" + name + "\" is taken in CMake\n");
  const std::string exists = "error: mine exists already; name another folder with --folder\n";
  write_plain(desk / "mine", "a file");
  CHECK(refused({"mlp", "mine"}) == exists);
  fs::remove(desk / "mine");
  fs::create_directory(desk / "mine");
  CHECK(refused({"mlp", "mine"}) == exists);
  CHECK_THAT(refused({"mlp"}), Contains("NAME is required"));
  CHECK_THAT(desk.error(ExitCode::kUsage, {"plugin"}), Contains("subcommand"));
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(desk.folder()))
    left.insert(entry.path().filename().string());
  CHECK(left == std::set<std::string>{"a.yaml", "mine"});
}

TEST_CASE("the commands of a new plug-in's README build it, check it and train with it") {
  const Desk desk;
  REQUIRE(desk.run({"plugin", "new", "norm", "mine", "--folder", "a folder/of mine"}).code == 0);
  std::istringstream lines(bytes_of(desk / "a folder/of mine/README.md"));
  std::vector<std::string> commands;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("cmake ") || line.starts_with(VITRINE_BINARY_DIR "/runner"))
      commands.push_back(line);
  }
  REQUIRE(commands.size() == 3);
  for (const std::string& command : commands) {
    const Result result = shell(command, desk / "a folder/of mine");
    INFO(command << "\n" << result.out << result.err);
    REQUIRE(result.code == 0);
  }
  CHECK(fs::exists(desk / "a folder/of mine/runs/mine/latest/model.safetensors"));
}

}  // namespace
}  // namespace vitrine
