#include "framework/reports/curves.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "framework/comparing/groups.h"
#include "framework/config/hints.h"
#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/files/csv.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

bool is_drawn(const Json& value) { return value.is_number() && std::isfinite(value.get<double>()); }

bool has(const RunRecord& run, const std::string& metric) {
  const auto tells = [&](const Json& row) {
    const auto found = row.find(metric);
    return found != row.end() && is_drawn(*found);
  };
  return std::any_of(run.metrics.history.begin(), run.metrics.history.end(), tells);
}

[[noreturn]] void refuse_metric(const std::vector<RunRecord>& runs, const std::string& metric) {
  std::set<std::string> all;
  for (const RunRecord& run : runs) {
    for (const Json& row : run.metrics.history) {
      for (const auto& [key, value] : row.items()) {
        if (is_drawn(value)) all.insert(key);
      }
    }
  }
  for (const char* place : {"epoch", "step"}) all.erase(place);
  const std::vector<std::string> names(all.begin(), all.end());
  KnownKeys known;
  for (const std::string& name : names) known.add({.path = name});
  const std::string near = did_you_mean(metric, meant_by(metric, known));
  throw Error(ExitCode::kUsage,
              names.empty()
                  ? std::string("no run has ended an epoch yet: there is nothing to draw")
                  : fmt::format("--metric: no run has \"{}\" in its history{}; there are {}",
                                escape(metric), near.empty() ? "" : " (" + escape(near) + ")",
                                escape(fmt::format("{}", fmt::join(names, ", ")))));
}

// By epoch; seconds are those since the run's start.
std::map<int64_t, CurvePoint> points_of(const RunRecord& run, const CurveOptions& options) {
  std::map<int64_t, CurvePoint> out;
  double seconds = 0;
  for (const Json& row : run.metrics.history) {
    seconds += row.value("seconds", 0.0);
    const auto value = row.find(options.metric);
    if (value == row.end() || !is_drawn(*value)) continue;
    const double x = options.x == "seconds" ? seconds : row.at(options.x).get<double>();
    out[row.at("epoch").get<int64_t>()] = {x, value->get<double>()};
  }
  return out;
}

// One of each seed, the run that came furthest; a repetition tells nothing new.
std::vector<const RunRecord*> distinct_seeds(std::vector<const RunRecord*> runs,
                                             std::vector<std::string>& left_out) {
  const auto furthest_first = [](const RunRecord* a, const RunRecord* b) {
    const auto rank = [](const RunRecord* run) {
      return std::tuple(run->metrics.seed, !run->is_finished(),
                        -static_cast<int64_t>(run->metrics.history.size()));
    };
    return rank(a) < rank(b);
  };
  std::stable_sort(runs.begin(), runs.end(), furthest_first);
  std::vector<const RunRecord*> out;
  for (const RunRecord* run : runs) {
    if (out.empty() || out.back()->metrics.seed != run->metrics.seed) {
      out.push_back(run);
    } else {
      left_out.push_back(fmt::format("{} repeats {}", escape(run->path.string()),
                                     escape(out.back()->path.string())));
    }
  }
  return out;
}

CurveGroup curve_of(const Group& group, const CurveOptions& options,
                    std::vector<std::string>& left_out) {
  CurveGroup out{group.label, {}, {}};
  std::map<int64_t, std::vector<CurvePoint>> by_epoch;
  for (const RunRecord* run : distinct_seeds(group.runs, left_out)) {
    out.runs.push_back({run, {}});
    for (const auto& [epoch, point] : points_of(*run, options)) {
      out.runs.back().points.push_back(point);
      by_epoch[epoch].push_back(point);
    }
  }
  for (const auto& [epoch, points] : by_epoch) {
    double sum = 0;
    std::vector<double> values;
    for (const CurvePoint& point : points) {
      sum += point.x;
      values.push_back(point.value);
    }
    out.means.push_back({sum / static_cast<double>(points.size()), spread_of(values)});
  }
  return out;
}

// "lr=0.01 (n = 3; 1 stopped)"
std::string legend_of(const CurveGroup& group) {
  std::map<std::string, size_t> unfinished;
  for (const RunCurve& curve : group.runs) {
    if (!curve.run->is_finished()) ++unfinished[curve.run->status];
  }
  std::vector<std::string> remarks;
  if (group.runs.size() > 1) remarks.push_back(fmt::format("n = {}", group.runs.size()));
  for (const auto& [status, count] : unfinished)
    remarks.push_back(group.runs.size() == 1 ? status : fmt::format("{} {}", count, status));
  return remarks.empty() ? group.label
                         : fmt::format("{} ({})", group.label, fmt::join(remarks, "; "));
}

