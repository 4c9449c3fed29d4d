#include "framework/drawing/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitrine {

std::vector<double> ticks_between(double low, double high, size_t count, bool whole) {
  if (!(high > low)) return {low + 0.0};
  const double rough = (high - low) / static_cast<double>(count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  if (whole) step = std::max(step, 1.0);
  std::vector<double> out;
  // A bound that is such a number but for its last bits is one of them.
  const double slack = 1e-9 * step;
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i)
    out.push_back(i * step + 0.0);  // not -0
  return out;
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks) {
  std::vector<std::string> out;
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
  const int digits =
      step > 0 ? std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))) : 0;
  for (const double tick : ticks) {
    const bool short_enough = step > 0 && digits < 7 && std::abs(tick) < 1e7;
    const double shown = std::abs(tick) < step / 2 ? 0 : tick + 0.0;  // not -0
    out.push_back(short_enough ? fmt::format("{:.{}f}", shown, digits)
                               : fmt::format("{:.6g}", shown));
  }
  return out;
}

}  // namespace vitrine
