#include <fmt/format.h>

#include "framework/drawing/heat_chart.h"
#include "framework/error.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"
#include "models/parts.h"
#include "models/patches.h"

namespace vitrine {
namespace {

struct Options {
  int64_t length = 100, width = 300;
  std::optional<int64_t> scale;
  Choice<Position> position{"sincos"};

  void visit(Fields& field) {
    field("length", length, "tokens: rows of the picture", between(1, 10'000));
    field("width", width, "hidden_d: columns of the picture", between(1, 10'000));
    field("scale", scale, "pixels of a PNG a value, along each side; null: as the picture needs",
          between(1, 64));
    field("position", position, "the part whose table is drawn");
  }
  void check(const PlotContext& context, Check& check) const {
    if (position.valid()) position.check(part_context(), check.problems());
    if (!context.model) return;
    for (const char* field : {"length", "width", "position"})
      check.no_effect(field, "the table of the run's model is drawn");
  }
  // One column of patches and no special token, so that the table has `length` rows.
  PartContext part_context() const {
    PartContext out;
    out.channels = out.columns = out.width = 1;
    out.rows = out.height = length;
    out.hidden_d = width;
    return out;
  }
};

std::vector<std::string> special_names(const Model& model, int64_t count) {
  const auto& tasks = model.tasks();
  std::vector<std::string> out;
  for (int64_t i = 0; i < count; ++i) {
    out.push_back(count == static_cast<int64_t>(tasks.size()) ? tasks[static_cast<size_t>(i)].name
                                                              : fmt::format("special {}", i));
  }
  return out;
}

// The tokens as an axis calls them: each of the special ones, and the rows of patches.
std::vector<HeatLabel> labels_of(const std::vector<std::string>& special,
                                 const Patching& geometry) {
  std::vector<HeatLabel> out;
  for (const std::string& name : special) out.push_back({out.size(), 1, name});
  const auto columns = static_cast<size_t>(geometry.columns);
  if (geometry.rows == 1) {
    for (size_t i = 0; i < columns; ++i)
      out.push_back({special.size() + i, 1, fmt::format("column {}", i)});
    return out;
  }
  for (size_t i = 0; i < static_cast<size_t>(geometry.rows); ++i)
    out.push_back({special.size() + i * columns, columns, fmt::format("row {}", i)});
  return out;
}

// "class", "0, 0", "0, 1", ...
NumbersAxis tokens_of(const std::vector<std::string>& special, const Patching& geometry) {
  NumbersAxis out{"token", "", special};
  for (int64_t row = 0; row < geometry.rows; ++row) {
    for (int64_t column = 0; column < geometry.columns; ++column)
      out.values.push_back(fmt::format("{}, {}", row, column));
  }
  return out;
}

// Whether a part tells of a table, on tokens that are patches with a channel for each column.
bool has_table(Position& part, const PartContext& context) {
  Recorder recorder({{"", part.shared_from_this()}}, {context.hidden_d, context.n_tokens(), 1});
  part(patches(recorder.images(), context.n_tokens(), 1));
  return recorder.program().names.contains("table");
}

// The position table: one row a token, one column a dimension.
class Positions : public Plot {
 public:
  Positions(const Options& options, const PlotContext& context)
      : options_(options), context_(context) {}

  Picture draw() override {
    if (context_.model) return of_model();
    const PartContext context = options_.part_context();
    const auto part = options_.position.create(context);
    if (!has_table(*part, context))
      throw Error(ExitCode::kUsage,
                  "the position \"" + options_.position.type() + "\" has no table to draw");
    // What it makes of zeros is what it adds.
    const Tensor zeros = at::zeros({1, context.n_tokens(), context.hidden_d});
    const Tensor table = (*part)(zeros).tensor()[0].detach();
    return drawn(table, {"position", "", counted(table.size(0))}, {},
                 " (" + options_.position.type() + ")");
  }

 private:
  Picture of_model() const {
    const Recording recording = recording_of(context_);
    const Patching geometry = patching_of(recording);
    const Tensor table = position_table(context_);
    const auto special = special_names(*context_.model, table.size(0) - geometry.count());
    Picture out = drawn(table, tokens_of(special, geometry), {"", labels_of(special, geometry)},
                        type_in_brackets(recording, "position"));
    out.notes.insert(out.notes.begin(),
                     std::string(special.empty() ? "The tokens are the"
                                                 : "Special tokens come first, then the") +
                         " image's patches row by row, each row from left to right.");
    return out;
  }

  Picture drawn(const Tensor& table, NumbersAxis tokens, HeatAxis rows,
                const std::string& part) const {
    HeatChart chart;
    chart.values = to_values(table);
    chart.bar = colour_bar(scale_of(chart.values, Palette::kDiverging), "value (no unit)");
    chart.x.title = "dimension of the token";
    chart.y = std::move(rows);
    chart.y.title = tokens.name;
    const std::string gaps = note_on_gaps(chart.values);
    if (options_.scale)  // two pixels a unit
      chart.cell_width = chart.cell_height = static_cast<double>(*options_.scale) / 2;
    Picture out = vitrine::draw(std::move(chart));
    if (options_.scale) out.resolution = 2;
    out.title = "Position embeddings" + part;
    out.notes.push_back("Colour: what is added to this dimension of the token.");
    if (!gaps.empty()) out.notes.push_back(gaps);
    out.numbers = [tokens = std::move(tokens), table] {
      return json_of(
          {{tokens, {"dimension", "", counted(table.size(1))}}, "value", "", to_floats(table)});
    };
    return out;
  }

  Options options_;
  PlotContext context_;
};

VITRINE_REGISTER(Plot, Positions, Options, "the table that a position part adds, as a heat map")

}  // namespace
}  // namespace vitrine
