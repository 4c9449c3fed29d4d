#include "framework/sweeps/combinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

constexpr uint64_t kMostCombinations = 100'000;

std::string spelled(const Combination& combination) {
  std::string out = std::to_string(combination.config);
  for (const Setting& setting : combination.settings)
    out += "\n" + setting.path + "=" + to_flow_yaml(setting.value);
  return out;
}

// Where its key was written.
Node placed(Node value, const Parameter& parameter) {
  value.key_location = parameter.location;
  return value;
}

}  // namespace

Combinations::Combinations(const SweepSpec& spec)
    : spec_(spec),
      count_(spec.configs.size()),
      generator_(static_cast<uint64_t>(spec.options.search_seed)) {
  const auto multiply = [&](uint64_t factor) {
    if (count_) *count_ *= factor;
    if (!count_ || *count_ <= kMostCombinations || spec.options.draws()) return;
    throw Error(ExitCode::kUsage,
                fmt::format("the grid has more than {} cells; method: random draws some of them",
                            kMostCombinations));
  };
  for (const Parameter& parameter : spec.options.parameters.list) {
    if (parameter.range) {
      count_.reset();
    } else {
      multiply(parameter.values.size());
    }
    // Of what is drawn it only matters whether all have been.
    if (count_ && *count_ > kMostCombinations) count_.reset();
  }
  multiply(std::max<uint64_t>(spec.options.cells.list.size(), 1));
}

std::optional<Combination> Combinations::next() {
  return spec_.options.draws() ? draw() : next_of_grid();
}

std::optional<Combination> Combinations::next_of_grid() {
  if (position_ >= *count_) return std::nullopt;
  uint64_t rest = position_++;
  const auto take = [&](size_t count) {
    const auto index = static_cast<size_t>(rest % count);
    rest /= count;
    return index;
  };
  Combination out;
  const auto& parameters = spec_.options.parameters.list;
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter)
    out.settings.push_back(
        {parameter->path, placed(parameter->values[take(parameter->values.size())], *parameter)});
  std::reverse(out.settings.begin(), out.settings.end());
  if (const auto& cells = spec_.options.cells.list; !cells.empty()) {
    const auto& cell = cells[take(cells.size())];
    out.settings.insert(out.settings.begin(), cell.begin(), cell.end());
  }
  out.config = take(spec_.configs.size());
  return out;
}

std::optional<Combination> Combinations::draw() {
  constexpr int kMostRepetitions = 10'000;
  if (count_ && drawn_.size() >= *count_) return std::nullopt;
  for (int i = 0; i < kMostRepetitions; ++i) {
    Combination out;
    out.config = draw_index(spec_.configs.size());
    if (const auto& cells = spec_.options.cells.list; !cells.empty())
      out.settings = cells[draw_index(cells.size())];
    for (const Parameter& parameter : spec_.options.parameters.list)
      out.settings.push_back({parameter.path, draw_value(parameter)});
    const std::string text = spelled(out);
    const auto place = std::lower_bound(drawn_.begin(), drawn_.end(), text);
    if (place != drawn_.end() && *place == text) continue;
    drawn_.insert(place, text);
    return out;
  }
  return std::nullopt;  // a range of few numbers, all of which were drawn
}

Node Combinations::draw_value(const Parameter& parameter) {
  if (!parameter.range)
    return placed(parameter.values[draw_index(parameter.values.size())], parameter);
  const auto& [min, max, distribution] = *parameter.range;
  const double share = draw_number();
  Node out;
  if (distribution == "int_uniform") {
    const double value = std::min(std::floor(min + share * (max - min + 1)), max);
    out = Node::plain(std::to_string(static_cast<int64_t>(value)));
  } else {
    const double value = distribution == "log_uniform" ? min * std::pow(max / min, share)
                                                       : min + share * (max - min);
    // Four digits tell apart what matters, and can be read.
    out = Node::plain(number_text(std::clamp(std::stod(fmt::format("{:.4g}", value)), min, max)));
  }
  out.location = parameter.location;
  return placed(std::move(out), parameter);
}

// The standard's distributions differ between libraries, its generators do not.
double Combinations::draw_number() { return static_cast<double>(generator_() >> 11) * 0x1p-53; }

size_t Combinations::draw_index(size_t count) {
  return static_cast<size_t>(draw_number() * static_cast<double>(count));
}

}  // namespace vitrine
