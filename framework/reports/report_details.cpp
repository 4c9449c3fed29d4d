#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/comparing/condition.h"
#include "framework/comparing/text_table.h"
#include "framework/config/node.h"
#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/html.h"
#include "framework/files/json.h"
#include "framework/reports/breakable.h"
#include "framework/reports/report_charts.h"
#include "framework/reports/report_scope.h"
#include "framework/reports/report_sections.h"
#include "framework/reports/report_tables.h"
#include "framework/runs/run_directory.h"
#include "framework/runs/test_file.h"

namespace fs = std::filesystem;

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

constexpr size_t kMostRuns = 12;
constexpr uint64_t kMaxTestBytes = uint64_t{256} << 20;
constexpr uint64_t kMaxPictureBytes = uint64_t{2} << 20;
constexpr int64_t kMaxSide = 10'000;       // of an image
constexpr size_t kMostPictures = 12;       // of a run
constexpr size_t kMostPixels = 1'000'000;  // of a run's worst images

std::string problem(const std::string& text) {
  return "<p class=\"problem\">" + html(text) + "</p>\n";
}

// The runs that are shown one by one: all of a section, or the best; those of groups with failures
// behind others.
std::vector<size_t> chosen_runs(const ReportData& data, const ReportSection& section) {
  std::vector<size_t> out = section.runs;
  if (out.size() <= kMostRuns) return out;
  const ReportColumn* metric = first_metric(data, section);
  const auto place = [&](size_t run) {
    const Json found = metric ? data.value(run, *metric) : Json();
    const double sign = metric && metric->info.goal == "min" ? 1 : -1;
    const double value = found.is_number() ? sign * found.get<double>() : HUGE_VAL;
    return std::pair(metric ? data.failures[run] : 0, value);
  };
  std::stable_sort(out.begin(), out.end(), [&](size_t a, size_t b) { return place(a) < place(b); });
  out.resize(kMostRuns);
  return out;
}

std::string image_uri(const Json& entry, const fs::path& run) {
  return data_uri("image/png", read_worst_image(run, entry));
}

int64_t pixels_of(const Json& chw) {
  return json_integer(chw.at(1), "chw", 1, kMaxSide) * json_integer(chw.at(2), "chw", 1, kMaxSide);
}

std::string shown_probability(const Json& value) {
  return fmt::format("{:.3g} %", 100 * value.get<double>());
}

std::string figure_of_values(const Json& each, const std::string& uri) {
  const std::string target = html(answer_text(each.at("target"))),
                    predicted = html(answer_text(each.at("predicted")));
  return fmt::format(
      "<figure title=\"test image {}: {}, and it is {}\"><img alt=\"\" src=\"{}\">"
      "<figcaption>{} → <b>{}</b></figcaption></figure>\n",
      each.at("index").get<int64_t>(), predicted, target, uri, target, predicted);
}

// One image with what it is and what the model took it for. Throws Error(kData) for its picture.
std::string worst_figure(const Json& each, const fs::path& run) {
  if (each.contains("error")) return figure_of_values(each, image_uri(each, run));
  const auto target = each.at("target").get<std::string>(),
             predicted = each.at("predicted").get<std::string>();
  return fmt::format(
      "<figure title=\"test image {}: {} with {}, {} with {}\"><img alt=\"\" src=\"{}\">"
      "<figcaption>{} → <b>{}</b> {:.0f} %</figcaption></figure>\n",
      each.at("index").get<int64_t>(), html(predicted), shown_probability(each.at("probability")),
      html(target), shown_probability(each.at("probability_of_target")), image_uri(each, run),
      html(target), html(predicted), 100 * each.at("probability").get<double>());
}

std::string worst_images(const Json& worst, const Json& chw, const fs::path& run) {
  const auto pixels = static_cast<size_t>(pixels_of(chw));
  if (worst.empty() || !worst[0].contains("file")) return "";
  const size_t count = std::clamp<size_t>(kMostPixels / pixels, 1, worst.size());
  const bool of_values = worst[0].contains("error");
  std::string text = of_values ? "What it is → what the model told."
                               : "What it is → what the model took it for, and how sure it was.";
  if (count < worst.size()) text += fmt::format(" The {} worst of {}.", count, worst.size());
  std::string out = "<h3>Worst-classified test images</h3>" + note(text) + "<div class=\"images\">";
  try {
    for (size_t i = 0; i < count; ++i) out += worst_figure(worst[i], run);
  } catch (const Error& error) {
    return out + "</div>" + problem(error.what());  // the others are hardly better
  }
  return out + "</div>";
}

