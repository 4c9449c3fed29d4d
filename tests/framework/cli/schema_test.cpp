#include <set>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "tests/framework/cli/support.h"

// The JSON Schema of configs, as editors use it.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The first block of YAML in the section "A config" of README.
std::string example_of_readme() {
  const std::string text = read_file(VITRINE_SOURCE_DIR "/README.md", 1 << 20);
  const std::string fence = "\n```yaml\n";
  const size_t begin = text.find(fence, text.find("\n## A config\n")) + fence.size();
  return text.substr(begin, text.find("\n```\n", begin) + 1 - begin);
}

// Every mapping that names its component may leave the name to its base; but for one within itself,
// of which nothing else is described there.
void check_no_type_is_required(const nlohmann::json& schema, std::set<nlohmann::json> within = {}) {
  if (!schema.is_structured()) return;
  if (schema.is_object() && schema.contains("/properties/type/const"_json_pointer)) {
    const nlohmann::json& type = schema.at("/properties/type/const"_json_pointer);
    INFO(type);
    CHECK(schema.contains("required") == !within.insert(type).second);
  }
  for (const auto& child : schema) check_no_type_is_required(child, within);
}

TEST_CASE("the schema takes every config that comes with the program, and README's") {
  const TemporaryFolder folder;
  const Result schema = runner({"schema"}, folder.path());
  REQUIRE(schema.code == 0);
  check_no_type_is_required(nlohmann::json::parse(schema.out));

  std::vector<std::string> command = {"python3", VITRINE_SOURCE_DIR "/scripts/validate_metrics.py",
                                      "schema.json", "README.json"};
  write_plain(folder / "schema.json", schema.out);
  const Node example = parse_yaml(example_of_readme(), "README.md");
  REQUIRE(example.find("base"));
  write_plain(folder / "README.json", example.json().dump());
  for (const auto& entry : fs::recursive_directory_iterator(VITRINE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    command.push_back(entry.path().stem().string() + ".json");
    write_plain(folder / command.back(), read_yaml(entry.path()).json().dump());
  }
  CHECK(command.size() >= 8);
  if (Process({"python3", "-c", "import jsonschema"}, folder.path(), {}).wait().code != 0) {
    WARN("skipped: python3 has no package jsonschema");
    return;
  }
  const Result result = Process(command, folder.path(), {}).wait();
  CHECK(result.err == "");
  CHECK(result.code == 0);
}

TEST_CASE("the schema takes what a file says over its base, and references") {
  const TemporaryFolder folder;
  write_plain(folder / "schema.json", runner({"schema"}, folder.path()).out);
  const auto verdict = [&](const std::string& yaml) {
    write_plain(folder / "config.json", parse_yaml(yaml, "a.yaml").json().dump());
    return Process({"python3", VITRINE_SOURCE_DIR "/scripts/validate_metrics.py", "schema.json",
                    "config.json"},
                   folder.path(), {})
        .wait()
        .code;
  };
  if (Process({"python3", "-c", "import jsonschema"}, folder.path(), {}).wait().code != 0) {
    WARN("skipped: python3 has no package jsonschema");
    return;
  }
  CHECK(verdict("unset: [model.mlp, schedule]\ntags+: [a]\nreplicate+: dataset.split_seed\n") == 0);
  CHECK(verdict("dataset:\n  transforms: {0: {pixels: 3}}\n  transforms+: [normalize]\n") == 0);
  CHECK(
      verdict("seed: ${env:SEED}\nmodel: {n_heads: \"${model.n_blocks}\", mlp: {ratio: \"${x}\"}}\n"
              "training: {early_stopping: \"${a.b}\"}\ntags: [\"${name}\"]\n") == 0);
  CHECK(verdict("seed+: [1]\n") == 1);
  CHECK(verdict("seed: many\n") == 1);
  CHECK(verdict("unset: {a: 1}\n") == 1);
  CHECK(verdict("dataset: {transforms: {first: {pixels: 3}}}\n") == 1);
}

}  // namespace
}  // namespace vitrine
