#include "framework/sweeps/frozen_config.h"

#include "tests/framework/config/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("a config is told by what differs from another") {
  const Node base =
      parse_yaml("{seed: 0, model: {type: vit, d: 8, mlp: {type: gelu}}, tags: []}", "");
  const Node config = parse_yaml(
      "{seed: 1, model: {type: vit, d: 8, mlp: {type: swiglu, ratio: 2}}, tags: [a]}", "");
  const Json found = differences(base, config);
  CHECK(found == Json::parse(R"({"seed": 1, "model.mlp": {"type": "swiglu", "ratio": 2},
                                 "tags": ["a"]})"));
  CHECK(to_yaml(with_differences(base, found)) == to_yaml(config));
  CHECK(differences(base, base) == Json::object());
}

TEST_CASE("a config is kept as it was written, with its places") {
  const TemporaryFolder folder;
  write_plain(folder / "base.yaml", "optimizer: {lr: 0.1, eps: 1e-9}\n");
  write_plain(folder / "a.yaml", "base: base.yaml\nname: '1'\noptimizer: {type: adam, eps: 1}\n");
  const std::string file = folder / "a.yaml";
  const Json json = frozen_json({file, load_config({file, {}, {}})});
  const BaseConfig again = thawed_config(Json::parse(json.dump()), "plan");
  CHECK(again.file == file);
  CHECK(to_yaml(again.written) == "optimizer:\n  type: adam\n  eps: 1\nname: \"1\"\n");
  CHECK(again.written.at_path("optimizer.eps")->location.line_text() == file + ":3");
  // What holds if adam is the default.
  const auto& kept = again.written.find("optimizer")->under_default_type;
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].key == "lr");
  CHECK(kept[0].scalar == "0.1");
  CHECK(message_of(ExitCode::kData, [] { thawed_config(Json::object(), "plan"); }) ==
        "plan: \"file\" is missing");
}

}  // namespace
}  // namespace vitrine