// Of so many classes that no matrix shows them.
std::string confused(const Json& confused) {
  constexpr size_t kMost = 30;
  const Json& pairs = confused.at("pairs");
  std::vector<std::vector<std::string>> rows = {{"is", "was taken for", "images"}};
  for (size_t i = 0; i < std::min(pairs.size(), kMost); ++i)
    rows.push_back({pairs[i].at("target"), pairs[i].at("predicted"),
                    grouped(pairs[i].at("images").get<int64_t>())});
  const auto count = [&](const char* what) { return grouped(confused.at(what).get<int64_t>()); };
  std::string text = count("images") + " images were taken for another class, " +
                     count("distinct") + " pairs of classes were confused.";
  if (rows.size() < pairs.size() + 1) text += fmt::format(" The {} most frequent:", kMost);
  return note(text) +
         (rows.size() == 1 ? "" : "<div class=\"wide\">" + text_table(rows) + "</div>");
}

// Of many classes those that are found least.
std::string each_class(ReportPage& page, const std::string& id, const Json& classes) {
  constexpr size_t kMost = 100, kShown = 40;
  if (classes.size() <= kMost) return page.chart("classes-" + id, class_chart(classes, "class"));
  auto sorted = classes.get<std::vector<Json>>();
  const auto recall = [](const Json& one) {
    return one.at("recall").is_number() ? one.at("recall").get<double>() : HUGE_VAL;
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Json& a, const Json& b) { return recall(a) < recall(b); });
  sorted.resize(kShown);
  return note(fmt::format("The {} of {} classes that are found least.", kShown,
                          grouped(static_cast<int64_t>(classes.size())))) +
         page.chart("classes-" + id, class_chart(Json(sorted), "class"));
}

std::string test_results(ReportPage& page, size_t run, const Json& test, const fs::path& folder) {
  std::string out;
  const Json& tasks = test.at("tasks");
  size_t number = 0;
  for (const auto& [name, task] : tasks.items()) {
    if (tasks.size() > 1) out += "<h3>Task " + html(name) + "</h3>";
    const std::string id = fmt::format("{}-{}", run, number++);
    if (task.contains("classes")) {
      out += "<div class=\"beside\">";
      out += "<div><h3>Confusion</h3>" +
             (task.contains("confused") ? confused(task.at("confused"))
                                        : page.chart("confusion-" + id, confusion_chart(task))) +
             "</div>";
      out += "<div><h3>Each class</h3>" + each_class(page, id, task.at("classes")) + "</div></div>";
    } else if (task.contains("labels")) {
      out += "<h3>Each label</h3>" +
             page.chart("classes-" + id, class_chart(task.at("labels"), "label"));
    }
    if (!task.contains("labels")) out += worst_images(task.at("worst"), test.at("chw"), folder);
  }
  return out;
}

// Nothing where the run was not tested; what is wrong with the file where it cannot be used.
std::string tested(ReportPage& page, size_t run, const fs::path& folder) {
  const std::string name = escape((folder / "test.json").string());
  try {
    const Place file = Folder::open(folder) / "test.json";
    if (!exists(file)) return "";
    return test_results(page, run, parse_ordered_json(read_file(file, kMaxTestBytes), name),
                        folder);
  } catch (const Error& error) {
    const std::string text = error.what();
    return problem(text.starts_with(name) ? text : name + ": " + text);
  } catch (const Json::exception&) {
    return problem(name + ": is not what a test writes");
  }
}

bool is_picture(const std::string& name) {
  return name.ends_with(".png") || name.ends_with(".svg");
}

// Of a run, or of a folder with several, and what was plotted of it.
std::vector<Place> pictures_in(const fs::path& path) {
  std::vector<Place> out;
  const auto add = [&](const Folder& folder) {
    for (const std::string& name : folder.names()) {
      if (is_picture(name)) out.push_back(folder / name);
    }
  };
  try {
    const Folder folder = Folder::open(path);
    add(folder);
    if (const auto plots = Folder::find(folder / "plots")) add(*plots);
  } catch (const Error&) {
    // A folder without pictures is as good; what is wrong with it is said of its run.
  }
  return out;
}

// A picture is shown as an image, so a script within an SVG does not run.
std::string picture(const Place& file) {
  const std::string name = escape(file.filename());
  try {
    const bool svg = name.ends_with(".svg");
    const std::string bytes = read_file(file, kMaxPictureBytes);
    return fmt::format(
        "<figure><img alt=\"{0}\" src=\"{1}\"><figcaption>{0}</figcaption></figure>\n", html(name),
        data_uri(svg ? "image/svg+xml" : "image/png", bytes));
  } catch (const Error& error) {
    return problem(error.what());
  }
}

std::string pictures(const fs::path& folder) {
  const std::vector<Place> files = pictures_in(folder);
  std::string out;
  for (size_t i = 0; i < std::min(files.size(), kMostPictures); ++i) out += picture(files[i]);
  if (files.size() > kMostPictures) {
    out += note(fmt::format("{} more pictures are in the folder.", files.size() - kMostPictures));
  }
  return out.empty() ? "" : "<div class=\"pictures\">" + out + "</div>";
}

// "optimizer.lr=0.001", for a shell.
std::string assignment(const std::string& key, const nlohmann::ordered_json& value) {
  return shell_word(key + "=" + to_flow_yaml(Node::from_json(value)));
}

