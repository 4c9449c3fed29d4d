#include "framework/reports/report_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "framework/comparing/comparison_text.h"
#include "framework/comparing/differences.h"
#include "framework/comparing/groups.h"
#include "framework/error.h"
#include "framework/reports/report_scope.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

// Of the data and the environment; "build" follows from git, the sizes of splits from the rest, and
// sections part runs by their test images.
const std::set<std::string> kToldByConfig = {"type", "threads",    "device", "train",
                                             "test", "validation", "build",  "test_sha256"};
constexpr size_t kCurveNumbers = 400'000;
constexpr size_t kFewestPoints = 10;  // of a curve, however many runs there are

std::vector<const RunRecord*> readable(const std::vector<RunRecord>& runs) {
  std::vector<const RunRecord*> out;
  for (const RunRecord& run : runs) {
    if (run.is_readable()) out.push_back(&run);
  }
  return out;
}

// The place of a name in a report: what the runs are judged by comes first.
class Ranks {
 public:
  explicit Ranks(const std::vector<RunRecord>& runs) : first_(report_metrics(readable(runs))) {}
  size_t operator()(const std::string& name) const {
    return static_cast<size_t>(std::find(first_.begin(), first_.end(), name) - first_.begin());
  }

 private:
  std::vector<std::string> first_;
};

// Numbers by size, then text.
bool is_before(const Json& a, const Json& b) {
  if (a.is_number() != b.is_number()) return a.is_number();
  if (a.is_number()) return a < b;
  return a.get_ref<const std::string&>() < b.get_ref<const std::string&>();
}

// Numbers, and words as one would write them in a config.
Json as_value(const std::string& key, const Json& value) {
  return value.is_number() ? value : Json(shown_key_value(key, value));
}

// The folder that all runs lie in.
fs::path common_folder(const std::vector<RunRecord>& runs) {
  std::vector<fs::path> common;
  for (size_t i = 0; i < runs.size(); ++i) {
    const fs::path folder = runs[i].path.parent_path();
    const std::vector<fs::path> parts(folder.begin(), folder.end());
    if (i == 0) common = parts;
    const auto end = std::mismatch(common.begin(), common.end(), parts.begin(), parts.end()).first;
    common.erase(end, common.end());
  }
  fs::path out;
  for (const fs::path& part : common) out /= part;
  return out;
}

std::vector<std::string> labels_of(const std::vector<RunRecord>& runs) {
  const fs::path common = common_folder(runs);
  std::vector<std::string> out;
  for (const RunRecord& run : runs) {
    const fs::path label = common.empty() ? run.path : run.path.lexically_relative(common);
    out.push_back(escape(label == "." ? run.metrics.run : label.string()));
  }
  return out;
}

// Names of members that are not the same in all objects, in their order.
std::vector<std::string> differing_members(const std::vector<const Json*>& objects) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  const Json shared = shared_members(objects);
  for (const Json* object : objects) {
    for (const auto& [key, value] : object->items()) {
      if (!shared.contains(key) && seen.insert(key).second) out.push_back(key);
    }
  }
  return out;
}

// What results depend on besides the config, where it is not the same in all runs.
std::vector<std::string> differing_facts(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& prefix, const Json Metrics::*member) {
    std::vector<const Json*> objects;
    for (const RunRecord& run : runs) {
      if (run.is_readable()) objects.push_back(&(run.metrics.*member));
    }
    for (const std::string& key : differing_members(objects)) {
      if (!kToldByConfig.contains(key)) out.push_back(prefix + key);
    }
  };
  std::vector<Json> taken;  // of what is derived or asked for without changing results
  for (const RunRecord& run : runs) {
    taken.push_back(Json::object());
    for (const auto& [key, one] : run.metrics.execution.items())
      taken.back()[key] = one.at("value");
  }
  std::vector<const Json*> executions;
  for (const Json& one : taken) executions.push_back(&one);
  for (const std::string& key : differing_members(executions)) out.push_back(key);
  add("dataset.", &Metrics::dataset);
  add("environment.", &Metrics::environment);
  return out;
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
  const Ranks rank_of(runs);
  std::stable_sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
    return rank_of(a) < rank_of(b);
  });
  return out;
}

MetricInfo info_of(const std::string& name, const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs) {
    const auto found = run.metrics.metrics.find(name);
    if (found != run.metrics.metrics.end()) return found->second;
  }
  return {name.starts_with("model.") ? "min" : "none", ""};
}

void complete(ReportColumn& column, const ReportData& data) {
  std::vector<Json> cells;
  for (size_t i = 0; i < data.runs.size(); ++i) {
    cells.push_back(data.value(i, column));
    if (cells.back().is_null()) continue;
    column.numeric &= cells.back().is_number();
    column.values.push_back(cells.back());
  }
  column.cells = std::move(cells);
  std::sort(column.values.begin(), column.values.end(), is_before);
  column.values.erase(std::unique(column.values.begin(), column.values.end()), column.values.end());
}

