#include "framework/comparing/sections.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "framework/comparing/group_values.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;
// What a label may say of a section's runs; empty for nothing.
using Attribute = std::function<std::string(const RunRecord&)>;

bool is_comparable(const RunRecord& run) {
  return run.is_readable() && !run.metrics.config_sha256.empty();
}

// What follows the point in "test/loss.above_five".
std::string task_of(const std::string& metric) {
  const size_t dot = metric.find('.', metric.find('/'));
  return dot == metric.npos ? "" : metric.substr(dot + 1);
}

bool is_loss(const std::string& metric) {
  const std::string value = metric.substr(metric.find('/') + 1);
  return value.substr(0, value.find('.')) == "loss";
}

// The member of an object where it is text; a file may have anything there.
std::string text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Empty where the run does not tell.
const Json& tasks_of(const RunRecord& run) {
  static const Json none = Json::array();
  const auto tasks = run.metrics.model.find("tasks");
  const bool told =
      tasks != run.metrics.model.end() && tasks->is_array() &&
      std::all_of(tasks->begin(), tasks->end(), [](const Json& task) { return task.is_object(); });
  return told ? *tasks : none;
}

std::vector<std::string> names_of_tasks(const RunRecord& run) {
  std::vector<std::string> out;
  for (const Json& task : tasks_of(run)) out.push_back(text_of(task, "name"));
  if (!out.empty()) return out;
  for (const auto& [name, info] : run.metrics.metrics) {
    if (name.starts_with("test/loss.")) out.push_back(task_of(name));
  }
  return out;
}

// As text in which equal measurements are equal. `in_full`: all runs tell their test images and
// tasks.
std::string measured_by(const RunRecord& run, const std::string& metric, bool in_full) {
  const Json& data = run.metrics.dataset;
  Json out = Json::array();
  if (in_full) {
    out.push_back(text_of(data, "test_sha256"));
    for (Json task : tasks_of(run)) {
      if (!is_loss(metric)) task.erase("weight"), task.erase("loss");
      out.push_back(std::move(task));
    }
  } else {
    std::vector<std::string> tasks = names_of_tasks(run);
    std::sort(tasks.begin(), tasks.end());
    if (tasks.size() < 2) tasks.clear();
    out = {text_of(data, "sha256"), data.value("test", Json()), tasks};
  }
  if (!is_loss(metric)) return out.dump();
  for (const auto& [key, value] : run.config.items()) {
    if (key == "loss" || key.starts_with("loss.")) out.push_back({key, value});
  }
  return out.dump();
}

std::string several_tasks(const RunRecord& run) {
  const std::vector<std::string> names = names_of_tasks(run);
  return names.size() < 2 ? "" : fmt::format("tasks {}", fmt::join(names, " and "));
}

std::string only_task(const RunRecord& run) {
  const std::vector<std::string> names = names_of_tasks(run);
  return names.size() == 1 ? "task " + names[0] : "";
}

std::string test_images(const RunRecord& run) {
  const Json count = run.metrics.dataset.value("test", Json(0));
  return fmt::format("{} test image{}", shown_value(count), count == 1 ? "" : "s");
}

Attribute option(const std::string& key) {
  return [key](const RunRecord& run) {
    const auto value = run.config.find(key);
    if (value == run.config.end()) return std::string();
    const std::string text = shown_value(*value);
    const bool is_path = text.find('/') != text.npos;
    return key.substr(key.find('.') + 1) + " " +
           (is_path ? std::filesystem::path(text).filename().string() : text);
  };
}

// Ever finer, until labels differ.
std::vector<Attribute> attributes_of(const std::vector<Section>& sections,
                                     const std::string& metric) {
  std::vector<Attribute> out = {several_tasks, test_images, only_task};
  std::set<std::string> seen;
  for (const std::string& part : {"dataset.", "loss"}) {
    if (part == "loss" && !is_loss(metric)) continue;
    for (const Section& section : sections) {
      for (const auto& [key, value] : section.runs[0]->config.items()) {
        if (key.starts_with(part) && seen.insert(key).second) out.push_back(option(key));
      }
    }
  }
  out.emplace_back([](const RunRecord& run) {
    const std::string test = text_of(run.metrics.dataset, "test_sha256");
    const std::string whole = text_of(run.metrics.dataset, "sha256");
    return "data " + shortened_hash(test.empty() ? whole : test);
  });
  out.emplace_back([](const RunRecord& run) {
    const Json& tasks = tasks_of(run);
    return tasks.empty() ? "" : "targets " + shortened_hash(text_of(tasks[0], "targets"));
  });
  return out;
}

