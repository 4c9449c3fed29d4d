#include "framework/reports/report_charts.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/comparing/text_table.h"
#include "framework/error.h"
#include "framework/reports/page.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPlaces = 12;  // of an axis on which each value has its place
constexpr size_t kMostCounts = 20;  // classes of a confusion matrix that shows its numbers
constexpr size_t kMostLettersOfColumn = 4;

// The member of the list `out[list]` that has this name.
Json& named(Json& out, const char* list, const std::string& name) {
  const auto same = [&](const Json& each) { return each.value("name", "") == name; };
  return *std::find_if(out[list].begin(), out[list].end(), same);
}

void remove(Json& out, const char* list, const std::string& name) {
  out[list].erase(out[list].begin() + (&named(out, list, name) - &out[list][0]));
}

void set_signal(Json& out, const std::string& name, Json value) {
  named(out, "signals", name)["value"] = std::move(value);
}

// Whether numbers spread so widely that only their magnitudes tell them apart.
bool is_wide(const ReportColumn& column) {
  if (!column.numeric || column.values.size() < 2) return false;
  const auto low = column.values.front().get<double>(), high = column.values.back().get<double>();
  return low > 0 && high / low >= 50;
}

// For the column's values: each has its place where they are at most `most_places` or words, else
// they lie on a line.
Json scale_of(const ReportColumn& column, const std::string& name, const std::string& range,
              size_t most_places) {
  if (!column.numeric || column.values.size() <= most_places) {
    return {{"name", name},
            {"type", "point"},
            {"padding", 0.5},
            {"domain", column.values},
            {"range", range}};
  }
  return {{"name", name},
          {"type", is_wide(column) ? "log" : "linear"},
          {"zero", false},
          {"nice", true},
          {"domain", {column.values.front(), column.values.back()}},
          {"range", range}};
}

// Texts below the axis in lines of whole names, slanting where they are too many for that.
void fit_labels(Json& axis, const ReportColumn& column) {
  constexpr size_t kLettersOfAxis = 44;  // of a chart on a narrow page
  size_t longest = 0;
  for (const Json& value : column.values) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    for (const std::string& word : words_of(text)) {
      for (const std::string& part : parts_of(word)) longest = std::max(longest, width_of(part));
    }
  }
  const size_t places = std::max<size_t>(column.values.size(), 1);
  if ((longest + 1) * places <= kLettersOfAxis) {
    const std::string lines = fmt::format("lines(datum.label, {})", kLettersOfAxis / places - 1);
    axis["encode"]["labels"]["update"] = {{"text", {{"signal", lines}}}};
  } else {
    axis.update({{"labelAngle", -40}, {"labelAlign", "right"}, {"labelBaseline", "middle"}});
    axis["encode"]["labels"]["update"] = {{"text", {{"signal", "lines(datum.label, 24)"}}}};
  }
}

Json against(const ReportColumn& column, size_t most_places) {
  Json out = page_chart("effect");
  out["description"] = "the chosen metric against " + column.name;
  set_signal(out, "column", {{"id", column.id}, {"name", column.name}});
  Json& scale = named(out, "scales", "x");
  scale = scale_of(column, "x", "width", most_places);
  if (scale.at("type") == "point") {
    // Runs of one value side by side, so that none hides another.
    set_signal(out, "spread_share", 0.3 / static_cast<double>(column.values.size() + 1));
    fit_labels(out["axes"][0], column);
  } else {
    const bool large = column.values.back() >= 10'000;
    out["axes"][0].update(
        {{"format", large ? "~s" : ",~r"}, {"tickCount", is_wide(column) ? 3 : 6}});
    remove(out, "marks", "mean");
  }
  if (!column.numeric || scale.at("type") != "point") remove(out, "marks", "mean_line");
  return out;
}

