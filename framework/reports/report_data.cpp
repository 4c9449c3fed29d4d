#include "framework/reports/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "framework/error.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Role = ReportColumn::Role;

// Labels, which change no result.
const std::set<std::string> kNoParameters = {"name", "note", "tags"};
// What a chart shows first, and the order of the table.
constexpr const char* kFirstMetrics[] = {"validation/accuracy", "test/accuracy",  "validation/loss",
                                         "test/loss",           "train/accuracy", "train/loss"};
constexpr size_t kCurveNumbers = 400'000;
constexpr size_t kFewestPoints = 10;  // of a curve, however many runs there are

size_t rank_of(const std::string& name) {
  const auto found = std::find(std::begin(kFirstMetrics), std::end(kFirstMetrics), name);
  return static_cast<size_t>(found - std::begin(kFirstMetrics));
}

// Numbers by size, then text by length and letters: "16" behind "8".
bool is_before(const Json& a, const Json& b) {
  if (a.is_number() != b.is_number()) return a.is_number();
  if (a.is_number()) return a < b;
  return a.get_ref<const std::string&>() < b.get_ref<const std::string&>();
}

Json as_value(const Json& value) {
  if (value.is_number()) return value;
  return value.is_string() ? value : Json(value.dump());
}

std::vector<std::string> labels_of(const std::vector<RunRecord>& runs) {
  fs::path common = runs.empty() ? fs::path() : runs[0].path.parent_path();
  for (const RunRecord& run : runs) {
    while (!common.empty() && *run.path.lexically_relative(common).begin() == "..") {
      common = common == common.parent_path() ? fs::path() : common.parent_path();
    }
  }
  std::vector<std::string> out;
  for (const RunRecord& run : runs) {
    const fs::path label = common.empty() ? run.path : run.path.lexically_relative(common);
    out.push_back(escape(label == "." ? run.metrics.run : label.string()));
  }
  return out;
}

// Keys of the config that are not the same in all runs, in the config's order.
std::vector<std::string> differing_keys(const std::vector<RunRecord>& runs) {
  std::vector<std::string> order;
  std::map<std::string, std::pair<std::set<Json>, size_t>> seen;
  size_t readable = 0;
  for (const RunRecord& run : runs) {
    readable += run.is_readable();
    for (const auto& [key, value] : run.config.items()) {
      auto& [values, count] = seen[key];
      if (count++ == 0) order.push_back(key);
      values.insert(value);
    }
  }
  std::erase_if(order, [&](const std::string& key) {
    const auto& [values, count] = seen.at(key);
    return kNoParameters.contains(key) || (values.size() == 1 && count == readable);
  });
  return order;
}

// Names of numbers that runs were measured by, main ones first.
std::vector<std::string> metric_names(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name, const Json& value) {
    if (value.is_number() && seen.insert(name).second) out.push_back(name);
  };
  for (const RunRecord& run : runs) {
    const Metrics& metrics = run.metrics;
    const Json last = metrics.history.empty() ? Json::object() : metrics.history.back();
    for (const auto& [name, value] : (metrics.summary.empty() ? last : metrics.summary).items()) {
      if (name != "epoch" && name != "step") add(name, value);
    }
    for (const auto& [name, value] : metrics.model.items()) add("model." + name, value);
  }
  std::stable_sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    return rank_of(a) < rank_of(b);
  });
  return out;
}

MetricInfo info_of(const std::string& name, const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs) {
    const auto found = run.metrics.metrics.find(name);
    if (found != run.metrics.metrics.end()) return found->second;
  }
  if (name == "seconds") return {"min", "seconds"};
  if (name == "peak_memory_bytes") return {"min", "bytes"};
  if (name.starts_with("model.")) return {"min", ""};
  return {"", ""};
}

void complete(ReportColumn& column, const ReportData& data) {
  for (size_t i = 0; i < data.runs.size(); ++i) {
    const Json value = data.value(i, column);
    if (value.is_null()) continue;
    column.numeric &= value.is_number();
    column.values.push_back(value);
  }
  std::sort(column.values.begin(), column.values.end(), is_before);
  column.values.erase(std::unique(column.values.begin(), column.values.end()), column.values.end());
}

// A number to six digits, which is more than a chart shows.
Json rounded(const Json& value) {
  if (!value.is_number_float()) return value;
  const auto number = value.get<double>();
  if (!std::isfinite(number)) return nullptr;
  return std::stod(fmt::format("{:.6g}", number));
}

std::vector<std::string> curve_names(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  std::set<std::string> seen = {"epoch", "step", "seconds"};
  for (const RunRecord& run : runs) {
    for (const Json& row : run.metrics.history) {
      for (const auto& [name, value] : row.items()) {
        if (value.is_number() && seen.insert(name).second) out.push_back(name);
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    return rank_of(a) < rank_of(b);
  });
  return out;
}

}  // namespace

