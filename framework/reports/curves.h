#pragma once

#include <string>
#include <vector>

#include "framework/comparing/runs.h"
#include "framework/comparing/statistics.h"
#include "framework/drawing/line_chart.h"

// Learning curves: a metric of metrics.json's history over epochs, steps or seconds.
namespace vitrine {

struct CurvePoint {
  double x = 0, value = 0;
};

struct RunCurve {
  const RunRecord* run;
  std::vector<CurvePoint> points;  // one an epoch; values that are not finite are left out
};

// What runs that differ in seed alone have at one epoch: their mean place, and their values.
struct MeanPoint {
  double x = 0;
  Spread spread;
};

struct CurveGroup {
  std::string label;  // what tells it from the others
  std::vector<RunCurve> runs;
  std::vector<MeanPoint> means;
};

enum class Band { kNone, kStd, kCi };  // kNone: each run for itself

struct CurveOptions {
  std::string metric;       // empty: what the runs are judged by, of validation or else of training
  std::string x = "epoch";  // or "step", "seconds"
  Band band = Band::kStd;
};

struct Curves {
  CurveOptions options;
  std::string unit;  // of the metric
  std::vector<CurveGroup> groups;
  std::vector<std::string> left_out;  // of each such run a line that names it and tells why
};

// `runs` must outlive it. Throws Error(kUsage) for a metric that no run has, and Error(kData) where
// no run can be read.
Curves read_curves(const std::vector<RunRecord>& runs, CurveOptions options);

// Throws Error(kUsage) where there are more groups than styles of lines. Its numbers outlive
// `curves`.
Picture draw(const Curves& curves);

// The numbers behind the picture: {"axes", "value", "band", "lines"} (docs/plots.md), as many lines
// as there are. Without a band a line is one run.
nlohmann::ordered_json to_numbers(const Curves& curves);
std::string title_of(const Curves& curves);

// group,<x>,mean,std,n or group,<x>,mean,low,high,n; without a band group,run,<x>,value.
std::string to_csv(const Curves& curves);

}  // namespace vitrine
