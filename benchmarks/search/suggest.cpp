// What a sweep's search proposes, for whoever evaluates it: prints the values of a cell as JSON, a
// line each, and reads what they came to, a number, the smaller the better.
//   suggest '{method: tpe, trials: 100, search_seed: 1, parameters: {x: {min: 0.0, max: 1.0}}}'
#include <iostream>

#include "framework/config/yaml.h"
#include "framework/draws.h"
#include "framework/sweeps/combinations.h"

namespace vitrine {
namespace {

SweepSpec spec_of(const std::string& yaml) {
  SweepSpec out;
  out.configs = {{"none", Node::mapping()}};
  Problems problems;
  const Node written = parse_yaml(yaml, "options");
  read_fields(fields_of(out.options), written, "sweep", problems);
  if (problems.empty()) out.options.check(Check(written, "sweep", problems));
  if (!problems.empty()) throw ConfigError(problems, "options", false);
  return out;
}

class Suggestions {
 public:
  explicit Suggestions(const std::string& yaml)
      : spec_(spec_of(yaml)),
        searcher_(spec_.options.searcher()),
        space_(read_space(spec_.options, {}, problems_)),
        dimensions_(dimensions_of(space_, 1)),
        combinations_(spec_, space_, types_) {
    if (!problems_.empty()) throw ConfigError(problems_, "options", false);
  }

  void run() {
    const int64_t trials = spec_.options.trials.value_or(0);
    const int64_t startup = searcher_->startup().value_or(trials);
    for (int64_t i = 0; i < trials; ++i) {
      const Combination cell = i < startup ? combinations_.next().value() : proposed(i);
      auto values = nlohmann::ordered_json::object();
      for (const Setting& setting : cell.settings) values[setting.path] = setting.value.json();
      std::cout << values.dump() << std::endl;
      Observation& one = known_.emplace_back();
      one.point = to_point(dimensions_, cell.shares);
      one.state = Observation::State::kKnown;
      if (!(std::cin >> one.loss)) return;
    }
  }

 private:
  Combination proposed(int64_t number) {
    for (int64_t attempt = 0;; ++attempt) {
      Draws draws(static_cast<uint64_t>(spec_.options.search_seed), number, attempt, 0);
      const auto seed = static_cast<uint64_t>(draws.uniform() * 0x1p53);
      for (const SearchPoint& point : searcher_->propose(dimensions_, known_, seed)) {
        Combination out = combinations_.at(point);
        if (combinations_.exclude(out)) return out;
      }
    }
  }

  SweepSpec spec_;
  Problems problems_;
  FieldTypes types_;
  std::shared_ptr<const Searcher> searcher_;
  Space space_;
  std::vector<Dimension> dimensions_;
  Combinations combinations_;
  std::vector<Observation> known_;
};

}  // namespace
}  // namespace vitrine

int main(int count, char** words) {
  try {
    vitrine::Suggestions(count > 1 ? words[1] : "{}").run();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
