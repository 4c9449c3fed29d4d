#include "framework/sweeps/combinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "framework/config/scalar.h"

namespace vitrine {
namespace {

constexpr uint64_t kMostSamples = 200;

// How many samples it takes until each of its values has occurred.
uint64_t samples_of(const Variable& variable) {
  if (variable.range) return 2;
  uint64_t most = 1;
  for (const Variant& variant : variable.variants) {
    for (const Variable& inner : variant.variables) most = std::max(most, samples_of(inner));
  }
  return std::min(kMostSamples, most * variable.variants.size());
}

bool is_less_deep(const Setting& a, const Setting& b) {
  return depth_of(a.path) < depth_of(b.path);
}

std::string spelled(const Combination& combination) {
  std::string out = std::to_string(combination.config);
  for (const Setting& setting : combination.settings)
    out += "\n" + setting.path + "=" + to_flow_yaml(setting.value);
  return out;
}

}  // namespace

// Puts a combination together.
class Combinations::Builder {
 public:
  explicit Builder(size_t config) { out_.config = config; }

  void add(const Variant& variant) {
    if (!variant.name.empty()) out_.name = variant.name;
    out_.settings.insert(out_.settings.end(), variant.settings.begin(), variant.settings.end());
  }
  // A number of a range, which `number` makes once it is known whether it is a whole one.
  void add(const Variable& variable, std::function<Node(bool whole)> number) {
    numbers_.push_back({out_.settings.size(), &variable, std::move(number)});
    out_.settings.push_back({variable.path, Node::null()});
  }
  Combination finish(const Combinations& combinations) && {
    for (const Number& number : numbers_) {
      const bool whole = combinations.is_whole(*number.variable, out_);
      out_.settings[number.setting].value = number.make(whole);
    }
    complete_lists();
    return std::move(out_);
  }

 private:
  struct Number {
    size_t setting;
    const Variable* variable;
    std::function<Node(bool whole)> make;
  };

  // A list of which items vary is one value.
  void complete_lists() {
    auto& settings = out_.settings;
    for (size_t i = 0; i < settings.size(); ++i) {
      if (settings[i].value.kind != Node::Kind::kSequence) continue;
      const std::string path = settings[i].path + ".";
      const auto items = std::stable_partition(
          settings.begin() + static_cast<ptrdiff_t>(i) + 1, settings.end(),
          [&](const Setting& other) { return !other.path.starts_with(path); });
      std::stable_sort(items, settings.end(), is_less_deep);
      Node whole = Node::mapping();
      whole.set("list", settings[i].value);
      for (auto item = items; item != settings.end(); ++item) {
        set_value(whole, "list." + item->path.substr(path.size()), item->value);
        settings[i].has_name = settings[i].has_name && item->has_name;
      }
      settings.erase(items, settings.end());
      const Location key = settings[i].value.key_location;
      settings[i].value = *whole.find("list");
      settings[i].value.key_location = key;
    }
  }