std::vector<const ReportColumn*> ReportData::columns_of(Role role) const {
  std::vector<const ReportColumn*> out;
  for (const ReportColumn& column : columns) {
    if (column.role == role) out.push_back(&column);
  }
  return out;
}

const ReportColumn* ReportData::first_metric() const {
  const auto metrics = columns_of(Role::kMetric);
  return metrics.empty() ? nullptr : metrics[0];
}

const ReportColumn* ReportData::column(const std::string& name) const {
  const auto same = [&](const ReportColumn& column) { return column.name == name; };
  const auto found = std::find_if(columns.begin(), columns.end(), same);
  return found == columns.end() ? nullptr : &*found;
}

nlohmann::ordered_json ReportData::value(size_t run, const ReportColumn& column) const {
  if (column.role == Role::kLabel) return labels[run];
  if (column.role == Role::kStatus) return runs[run].status;
  const auto value = runs[run].value(column.name);
  if (!value || (column.role == Role::kMetric && !value->is_number())) return nullptr;
  if (value->is_number_float() && !std::isfinite(value->get<double>())) return nullptr;
  return as_value(*value);
}

ReportData report_data(std::vector<RunRecord> runs) {
  ReportData out;
  out.runs = std::move(runs);
  out.labels = labels_of(out.runs);
  const auto add = [&](const std::string& name, Role role, const MetricInfo& info) {
    ReportColumn column = {fmt::format("c{}", out.columns.size()), name, role, info};
    complete(column, out);
    out.columns.push_back(std::move(column));
  };
  add("run", Role::kLabel, {});
  add("status", Role::kStatus, {});
  for (const std::string& name : differing_keys(out.runs)) {
    add(name, name == "seed" ? Role::kSeed : Role::kParameter, {});
  }
  for (const std::string& name : metric_names(out.runs)) {
    add(name, Role::kMetric, info_of(name, out.runs));
  }
  return out;
}

nlohmann::ordered_json run_rows(const ReportData& data) {
  Json out = Json::array();
  for (size_t i = 0; i < data.runs.size(); ++i) {
    Json row = {{"run", i}, {"label", data.labels[i]}, {"status", data.runs[i].status}};
    for (const ReportColumn& column : data.columns) {
      const Json value = data.value(i, column);
      if (!value.is_null()) row[column.id] = value;
    }
    out.push_back(std::move(row));
  }
  return out;
}

nlohmann::ordered_json curves_of(const ReportData& data) {
  const std::vector<std::string> metrics = curve_names(data.runs);
  Json names = {"run", "epoch", "step", "seconds"}, infos = Json::array(), rows = Json::array();
  for (size_t i = 0; i < metrics.size(); ++i) {
    const MetricInfo info = info_of(metrics[i], data.runs);
    names.push_back(fmt::format("h{}", i));
    infos.push_back({{"id", names.back()}, {"name", metrics[i]}, {"unit", info.unit}});
  }
  const size_t most =
      std::max(kFewestPoints, kCurveNumbers / std::max<size_t>(data.runs.size() * names.size(), 1));
  size_t largest_step = 1;
  for (size_t i = 0; i < data.runs.size(); ++i) {
    const auto& history = data.runs[i].metrics.history;
    const size_t step = (history.size() + most - 1) / most;
    largest_step = std::max(largest_step, step);
    double seconds = 0;
    for (size_t j = 0; j < history.size(); ++j) {
      const Json& epoch = history[j];
      const auto number = [&](const std::string& name) {
        const auto found = epoch.find(name);
        return found != epoch.end() && found->is_number() ? rounded(*found) : Json();
      };
      const Json taken = number("seconds");
      if (taken.is_number()) seconds += taken.get<double>();
      if (j % step != 0 && j + 1 != history.size()) continue;
      Json row = {i, number("epoch"), number("step"), rounded(seconds)};
      for (const std::string& name : metrics) row.push_back(number(name));
      rows.push_back(std::move(row));
    }
  }
  return {{"names", names}, {"rows", rows}, {"metrics", infos}, {"every", largest_step}};
}

std::string cell_text(const nlohmann::ordered_json& value, const MetricInfo& info) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  const auto number = value.get<double>();
  if (info.unit == "fraction") return fmt::format("{:.2f} %", 100 * number);
  if (info.unit == "seconds") return fmt::format("{:.2f} s", number);
  if (info.unit == "bytes") return fmt::format("{:.1f} MB", number / 1e6);
  if (value.is_number_float()) return fmt::format("{:.5g}", number);
  std::string digits = value.dump();
  for (size_t i = digits.size(); i > 3 + (number < 0); i -= 3) {
    if (i - 3 > (number < 0 ? 1u : 0u)) digits.insert(i - 3, ",");
  }
  return digits;
}

}  // namespace vitrine
