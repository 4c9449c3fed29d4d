#include "framework/comparing/comparison_table.h"

#include <algorithm>
#include <cmath>

#include "framework/comparing/comparison_columns.h"
#include "framework/comparing/comparison_text.h"
#include "framework/comparing/telling_keys.h"
#include "framework/comparing/text_table.h"
#include "framework/config/load.h"

namespace vitrine {

namespace {

// Ranks of columns: the highest goes first where room is short. A key that parts the groups more is
// of a lower rank than one that parts them less.
constexpr int kDifference = 1, kKey = 10, kP = 50, kInterval = 51, kIntervalOfDifference = 52;

bool any_contrast(const Comparison& comparison, bool (*has)(const Contrast&)) {
  return std::any_of(comparison.groups.begin(), comparison.groups.end(),
                     [&](const Group& group) { return group.contrast && has(*group.contrast); });
}

bool has_mean(const Contrast& contrast) { return !std::isnan(contrast.difference.mean); }

bool has_interval(const Contrast& contrast) {
  return !std::isnan(contrast.difference.interval.low);
}

bool has_verdict(const Contrast& contrast) { return contrast.verdict != Verdict::kTooFewSeeds; }

CellText value_cell(const Comparison& comparison, const std::string& name) {
  if (!comparison.infos.contains(name)) {
    return [name](const Group& group) { return values_of_runs(group, name); };
  }
  return [name, info = comparison.info(name)](const Group& group) {
    return shown_spread(group.spread(name), info);
  };
}

std::string seeds_of(const Group& group) {
  const size_t n = group.counted.size();
  return n == group.runs.size() ? std::to_string(n) : fmt::format("{} of {}", n, group.runs.size());
}

// Builds the columns one after the other.
class Builder {
 public:
  explicit Builder(const Comparison& comparison) : comparison_(comparison) {}

  void add(const std::string& heading, const CellText& cell, int rank = 0,
           const std::string& short_heading = "") {
    ComparisonTable::Column column{{heading}, rank, short_heading};
    for (const Group& group : comparison_.groups) column.cells.push_back(cell(group));
    table.columns.push_back(std::move(column));
  }

  void add_statistics() {
    const MetricInfo& info = comparison_.info(comparison_.metric);
    add(replicate_word(comparison_) + "s", seeds_of);
    add(comparison_.metric, value_cell(comparison_, comparison_.metric));
    const auto has_seeds = [](const Group& group) { return group.counted.size() > 1; };
    if (std::any_of(comparison_.groups.begin(), comparison_.groups.end(), has_seeds)) {
      const auto interval = [&](const Group& group) {
        return shown_interval(group.spread(comparison_.metric).interval, info);
      };
      add("95 %", interval, kInterval);
    }
    if (any_contrast(comparison_, has_mean)) add_contrasts(info);
  }

  ComparisonTable table;

 private:
  void add_contrasts(const MetricInfo& info) {
    const auto difference = [&](const Contrast& contrast) {
      return shown_difference(contrast.difference.mean, info, false);
    };
    add("difference", contrast_cell(difference), kDifference);
    if (!any_contrast(comparison_, has_interval)) return;
    const auto interval = [&](const Contrast& contrast) {
      return shown_interval(contrast.difference.interval, info);
    };
    add("95 % of it", contrast_cell(interval), kIntervalOfDifference);
    if (!any_contrast(comparison_, has_verdict)) return;
    add(comparison_.groups.size() > 2 ? "corrected p" : "p",
        contrast_cell([](const Contrast& contrast) { return shown_p(contrast.p); }), kP);
    add("verdict", [&](const Group& group) {
      if (group.contrast) return to_string(group.contrast->verdict);
      return std::string(comparison_.groups.size() > 2 ? "reference" : "");
    });
  }

  const Comparison& comparison_;
};

bool is_one_of(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The keys that have columns: the main ones, without those that labels tell, or with all of these.
std::vector<std::string> shown_keys(const Comparison& comparison, const TableOptions& options) {
  const auto& labels = comparison.label_keys;
  std::vector<std::string> chosen = options.always_labels ? std::vector<std::string>() : labels;
  for (const std::string& key : comparison.main_keys) {
    if (chosen.size() >= options.most_keys) break;
    if (!is_one_of(labels, key)) chosen.push_back(key);
  }
  return in_order_of(comparison.keys, chosen);
}

int rank_of_key(const Comparison& comparison, const std::string& key) {
  const auto& keys = comparison.main_keys;
  return kKey + static_cast<int>(std::find(keys.begin(), keys.end(), key) - keys.begin());
}

}  // namespace

std::vector<std::vector<std::string>> ComparisonTable::rows() const {
  std::vector<std::vector<std::string>> out;
  for (const Column& column : columns) {
    out.resize(column.cells.size());
    for (size_t i = 0; i < column.cells.size(); ++i) out[i].push_back(column.cells[i]);
  }
  return out;
}

ComparisonTable table_of(const Comparison& comparison, const TableOptions& options) {
  Builder builder(comparison);
  const std::vector<std::string>& asked = options.columns;
  const bool keys_are_labels =
      !comparison.label_keys.empty() && asked.empty() && !options.always_labels;
  if (!keys_are_labels) builder.add("group", [](const Group& group) { return group.label; });
  const auto is_key = [&](const std::string& name) { return !comparison.infos.contains(name); };
  const std::vector<std::string> keys = asked.empty() ? shown_keys(comparison, options) : asked;
  for (const std::string& key : keys) {
    if (!asked.empty() && !is_key(key)) continue;
    const int rank = !asked.empty()                          ? kLastToGo
                     : is_one_of(comparison.label_keys, key) ? 0
                                                             : rank_of_key(comparison, key);
    builder.add(key, value_cell(comparison, key), rank, short_name(key, keys));
  }
  builder.add_statistics();
  int rank = kOtherColumn;
  const auto others = asked.empty() ? other_columns(comparison, options.all_metrics) : asked;
  for (const std::string& name : others) {
    if (name == comparison.metric || (!asked.empty() && is_key(name))) continue;
    builder.add(name, value_cell(comparison, name), asked.empty() ? rank++ : kLastToGo,
                is_key(name) ? short_name(name, keys) : "");
  }
  const auto is_marked = [](const Group& group) { return !group.marks.empty(); };
  if (std::any_of(comparison.groups.begin(), comparison.groups.end(), is_marked)) {
    builder.add("marks", marks_of);
  }
  for (const std::string& key : comparison.keys) {
    const bool is_told = !keys_are_labels && is_one_of(comparison.label_keys, key);
    if (!is_told && !is_one_of(keys, key)) builder.table.folded.push_back(key);
  }
  return builder.table;
}

}  // namespace vitrine