void add_lines(LineChart& chart, const CurveGroup& group, const CurveOptions& options,
               double factor) {
  ChartLine line{
      legend_of(group), chart.lines.empty() ? 0 : chart.lines.back().style + 1, {}, {}, {}};
  if (options.band == Band::kNone) {
    for (const RunCurve& curve : group.runs) {
      line.points.clear();
      for (const CurvePoint& point : curve.points)
        line.points.push_back({point.x, factor * point.value});
      chart.lines.push_back(line);
    }
    return;
  }
  for (const MeanPoint& point : group.means) {
    const Spread& spread = point.spread;
    line.points.push_back({point.x, factor * spread.mean});
    if (group.runs.size() == 1) continue;
    const bool alone = spread.n < 2;
    const double low =
        options.band == Band::kStd ? spread.mean - spread.deviation : spread.interval.low;
    const double high =
        options.band == Band::kStd ? spread.mean + spread.deviation : spread.interval.high;
    line.low.push_back(factor * (alone ? spread.mean : low));
    line.high.push_back(factor * (alone ? spread.mean : high));
  }
  chart.lines.push_back(std::move(line));
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json seeds_of(const CurveGroup& group) {
  Json out = Json::array();
  for (const RunCurve& curve : group.runs) out.push_back(curve.run->metrics.seed);
  return out;
}

Json paths_of(const CurveGroup& group) {
  Json out = Json::array();
  for (const RunCurve& curve : group.runs) out.push_back(curve.run->path.string());
  return out;
}

// 1 rather than 1.0 of an epoch or a step; a mean of steps may be no whole number.
Json place_of(double x) {
  return x == std::floor(x) && std::abs(x) < 1e15 ? Json(static_cast<int64_t>(x)) : Json(x);
}

// One run's line.
Json numbers_of(const CurveGroup& group, const RunCurve& curve) {
  Json x = Json::array(), values = Json::array();
  for (const CurvePoint& point : curve.points) {
    x.push_back(place_of(point.x));
    values.push_back(point.value);
  }
  return {{"label", group.label},
          {"run", curve.run->path.string()},
          {"seed", curve.run->metrics.seed},
          {"status", curve.run->status},
          {"x", x},
          {"values", values}};
}

// The mean's line with its band; what a single value has no spread of is null.
Json numbers_of(const CurveGroup& group, Band band) {
  Json out = {{"label", group.label}, {"runs", paths_of(group)}, {"seeds", seeds_of(group)}};
  Json x = Json::array(), values = x, n = x, deviation = x, low = x, high = x;
  for (const MeanPoint& point : group.means) {
    x.push_back(place_of(point.x));
    values.push_back(point.spread.mean);
    n.push_back(point.spread.n);
    deviation.push_back(finite_or_null(point.spread.deviation));
    low.push_back(finite_or_null(point.spread.interval.low));
    high.push_back(finite_or_null(point.spread.interval.high));
  }
  out["x"] = x;
  out["values"] = values;
  if (band == Band::kStd) {
    out["deviation"] = deviation;
  } else {
    out["low"] = low;
    out["high"] = high;
  }
  out["n"] = n;
  return out;
}

std::string number_or_nothing(double value) {
  return std::isfinite(value) ? shown_number(value) : "";
}

// Of validation, which most have, or of training.
std::string usual_metric(const std::vector<RunRecord>& runs) {
  std::vector<const RunRecord*> all;
  std::vector<std::string> names;
  for (const RunRecord& run : runs) all.push_back(&run);
  for (const std::string& name : report_metrics(all)) {
    if (!name.starts_with("test/")) names.push_back(name);
  }
  for (const std::string& name : names) {
    const auto has_it = [&](const RunRecord& run) { return has(run, name); };
    if (std::any_of(runs.begin(), runs.end(), has_it)) return name;
  }
  return names.front();
}

}  // namespace

