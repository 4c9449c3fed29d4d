#include <set>

#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "tests/framework/cli/support.h"
#include "tests/schema_python.h"

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

// What stands in README between `before` and the next backtick.
std::string told_by_readme(const std::string& before) {
  const std::string text = read_file(VITRINE_SOURCE_DIR "/README.md", 1 << 20);
  const size_t begin = text.find(before);
  REQUIRE(begin != text.npos);
  return text.substr(begin + before.size(), text.find('`', begin) - begin - before.size());
}

// A folder with the schema that README has one write.
class Checked : public TemporaryFolder {
 public:
  Checked() {
    std::filesystem::create_directory(*this / "configs");
    const std::string file = told_by_readme("./runner schema > configs/");
    CHECK(told_by_readme("# yaml-language-server: $schema=") == file);
    const Result result = shell("$RUNNER schema > configs/" + file, path());
    REQUIRE(result.code == 0);
    schema_ = *this / "configs" / file;
  }

  const fs::path& schema() const { return schema_; }
  // What a validator says of them; checking the schema itself takes it seconds.
  Result verdict(std::vector<std::string> files) const {
    files.insert(files.begin(),
                 {schema_python(), VITRINE_SOURCE_DIR "/scripts/validate_metrics.py", schema_});
    return Process(files, path(), {}).wait();
  }
  // The same of configs; what it says of each, in their order.
  std::vector<std::string> verdicts(const std::vector<std::string>& configs) const {
    std::vector<std::string> files, out;
    for (const std::string& yaml : configs) {
      files.push_back(std::to_string(files.size()) + ".json");
      write_plain(*this / files.back(), parse_yaml(yaml, "a.yaml").json().dump());
    }
    const std::string err = "\n" + verdict(files).err;
    for (const std::string& file : files) {
      const size_t begin = err.find("\n" + file + ": ");
      out.push_back(begin == err.npos ? "" : err.substr(begin + file.size() + 3, 100));
    }
    return out;
  }

 private:
  fs::path schema_;
};

TEST_CASE("the schema takes every config that comes with the program, and README's") {
  const Checked folder;
  check_no_type_is_required(json_of(folder.schema()));
  std::vector<std::string> files = {"README.json"};
  const Node example = parse_yaml(example_of_readme(), "README.md");
  REQUIRE(example.find("base"));
  write_plain(folder / "README.json", example.json().dump());
  size_t sweeps = 0;
  for (const auto& entry : fs::recursive_directory_iterator(VITRINE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    const Node config = read_yaml(entry.path());
    sweeps += config.find("sweep") != nullptr;
    files.push_back(std::to_string(files.size()) + "-" + entry.path().stem().string() + ".json");
    write_plain(folder / files.back(), config.json().dump());
  }
  CHECK(files.size() >= 16);
  CHECK(sweeps >= 2);
  const Result result = folder.verdict(files);
  CHECK(result.err == "");
  CHECK(result.code == 0);
}

TEST_CASE("the schema refuses wrong keys, values and types") {
  const Checked folder;
  const std::vector<std::string> wrong = {
      // keys
      "modle: vit\n", "model: {type: vit, hidden: 8}\n", "optimizer: {type: adam, lrr: 1}\n",
      "training: {epoch: 3}\n", "dataset: {type: mnist, transforms: [{type: shift, far: 1}]}\n",
      "sweep: {grids: {seed: [1]}}\n", "base+: a.yaml\n", "seed+: [1]\n",
      "dataset: {transforms: {first: {pixels: 3}}}\n",
      // values
      "model: {type: vit, mlp: gleu}\n", "model: transformer\n", "optimizer: {type: adem}\n",
      "backend: fast\n", "training: {epochs: 0}\n", "seed: -1\n", "loggers: [tensorbord]\n",
      "schedule: {type: cosine, final: 2}\n",
      // types
      "training: {epochs: many}\n", "training: {epochs: 1.5}\n", "seed: [1]\n", "seed: many\n",
      "model: {type: vit, hidden_d: true}\n", "model: [vit]\n", "tags: {a: b}\n",
      "optimizer: {type: adam, betas: many}\n", "optimizer: {type: adam, betas: 0.9}\n",
      "optimizer: {type: lion, betas: [0.9]}\n",
      "optimizer: {type: lamb, betas: [0.9, 0.99, 0.9]}\n",
      "optimizer: {type: adamw, betas+: [0.9]}\n",
      "dataset: {type: mnist, transforms: [{type: random_affine, scale: 1}]}\n",
      "dataset: {type: cifar10, transforms: [{type: random_resized_crop, ratio: [1]}]}\n",
      "dataset: {type: mnist, transforms: [{type: random_erasing, scale: 0.1}]}\n", "sweep: 3\n",
      "name: {a: 1}\n", "unset: {a: 1}\n"};
  const auto verdicts = folder.verdicts(wrong);
  for (size_t i = 0; i < wrong.size(); ++i) {
    CAPTURE(wrong[i]);
    CHECK(verdicts[i] != "");
  }
  CHECK(verdicts[0].starts_with(
      "$: Additional properties are not allowed ('modle' was unexpected)\n"));
}

TEST_CASE("the schema takes what a file says over its base, and references") {
  const Checked folder;
  const auto verdicts =
      folder.verdicts({"unset: [model.mlp, schedule]\ntags+: [a]\nreplicate+: dataset.split_seed\n",
                       "dataset:\n  transforms: {0: {pixels: 3}}\n  transforms+: [normalize]\n",
                       "optimizer: {type: adam, betas: {1: 0.95}}\n",
                       "optimizer: {type: adam, betas: [0.9, 0.95]}\n"
                       "dataset: {type: cifar10, transforms: [{type: random_resized_crop, "
                       "scale: [0.5, 1]}, {type: normalize, mean: 0.5}]}\n",
                       "seed: ${env:SEED}\n"
                       "model: {n_heads: \"${model.n_blocks}\", mlp: {ratio: \"${x}\"}}\n"
                       "training: {early_stopping: \"${a.b}\"}\ntags: [\"${name}\"]\n"});
  CHECK(verdicts == std::vector<std::string>(5));
}

}  // namespace
}  // namespace vitrine