// Whether it says the same of all runs of each section.
bool is_of_sections(const Attribute& attribute, const std::vector<Section*>& sections) {
  return std::all_of(sections.begin(), sections.end(), [&](const Section* section) {
    const std::string first = attribute(*section->runs[0]);
    return std::all_of(section->runs.begin() + 1, section->runs.end(),
                       [&](const RunRecord* run) { return attribute(*run) == first; });
  });
}

// Adds what the attribute says to labels that several sections share, where it is not the same for
// all of these.
void refine(std::vector<Section>& sections, const Attribute& attribute) {
  std::map<std::string, std::vector<Section*>> sharing;
  for (Section& section : sections) sharing[section.label].push_back(&section);
  for (const auto& [label, some] : sharing) {
    std::set<std::string> words;
    for (const Section* section : some) words.insert(attribute(*section->runs[0]));
    if (words.size() < 2 || !is_of_sections(attribute, some)) continue;
    for (Section* section : some) {
      const std::string own = attribute(*section->runs[0]);
      if (!own.empty()) section->label += ", " + own;
    }
  }
}

void label_sections(std::vector<Section>& sections, const std::string& metric) {
  if (sections.size() < 2) return;
  for (Section& section : sections)
    section.label = text_of(section.runs[0]->metrics.dataset, "type");
  for (const Attribute& attribute : attributes_of(sections, metric)) refine(sections, attribute);
}

Runs comparable(const Runs& runs) {
  Runs out;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(out),
               [](const RunRecord* run) { return is_comparable(*run); });
  return out;
}

bool selects(const std::vector<Condition>& conditions, const Runs& runs) {
  return std::any_of(runs.begin(), runs.end(), [&](const RunRecord* run) {
    return run->is_readable() &&
           std::all_of(conditions.begin(), conditions.end(),
                       [&](const Condition& condition) { return condition.holds(*run); });
  });
}

bool any_has(const Runs& runs, const std::string& name) {
  return std::any_of(runs.begin(), runs.end(),
                     [&](const RunRecord* run) { return run->value(name).has_value(); });
}

}  // namespace

std::vector<Section> parted(const Runs& runs, const std::string& metric) {
  const Runs told = comparable(runs);
  const bool in_full = std::all_of(told.begin(), told.end(), [](const RunRecord* run) {
    return !text_of(run->metrics.dataset, "test_sha256").empty() && !tasks_of(*run).empty();
  });
  std::vector<Section> out;
  std::unordered_map<std::string, size_t> known;
  for (const RunRecord* run : told) {
    const auto [found, is_new] = known.try_emplace(measured_by(*run, metric, in_full), out.size());
    if (is_new) out.emplace_back();
    out[found->second].runs.push_back(run);
  }
  std::stable_sort(out.begin(), out.end(), [](const Section& a, const Section& b) {
    return a.runs.size() > b.runs.size();
  });
  label_sections(out, metric);
  if (out.empty()) out.emplace_back();
  for (const RunRecord* run : runs) {
    if (!is_comparable(*run)) out[0].runs.push_back(run);
  }
  return out;
}

std::vector<ComparedSection> compare_sections(const Runs& runs, const ComparisonOptions& options) {
  require_names(runs, options);
  ComparisonOptions common = options;
  if (common.metric.empty())
    common.metric = common_metric(comparable(runs), main_metrics(comparable(runs)));
  const std::vector<Section> sections = parted(runs, common.metric);
  const auto is_selected = [&](const Section& section) {
    return selects(options.baseline, section.runs);
  };
  const bool any_selected = std::any_of(sections.begin(), sections.end(), is_selected);
  std::vector<ComparedSection> out;
  for (const Section& section : sections) {
    ComparisonOptions own = common;
    if (options.metric.empty() && !any_has(section.runs, own.metric)) own.metric.clear();
    if (any_selected && !is_selected(section)) own.baseline.clear();
    out.push_back({section.label, section.runs.size(), compare_named(section.runs, own)});
  }
  return out;
}

}  // namespace vitrine