Curves read_curves(const std::vector<RunRecord>& runs, CurveOptions options) {
  if (options.metric.empty()) options.metric = usual_metric(runs);
  Curves out{options, "", {}, {}};
  std::vector<const RunRecord*> with;
  for (const RunRecord& run : runs) {
    if (has(run, options.metric)) {
      with.push_back(&run);
    } else {
      out.left_out.push_back(
          run.is_readable()
              ? fmt::format("{} has no {}", escape(run.path.string()), escape(options.metric))
              : run.error);
    }
  }
  if (with.empty()) refuse_metric(runs, options.metric);
  const Comparison comparison = group_runs(with);
  for (const auto& [run, reason] : comparison.left_out)
    out.left_out.push_back(escape(run->path.string()) + ": " + reason);
  for (const Group& group : comparison.groups)
    out.groups.push_back(curve_of(group, options, out.left_out));
  const auto& infos = with[0]->metrics.metrics;
  if (const auto info = infos.find(options.metric); info != infos.end())
    out.unit = info->second.unit;
  return out;
}

std::string title_of(const Curves& curves) {
  const std::string& x = curves.options.x;
  return curves.options.metric + " over " + (x == "seconds" ? "training time" : x + "s");
}

Picture draw(const Curves& curves) {
  if (curves.groups.size() > kLineStyles) {
    throw Error(ExitCode::kUsage,
                fmt::format("{} lines cannot be told apart, at most {} can: give fewer runs, or "
                            "write a .csv or a .json",
                            curves.groups.size(), kLineStyles));
  }
  const CurveOptions& options = curves.options;
  const bool fraction = curves.unit == "fraction";
  LineChart chart;
  chart.x_title = options.x == "seconds" ? "training time (s)" : options.x;
  chart.whole_x = options.x != "seconds";
  const std::string unit = fraction ? "%" : curves.unit.empty() ? "no unit" : curves.unit;
  chart.y_title = options.metric + " (" + unit + ")";
  bool several = false;
  for (const CurveGroup& group : curves.groups) {
    add_lines(chart, group, options, fraction ? 100 : 1);
    several |= group.runs.size() > 1;
  }
  if (several) {
    chart.note = options.band == Band::kNone  ? "a line for each seed"
                 : options.band == Band::kStd ? "mean and standard deviation over n seeds"
                                              : "mean and its 95 % interval over n seeds";
  }
  Picture out = draw(std::move(chart));
  out.title = title_of(curves);
  out.numbers = [numbers = to_numbers(curves)] { return numbers; };
  return out;
}

nlohmann::ordered_json to_numbers(const Curves& curves) {
  const CurveOptions& options = curves.options;
  const auto unit = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json lines = Json::array();
  for (const CurveGroup& group : curves.groups) {
    if (options.band == Band::kNone) {
      for (const RunCurve& curve : group.runs) lines.push_back(numbers_of(group, curve));
    } else {
      lines.push_back(numbers_of(group, options.band));
    }
  }
  const Json band = options.band == Band::kNone  ? Json()
                    : options.band == Band::kStd ? Json("standard deviation over seeds")
                                                 : Json("95 % interval of the mean over seeds");
  return {{"axes",
           {{{"name", options.x == "seconds" ? "training time" : options.x},
             {"unit", options.x == "seconds" ? Json("s") : Json()}}}},
          {"value", {{"name", options.metric}, {"unit", unit(curves.unit)}}},
          {"band", band},
          {"lines", lines}};
}

std::string to_csv(const Curves& curves) {
  const CurveOptions& options = curves.options;
  const char* values = options.band == Band::kNone  ? "value"
                       : options.band == Band::kStd ? "mean,std,n"
                                                    : "mean,low,high,n";
  std::string out =
      fmt::format("group,{}{},{}\n", options.band == Band::kNone ? "run," : "", options.x, values);
  for (const CurveGroup& group : curves.groups) {
    const std::string label = csv_cell(group.label);
    if (options.band == Band::kNone) {
      for (const RunCurve& curve : group.runs) {
        for (const CurvePoint& point : curve.points) {
          out += fmt::format("{},{},{},{}\n", label, csv_cell(curve.run->path.string()),
                             shown_number(point.x), shown_number(point.value));
        }
      }
      continue;
    }
    for (const MeanPoint& point : group.means) {
      const Spread& spread = point.spread;
      const std::string bounds = options.band == Band::kStd
                                     ? number_or_nothing(spread.deviation)
                                     : number_or_nothing(spread.interval.low) + "," +
                                           number_or_nothing(spread.interval.high);
      out += fmt::format("{},{},{},{},{}\n", label, shown_number(point.x),
                         shown_number(spread.mean), bounds, spread.n);
    }
  }
  return out;
}

}  // namespace vitrine