// The commands that come to the same run: where a resume made it another experiment than its config
// tells, first with the old values, then with each change at its step. By the config: the command
// of the run may resume one that has finished by now, as in a sweep.
std::string commands_of(const RunRecord& run) {
  std::vector<Change> changes = run.metrics.changes;
  const bool is_exact =
      std::all_of(changes.begin(), changes.end(), [](const Change& one) { return one.exact; });
  std::erase_if(changes, [&](const Change& one) { return !run.config.contains(one.key); });
  std::string out = "runner config.yaml";
  if (is_exact || changes.empty()) return out;
  std::set<std::string> seen;
  for (const Change& change : changes) {
    if (seen.insert(change.key).second) out += " " + assignment(change.key, change.from);
  }
  out += " --run-dir again";
  for (size_t i = 0; i < changes.size(); ++i) {
    if (i == 0 || changes[i].step != changes[i - 1].step)
      out += fmt::format(" --stop-after {}\nrunner resume again", changes[i].step);
    out += " " + assignment(changes[i].key, changes[i].to);
  }
  return out;
}

std::string changes_of(const RunRecord& run) {
  std::string out;
  for (const Change& change : run.metrics.changes) {
    out += fmt::format("<li>from step {} on <code>{}</code> is {}, was {}{}</li>\n", change.step,
                       html(change.key), html(shown_value(change.to)),
                       html(shown_value(change.from)), change.exact ? "" : " (not exact)");
  }
  return out.empty() ? "" : "<h3>Changed by resumes</h3>\n<ul>" + out + "</ul>\n";
}

std::string reproduction(const RunRecord& run) {
  const auto version = run.value("environment.git");
  std::string out = "<h3>To run it again</h3>\n<pre>" + html(commands_of(run)) + "</pre>\n";
  out += note("with the config below in a file of this name" +
              (version && version->is_string()
                   ? ", of version <code>" + html(version->get<std::string>()) + "</code>"
                   : "") +
              ".");
  std::string command;
  for (const std::string& word : run.metrics.command) {
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  if (!command.empty()) out += note("It was started as <code>" + html(command) + "</code>");
  return out;
}

std::string config_of(const RunRecord& run) {
  try {
    const std::string text = read_file(Folder::open(run.path) / "config.yaml", kMaxConfigBytes);
    return "<details><summary>config.yaml</summary><pre>" + html(text) + "</pre></details>\n";
  } catch (const Error& error) {
    return problem(error.what());
  }
}

std::string details_of(ReportPage& page, const ReportData& data, size_t number, bool open) {
  const RunRecord& run = data.runs[number];
  std::string summary = "<b>" + breakable(data.labels[number]) + "</b>";
  if (const auto* metric = first_metric(data, data.sections[data.section_of[number]])) {
    summary += fmt::format(" <span>{} {}</span>", breakable(metric->name),
                           html(cell_text(data.value(number, *metric), *metric)));
  }
  summary += fmt::format(" <span class=\"status {0}\">{0}</span>", run.status);
  std::string out =
      fmt::format("<details class=\"run\"{}><summary>{}</summary>\n", open ? " open" : "", summary);
  if (!run.is_readable()) return out + problem(run.error) + "</details>\n";
  if (!run.metrics.note.empty()) out += note(html(run.metrics.note));
  if (const auto& tags = run.metrics.tags; !tags.empty())
    out += note("Tags: " + html(fmt::format("{}", fmt::join(tags, ", "))));
  out += tested(page, number, run.path);
  if (const std::string found = pictures(run.path); !found.empty()) {
    out += "<h3>Pictures</h3>" + found;
  }
  return out + changes_of(run) + reproduction(run) + config_of(run) + "</details>\n";
}

}  // namespace

void add_pictures(ReportPage& page, const std::vector<std::string>& places) {
  std::string out;
  for (const std::string& place : places) {
    try {
      if (!holds_run(place)) out += pictures(place);
    } catch (const Error&) {
      // It was passed over, which is told.
    }
  }
  if (!out.empty()) page.add("pictures", "Pictures", out);
}

void add_details(ReportPage& page, const ReportData& data) {
  const auto shown = [&](const ReportSection& section) {
    const std::vector<size_t> runs = chosen_runs(data, section);
    std::string out;
    if (runs.size() < section.runs.size()) {
      const ReportColumn* metric = first_metric(data, section);
      out = note(fmt::format("The {} {} of {} runs{}; a report of fewer runs shows all of them.",
                             runs.size(), metric ? "best" : "first", section.runs.size(),
                             metric ? " by " + html(metric->name) : ""));
    }
    for (const size_t run : runs) out += details_of(page, data, run, run == runs[0]);
    return out;
  };
  page.add_parts("details", data.runs.size() == 1 ? "The run" : "Single runs", data, shown);
}

}  // namespace vitrine
