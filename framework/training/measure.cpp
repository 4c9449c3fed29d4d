#include "framework/training/measure.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

Metrics::Object values_of(const std::vector<Measure>& measures, const std::string& split,
                          const double* sums, int64_t images) {
  const auto n = static_cast<double>(std::max<int64_t>(images, 1));
  Metrics::Object out = Metrics::Object::object();
  for (const Measure& measure : measures) {
    if (measure.is_of(split)) out[measure.in(split)] = measure.value(sums, n);
  }
  return out;
}

std::string values_text(const std::vector<Measure>& measures, const std::string& split,
                        const Metrics::Object& values) {
  std::string out;
  for (const Measure& measure : measures) {
    const auto found = values.find(measure.in(split));
    if (found == values.end() || !measure.task.empty()) continue;
    out += out.empty() ? "" : ", ";
    out += measure.name + " " + metric_text(found->get<double>(), measure.info);
  }
  return out;
}

std::string nonfinite_loss(const std::vector<Measure>& measures, const std::string& split,
                           const Metrics::Object& values) {
  for (const Measure& measure : measures) {
    const std::string name = measure.in(split);
    const auto found = values.find(name);
    const bool is_wrong = measure.is_loss && found != values.end() && found->is_number() &&
                          !std::isfinite(found->get<double>());
    if (is_wrong) return name;
  }
  return "";
}

bool is_better(double value, const std::optional<double>& than, bool larger_is_better) {
  if (std::isnan(value)) return false;
  return !than || (larger_is_better ? value > *than : value < *than);
}

}  // namespace vitrine
