#include "framework/comparing/condition.h"
#include "framework/config/load.h"
#include "framework/config/references.h"
#include "framework/config/yaml.h"
#include "tests/framework/sweeps/fake_engine.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

Node example() {
  return parse_yaml(
      "name: run-${seed}\nseed: 3\nlr: 0.1\nbetas: [0.9, 0.99]\ntags: [a, b]\n"
      "model: {type: vit, hidden_d: 8, mlp: gelu, width: \"${model.hidden_d}\"}\n"
      "transforms: [{type: shift, pixels: 2}, normalize]\n",
      "fuzz");
}

RunRecord run_of(const Node& config) {
  RunRecord out;
  out.path = "runs/1";
  out.status = "finished";
  out.metrics.name = "fuzz";
  out.metrics.tags = {"a"};
  out.metrics.config = config.json();
  out.metrics.summary = {{"test/accuracy", 0.75}, {"test/loss", nullptr}};
  out.metrics.dataset = {{"sha256", std::string(64, 'b')}};
  out.config = flat_config(out.metrics.config);
  return out;
}

template <class Action>
void attempt(const Action& action) {
  try {
    action();
  } catch (const Error&) {
  }
}

void ask(const std::string& condition, const RunRecord& run) {
  Condition(condition, "--where").holds(run);
  select_runs({&run}, {Condition(condition, "--where")}, {});
}

nlohmann::ordered_json read_again(const Node& config) {
  Node out = parse_yaml(to_yaml(config), "again");
  take_appended(out);
  return with_own_values(out).json();
}

// The config, and the same with every value that it refers to, read back as they are written.
void resolve(const Node& config) {
  const ReferenceContext context = {
      [](const Node& own) { return merge_keys(example(), own); },
      [](const Node&) { return KnownKeys(); },
  };
  Problems problems;
  const Node resolved = with_values(config, context, problems);
  problems.text("fuzz");
  for (const Node& child : resolved.children) origin_of(resolved, child.key);
  with_followers(with_own_values(config), config, {"seed"});
  require(read_again(config) == with_own_values(config).json());
  if (problems.empty()) require(read_again(resolved) == resolved.json());
}

// Each line is taken for an override of the config, and for a condition; a line "!KEY" takes a key
// back.
void check(std::string_view bytes) {
  static FakeEngine engine;
  provide_engine(engine);
  Node config = example();
  const RunRecord run = run_of(config);
  const KeysOf keys_of = [](const Node&) { return KnownKeys(); };
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    const std::string line(bytes.substr(begin, end - begin));
    begin = end + 1;
    if (line.starts_with("!")) {
      take_back(config, line.substr(1));
      continue;
    }
    attempt([&] { ask(line, run); });
    attempt([&] {
      const Assignment assignment(line);
      for (size_t i = 0; i < assignment.size(); ++i) to_flow_yaml(assignment.value(i));
    });
    attempt([&] {
      Node changed = config;
      apply_override(changed, line, keys_of);
      config = std::move(changed);
    });
  }
  resolve(config);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