// A number to six digits, which is more than a chart shows.
Json rounded(const Json& value) {
  if (!value.is_number_float()) return value;
  const auto number = value.get<double>();
  if (!std::isfinite(number)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", number).c_str(), nullptr);  // also of subnormal ones
}

// Main ones first; those that fewer than half of the runs have come after all others.
std::vector<std::string> curve_names(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  std::set<std::string> seen = {"epoch", "step", "seconds"};
  std::map<std::string, size_t> counts;
  size_t all = 0;
  for (const RunRecord& run : runs) {
    for (const Json& row : run.metrics.history) {
      for (const auto& [name, value] : row.items()) {
        if (value.is_number() && seen.insert(name).second) out.push_back(name);
      }
    }
    if (run.metrics.history.empty()) continue;
    ++all;
    for (const auto& [name, value] : run.metrics.history.back().items()) ++counts[name];
  }
  const Ranks rank_of(runs);
  std::stable_sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
    const auto place = [&](const std::string& name) {
      return std::pair(2 * counts[name] < all, rank_of(name));
    };
    return place(a) < place(b);
  });
  return out;
}

}  // namespace

std::vector<const ReportColumn*> ReportData::columns_of(Kind kind) const {
  std::vector<const ReportColumn*> out;
  for (const ReportColumn& column : columns) {
    if (column.kind == kind) out.push_back(&column);
  }
  return out;
}

const ReportColumn* ReportData::first_metric() const {
  if (const ReportColumn* common =
          column(common_metric(readable(runs), report_metrics(readable(runs)))))
    return common;
  const auto metrics = columns_of(Kind::kMetric);
  return metrics.empty() ? nullptr : metrics[0];
}

const ReportColumn* ReportData::column(const std::string& name) const {
  const auto same = [&](const ReportColumn& column) { return column.name == name; };
  const auto found = std::find_if(columns.begin(), columns.end(), same);
  return found == columns.end() ? nullptr : &*found;
}

nlohmann::ordered_json ReportData::value(size_t run, const ReportColumn& column) const {
  if (run < column.cells.size()) return column.cells[run];
  if (column.kind == Kind::kLabel) return labels[run];
  if (column.kind == Kind::kStatus) return runs[run].status;
  if (column.kind == Kind::kSection) return sections[section_of[run]].label;
  if (column.kind == Kind::kGroup) return groups[run].empty() ? Json() : Json(groups[run]);
  if (column.kind == Kind::kName) {
    const std::string& name = runs[run].metrics.name;
    return name.empty() ? Json() : Json(name);  // of runs that cannot be read
  }
  const auto value = column.name == kChangesKey ? telling_value(runs[run], kChangesKey)
                                                : runs[run].value(column.name);
  if (!value || (column.kind == Kind::kMetric && !value->is_number())) return nullptr;
  if (value->is_number_float() && !std::isfinite(value->get<double>())) return nullptr;
  return as_value(column.name, *value);
}

ReportData report_data(std::vector<RunRecord> runs) {
  ReportData out;
  out.runs = std::move(runs);
  out.labels = labels_of(out.runs);
  set_sections(out);
  // What only one value or none is known of tells nothing.
  const auto add = [&](const std::string& name, Kind kind, size_t fewest_values,
                       const MetricInfo& info = {}) {
    ReportColumn column = {fmt::format("c{}", out.columns.size()), name, kind, info};
    complete(column, out);
    if (column.values.size() >= fewest_values) out.columns.push_back(std::move(column));
  };
  add("run", Kind::kLabel, 0);
  add("status", Kind::kStatus, 0);
  add("section", Kind::kSection, 2);
  add("name", Kind::kName, 2);
  const auto known = readable(out.runs);
  for (const std::string& name : replicate_keys(known)) add(name, Kind::kSeed, 2);
  for (const std::string& name : differing_keys(known)) {
    const auto is_of_config = [&](const RunRecord* run) { return run->config.contains(name); };
    if (std::any_of(known.begin(), known.end(), is_of_config) || name == kChangesKey)
      add(name, Kind::kParameter, 1);
  }
  const size_t choices =
      out.columns_of(Kind::kParameter).size() + out.columns_of(Kind::kName).size();
  if (choices > 1) add("group", Kind::kGroup, 2);
  for (const std::string& name : metric_names(out.runs))
    add(name, Kind::kMetric, 1, info_of(name, out.runs));
  for (const std::string& name : differing_facts(out.runs)) add(name, Kind::kFact, 1);
  return out;
}

nlohmann::ordered_json run_rows(const ReportData& data) {
  Json out = Json::array();
  for (size_t i = 0; i < data.runs.size(); ++i) {
    Json row = {{"run", i},
                {"label", data.labels[i]},
                {"status", data.runs[i].status},
                {"section", data.section_of[i]}};
    if (data.failures[i] > 0) row["failures"] = data.failures[i];
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

std::string cell_text(const nlohmann::ordered_json& value, const ReportColumn& column) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (column.kind != ReportColumn::Kind::kMetric) return value.dump();
  if (value.is_number_float() || !column.info.unit.empty()) {
    return shown_metric(value.get<double>(), column.info);
  }
  std::string digits = value.dump();
  const size_t begin = digits.starts_with('-') ? 1 : 0;
  for (size_t i = digits.size(); i > begin + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

nlohmann::ordered_json shared_members(const std::vector<const nlohmann::ordered_json*>& objects) {
  if (objects.empty()) return Json::object();
  Json out = *objects[0];
  for (const Json* object : objects) {
    for (auto member = out.begin(); member != out.end();) {
      const auto found = object->find(member.key());
      const bool same = found != object->end() && *found == member.value();
      member = same ? std::next(member) : out.erase(member);
    }
  }
  return out;
}

}  // namespace vitrine
