#include "framework/config/yaml.h"
#include "framework/sweeps/combinations.h"
#include "framework/sweeps/plan.h"
#include "tests/framework/sweeps/fake_engine.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

constexpr size_t kMost = 100;  // combinations and seeds that are planned

// A few combinations of what `spec` varies.
void combine(const SweepSpec& spec, const FieldTypes& types) {
  Problems problems;
  const Space space = read_space(spec.options, types, problems);
  varying_paths(space);
  if (!problems.empty()) return;
  Combinations combinations(spec, space, types);
  for (const Combination& combination : combinations.samples()) {
    try {
      config_of(spec, combination.config, combination.settings);
    } catch (const Error&) {
    }
  }
  for (size_t i = 0; i < kMost && combinations.next(); ++i) {
  }
}

// Whether its trials can be planned in no time; asha asks for epochs, which FakeConfig has not.
bool is_small(const SweepSpec& spec, const FieldTypes& types) {
  const SweepOptions& options = spec.options;
  if (options.searcher()->pauses() || options.seeds.list.size() > kMost) return false;
  if (options.draws()) return options.trials.value_or(0) <= static_cast<int64_t>(kMost);
  Problems problems;
  const Space space = read_space(options, types, problems);
  const Count count = product(space.count_of_cells, space.count_of_parameters);
  return count && *count <= kMost;
}

// What is written of a sweep reads back as the same sweep.
void read(const FuzzFolder& folder, const std::vector<std::string>& assignments) {
  const std::string file = folder / "sweep.yaml";
  FakeEngine engine;
  const FieldTypes types(engine.schema());
  const SweepSpec spec = read_spec({file}, assignments);
  const std::string written = to_yaml(spec);
  folder.write("again.yaml", written);
  require(to_yaml(read_spec({folder / "again.yaml"}, {})) == written);
  combine(spec, types);
  combine(spec, FieldTypes());
  if (is_small(spec, types)) make_plan(spec, {2, {}}, engine);
}

// A sweep's file, and behind a line "===" what the command line assigns, a line each.
void check(std::string_view bytes) {
  static const FuzzFolder folder;
  static FakeEngine engine;
  provide_engine(engine);
  constexpr std::string_view kMark = "\n===\n";
  const size_t mark = std::min(bytes.find(kMark), bytes.size());
  std::vector<std::string> assignments;
  for (size_t begin = mark + kMark.size(); begin < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    assignments.emplace_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  folder.write("base.yaml", "name: base\nhidden_d: 4\n");
  folder.write("sweep.yaml", bytes.substr(0, mark));
  read(folder, assignments);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