  Combination out_;
  std::vector<Number> numbers_;
};

Node config_of(const SweepSpec& spec, size_t config, const std::vector<Setting>& settings) {
  std::vector<Setting> sorted = settings;
  std::stable_sort(sorted.begin(), sorted.end(), is_less_deep);
  Node out = spec.configs[config].written;
  for (const Setting& setting : sorted) set_value(out, setting.path, setting.value);
  return out;
}

Combinations::Combinations(const SweepSpec& spec, const Space& space, const FieldTypes& types)
    : spec_(spec),
      space_(space),
      types_(types),
      count_(
          product(product(spec.configs.size(), space.count_of_cells), space.count_of_parameters)),
      generator_(static_cast<uint64_t>(spec.options.search_seed)) {}

std::optional<Combination> Combinations::next() {
  return spec_.options.draws() ? draw() : next_of_grid();
}

bool Combinations::is_whole(const Variable& variable, const Combination& combination) const {
  const FieldType& type = variable.type;
  if (!type.takes_whole() || !type.takes_real()) return variable.range->is_whole(type);
  const Node config = config_of(spec_, combination.config, combination.settings);
  return variable.range->is_whole(types_.at(config, variable.path));
}

// The combination of number `index` among the `count` that `variables` have, the last one varying
// fastest.
void Combinations::take(const std::vector<Variable>& variables, uint64_t count, uint64_t index,
                        Builder& to) const {
  for (const Variable& variable : variables) {
    count /= *variable.count;
    const uint64_t own = index / count;
    index %= count;
    if (const auto& range = variable.range) {
      to.add(variable, [&range, own](bool whole) { return range->number(own, whole); });
    } else {
      take(variable.variants, *variable.count, own, to);
    }
  }
}

void Combinations::take(const std::vector<Variant>& variants, uint64_t count, uint64_t index,
                        Builder& to) const {
  size_t i = 0;
  if (count == variants.size()) {
    i = std::exchange(index, 0);  // one each
  } else {
    while (index >= *variants[i].count) index -= *variants[i++].count;
  }
  to.add(variants[i]);
  take(variants[i].variables, *variants[i].count, index, to);
}

std::optional<Combination> Combinations::next_of_grid() {
  if (!count_) {
    throw Error(ExitCode::kUsage,
                fmt::format("the grid has more than {} cells; method: random draws some of them",
                            Space::kMostCombinations));
  }
  if (position_ >= *count_) return std::nullopt;
  uint64_t rest = position_++;
  const auto split = [&](uint64_t count) {
    const uint64_t index = rest % count;
    rest /= count;
    return index;
  };
  const uint64_t of_parameters = split(*space_.count_of_parameters);
  const uint64_t of_cells = split(*space_.count_of_cells);
  Builder out(static_cast<size_t>(rest));
  take(space_.cells, *space_.count_of_cells, of_cells, out);
  take(space_.parameters, *space_.count_of_parameters, of_parameters, out);
  return std::move(out).finish(*this);
}

void Combinations::draw(const Variant& variant, Builder& to) {
  to.add(variant);
  draw(variant.variables, to);
}

void Combinations::draw(const std::vector<Variable>& variables, Builder& to) {
  for (const Variable& variable : variables) {
    if (const auto& range = variable.range) {
      const double share = draw_number();
      to.add(variable, [&range, share](bool whole) { return range->draw(share, whole); });
    } else {
      draw(variable.variants[draw_index(variable.variants.size())], to);
    }
  }
}

std::optional<Combination> Combinations::draw() {
  constexpr int kMostRepetitions = 10'000;
  if (is_exhausted()) return std::nullopt;
  for (int i = 0; i < kMostRepetitions; ++i) {
    Combination out = draw_one();
    if (exclude(out)) return out;
  }
  return std::nullopt;  // a range of few numbers, all of which were drawn
}

Combination Combinations::draw_one() {
  shares_.clear();
  Builder builder(draw_index(spec_.configs.size()));
  draw(space_.cells[space_.has_cells ? draw_index(space_.cells.size()) : 0], builder);
  draw(space_.parameters, builder);
  Combination out = std::move(builder).finish(*this);
  out.shares = shares_;
  return out;
}

Combination Combinations::at(const SearchPoint& point) {
  given_ = &point;
  next_ = 0;
  Combination out = draw_one();
  given_ = nullptr;
  return out;
}

bool Combinations::exclude(const Combination& combination) {
  const std::string text = spelled(combination);
  const auto place = std::lower_bound(known_.begin(), known_.end(), text);
  if (place != known_.end() && *place == text) return false;
  known_.insert(place, text);
  return true;
}

void Combinations::sample(const Variant& variant, uint64_t number, Builder& to) {
  to.add(variant);
  for (const Variable& variable : variant.variables) {
    if (const auto& range = variable.range) {
      const bool first = number % 2 == 0;
      to.add(variable, [&range, first](bool whole) { return range->end(first, whole); });
    } else {
      const size_t count = variable.variants.size();
      sample(variable.variants[number % count], number / count, to);
    }
  }
}

std::vector<Combination> Combinations::samples() const {
  const Variable all = {"", {{"", {}, space_.parameters}}, {}}, cells = {"", space_.cells, {}};
  uint64_t count = std::max<uint64_t>(spec_.configs.size(), samples_of(cells));
  count = std::min(kMostSamples, std::max(count, samples_of(all)));
  std::vector<Combination> out;
  for (uint64_t i = 0; i < count; ++i) {
    Builder builder(i % spec_.configs.size());
    sample(space_.cells[i % space_.cells.size()], i / space_.cells.size(), builder);
    sample(all.variants[0], i, builder);
    out.push_back(std::move(builder).finish(*this));
  }
  return out;
}

void Combinations::skip(uint64_t drawn) {
  generator_.discard(drawn);
  drawn_ += drawn;
}

// The standard's distributions differ between libraries, its generators do not.
double Combinations::draw_number() {
  double out = 0;
  if (given_) {
    while (next_ < given_->size() && !(*given_)[next_]) ++next_;
    out = next_ < given_->size() ? *(*given_)[next_++] : 0;
  } else {
    ++drawn_;
    out = static_cast<double>(generator_() >> 11) * 0x1p-53;
  }
  shares_.push_back(out);
  return out;
}

size_t Combinations::draw_index(size_t count) {
  return static_cast<size_t>(draw_number() * static_cast<double>(count));
}

}  // namespace vitrine