// An axis of the parallel coordinates, of the metric where there is no column, with its name above.
void add_axis(Json& chart, const std::string& id, const ReportColumn* column) {
  Json scale = column ? scale_of(*column, id, "height", kMostPlaces)
                      : Json{{"name", id},
                             {"domain", {{"signal", "isNumber(values[0]) ? values : [0, 1]"}}},
                             {"zero", false},
                             {"nice", true},
                             {"range", "height"}};
  // The largest number on top.
  if (scale.value("type", "") == "point" && column->numeric) scale["reverse"] = true;
  chart["scales"].push_back(scale);
  Json axis = {{"orient", "left"},
               {"scale", id},
               {"zindex", 1},
               {"tickCount", 5},
               {"offset", {{"scale", "place"}, {"value", id}, {"mult", -1}}}};
  // Where axes stand close every second title is higher, so that none needs to be cut.
  const std::string place = fmt::format("indexof(domain('place'), '{}')", id);
  const std::string letters = "width / length(domain('place')) / 3.6";
  const std::string middle = fmt::format("scale('place', '{}')", id);
  std::string x = middle, align = "'center'";
  if (chart["axes"].empty())
    x = "staggered ? 0 : " + middle, align = "staggered ? 'left' : 'center'";
  if (!column) x = "staggered ? width : " + middle, align = "staggered ? 'right' : 'center'";
  Json update = {{"x", {{"signal", x}}},
                 {"y", {{"signal", "staggered && " + place + " % 2 ? -48 : -14"}}},
                 {"align", {{"signal", align}}},
                 {"baseline", {{"value", "line-bottom"}}},
                 {"lineHeight", {{"value", 13}}},
                 {"fontSize", {{"value", 12}}}};
  if (column) {
    chart["signals"].push_back({{"name", "title_" + id}, {"value", column->name}});
    update["text"] = {{"signal", fmt::format("lines(title_{}, {})", id, letters)}};
  } else {
    axis["format"] = {{"signal", "percent ? '.1~%' : ',.4~r'"}};
    update["text"] = {{"signal", "lines(metric.name, " + letters + ")"}};
  }
  axis["encode"]["labels"]["update"] = {
      {"text", {{"signal", "lines(datum.label, " + letters + ")"}}}};
  // Twice: the labels below are broad and of the ground's colour, so that lines do not cross those
  // on top.
  chart["axes"].push_back(axis);
  chart["axes"].back()["encode"]["labels"]["style"] = "halo";
  chart["axes"].push_back(axis);
  chart["marks"].push_back({{"type", "text"}, {"style", "ink"}, {"encode", {{"update", update}}}});
}

// The signal `brush` is the range that was dragged along the axis, in pixels.
void add_brush(Json& chart, const std::string& id, const std::string& brush) {
  const std::string down = "@" + brush + "_hit:mousedown";
  const std::string moved = "[" + brush + "[0], clamp(y(), 0, height)]";
  chart["signals"].push_back(
      {{"name", brush},
       {"value", {0, 0}},
       {"on",
        {{{"events", down}, {"update", "[y(), y()]"}},
         {{"events", "[" + down + ", window:mouseup] > window:mousemove!"}, {"update", moved}}}}});
  const auto at = [&](int offset) {
    return Json{{"scale", "place"}, {"value", id}, {"offset", offset}};
  };
  const auto add = [&](const std::string& name, bool interactive, Json update) {
    chart["marks"].push_back({{"type", "rect"},
                              {"name", name},
                              {"style", "brush"},
                              {"interactive", interactive},
                              {"encode", {{"update", std::move(update)}}}});
  };
  add(brush + "_range", false,
      {{"x", at(-7)},
       {"width", {{"value", 14}}},
       {"y", {{"signal", brush + "[0]"}}},
       {"y2", {{"signal", brush + "[1]"}}},
       {"fillOpacity", {{"value", 0.35}}}});
  add(brush + "_hit", true,
      {{"x", at(-12)},
       {"width", {{"value", 24}}},
       {"y", {{"value", -4}}},
       {"height", {{"signal", "height + 8"}}},
       {"fillOpacity", {{"value", 0}}},
       {"cursor", {{"value", "ns-resize"}}}});
}

Json names_of(const Json& classes) {
  Json out = Json::array();
  for (const Json& each : classes) out.push_back(each.at("name"));
  return out;
}

Json numbers_below(size_t count) {
  Json out = Json::array();
  for (size_t i = 0; i < count; ++i) out.push_back(i);
  return out;
}

}  // namespace

nlohmann::ordered_json curves_chart(const nlohmann::ordered_json& curves) {
  Json out = page_chart("curves");
  Json ids = Json::array(), names = Json::array(), titles, units;
  for (const Json& metric : curves.at("metrics")) {
    const auto id = metric.at("id").get<std::string>();
    ids.push_back(id);
    names.push_back(metric.at("name"));
    titles[id] = metric.at("name");
    units[id] = metric.at("unit");
  }
  set_signal(out, "titles", titles);
  set_signal(out, "units", units);
  Json& choice = named(out, "signals", "choice_y");
  choice["value"] = ids.at(0);
  choice["bind"].update({{"options", ids}, {"labels", names}});
  return out;
}

nlohmann::ordered_json effect_chart(const ReportColumn& parameter) {
  Json out = against(parameter, kMostPlaces);
  remove(out, "marks", "front_line");
  return out;
}

nlohmann::ordered_json cost_chart(const ReportColumn& cost) {
  Json out = against(cost, 0);
  remove(out, "marks", "cross");
  out["height"] = 260;
  return out;
}

nlohmann::ordered_json parallel_chart(const std::vector<const ReportColumn*>& columns) {
  Json out = page_chart("parallel");
  Json ids = Json::array();
  std::string kept = "true", brushes;
  for (const ReportColumn* column : columns) ids.push_back(column->id);
  ids.push_back("value");
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = ids[i].get<std::string>();
    const std::string brush = fmt::format("brush_{}", i);
    add_axis(out, id, i < columns.size() ? columns[i] : nullptr);
    add_brush(out, id, brush);
    kept += fmt::format(
        " && (abs(span({0})) < 3 || isValid(datum.{1}) && inrange(scale('{1}', datum.{1}), {0}))",
        brush, id);
    brushes += (i ? ", " : "") + brush;
  }
  out["signals"].push_back({{"name", "brushes"}, {"update", "[" + brushes + "]"}});
  named(out, "data", "chosen")["transform"][0]["expr"] = kept;
  named(out, "data", "levels")["transform"][0]["fields"] = ids;
  named(out, "scales", "place")["domain"] = ids;
  return out;
}

nlohmann::ordered_json confusion_chart(const nlohmann::ordered_json& task) {
  const Json& classes = task.at("classes");
  Json out = page_chart("confusion"), cells = Json::array();
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto images = std::max<int64_t>(classes[i].at("images").get<int64_t>(), 1);
    for (size_t j = 0; j < classes.size(); ++j) {
      const Json& count = task.at("confusion").at(i).at(j);
      const double share = count.get<double>() / static_cast<double>(images);
      cells.push_back({{"is", i}, {"said", j}, {"count", count}, {"share", share}});
    }
  }
  out["width"] = out["height"] = std::clamp<size_t>(classes.size() * 34, 120, 520);
  set_signal(out, "names", names_of(classes));
  named(out, "data", "cells")["values"] = cells;
  for (const char* axis : {"x", "y"}) {
    named(out, "scales", axis)["domain"] = numbers_below(classes.size());
  }
  if (classes.size() > kMostCounts) remove(out, "marks", "counts");
  const bool has_words = std::any_of(classes.begin(), classes.end(), [](const Json& each) {
    return width_of(each.at("name").get<std::string>()) > kMostLettersOfColumn;
  });
  if (has_words) {
    out["axes"][0].update(
        {{"labelAngle", -50}, {"labelAlign", "left"}, {"labelBaseline", "middle"}});
  }
  return out;
}

nlohmann::ordered_json counts_chart(const std::vector<std::string>& names,
                                    const std::vector<int64_t>& images, size_t most) {
  const bool is_named = names.size() <= most;
  Json out = page_chart(is_named ? "counts" : "ranked"), rows = Json::array();
  std::vector<size_t> order(names.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (!is_named) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return images[a] > images[b]; });
  }
  for (size_t i = 0; i < order.size(); ++i)
    rows.push_back({{"class", order[i]}, {"rank", i + 1}, {"images", images[order[i]]}});
  Json shown = Json::array();
  for (const std::string& name : names) shown.push_back(escape(name));
  set_signal(out, "names", shown);
  named(out, "data", "rows")["values"] = rows;
  if (!is_named) return out;
  out["height"] = std::clamp<size_t>(names.size() * 20, 60, 1200);
  named(out, "scales", "y")["domain"] = numbers_below(names.size());
  return out;
}

nlohmann::ordered_json class_chart(const nlohmann::ordered_json& classes, const std::string& what) {
  Json out = page_chart("classes"), rows = Json::array();
  for (size_t i = 0; i < classes.size(); ++i) {
    for (const char* measure : {"recall", "precision"}) {
      const Json& value = classes[i].at(measure);
      if (value.is_number()) rows.push_back({{"class", i}, {"measure", measure}, {"value", value}});
    }
  }
  out["axes"][1]["title"] = what;
  out["height"] = std::clamp<size_t>(classes.size() * 26, 100, 520);
  set_signal(out, "names", names_of(classes));
  named(out, "data", "rows")["values"] = rows;
  named(out, "scales", "y")["domain"] = numbers_below(classes.size());
  return out;
}

}  // namespace vitrine
