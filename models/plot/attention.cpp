#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/drawing/grid.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"
#include "framework/training/evaluation.h"
#include "framework/training/metric.h"
#include "models/plot/attention/maps.h"

namespace vitrine {
namespace {

struct Options {
  std::vector<std::string> images = {"0", "1", "2"};
  std::vector<int64_t> blocks;
  std::optional<std::string> task;

  void visit(Fields& field) {
    field("images", images, "numbers of the run's test images, or image files");
    field("blocks", blocks, "numbers of the blocks to show; none stands for all", at_least(0));
    field("task", task, "whose token's attention; null is the first");
  }
};

// Attention over an image: for each block its heads, their mean, and the rollout up to it.
class AttentionPlot : public Plot {
 public:
  AttentionPlot(const Options& options, const PlotContext& context)
      : options_(options),
        context_(context),
        recording_(recording_of(context)),
        patching_(patching_of(recording_)) {}

  Picture draw() override {
    const size_t task = find_task();
    choose_blocks();
    Grid grid = empty_grid();
    Numbers numbers = without_values();
    std::vector<Answer> answers;
    for (const PlotImage& image : context_.load_images(options_.images)) {
      answers.push_back(answer_to(image, task));
      numbers.axes[0].values.push_back(image.name);
      add(grid, numbers, image, answers.back(), task);
    }
    shrink(grid);
    grid.bar = ColourBar{
        {}, "attention to a patch, as a share of the map's largest", {{0, "0"}, {1, "max"}}};
    Picture out = vitrine::draw(std::move(grid));
    out.title = "Attention to the patches of an image";
    out.notes = notes(task);
    out.numbers = [numbers = std::move(numbers), answers = std::move(answers)] {
      nlohmann::ordered_json json = json_of(numbers);
      for (const Answer& answer : answers) json["images"].push_back(answer.json());
      return json;
    };
    return out;
  }

 private:
  size_t find_task() const {
    const auto& tasks = context_.model->tasks();
    std::vector<std::string> names;
    for (const Task& task : tasks) names.push_back(task.name);
    if (!options_.task) return 0;
    const auto found = std::find(names.begin(), names.end(), *options_.task);
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
    throw Error(ExitCode::kUsage, fmt::format("the model has no task \"{}\"; there are {}",
                                              escape(*options_.task), fmt::join(names, ", ")));
  }

  // The shapes of what the blocks tell of their attention.
  std::vector<Shape> attention() const {
    std::vector<Shape> out;
    for (const auto& [name, step] : recording_.program.names) {
      if (name.ends_with("attention.probabilities"))
        out.push_back(recording_.program.steps[step].shape);
    }
    if (out.empty())
      throw Error(ExitCode::kUsage, "the model has no attention that could be shown");
    return out;
  }
  int64_t blocks() const { return static_cast<int64_t>(attention().size()); }
  int64_t heads() const {
    const Shape shape = attention().front();
    return static_cast<int64_t>(shape.tokens / shape.columns);
  }
  bool reads_patches() const {
    const auto shares = recording_.program.names.find("pooling.shares");
    return shares != recording_.program.names.end() &&
           static_cast<int64_t>(recording_.program.steps[shares->second].shape.columns) ==
               patching_.count();
  }
  Tensor output_of(const Tensor& input, size_t task) const {  // [1, K]
    const TorchFeed feed{input, {}, {}};
    return interpret(recording_.program, recording_.parameters, feed)[task].flatten(1);
  }

  void choose_blocks() {
    const int64_t count = blocks();
    for (const int64_t block : options_.blocks) {
      if (block >= count)
        throw Error(ExitCode::kUsage,
                    fmt::format("there is no block {}: the model's {} are numbered from 0 to {}",
                                block, count, count - 1));
    }
    if (options_.blocks.empty()) {
      for (int64_t block = 0; block < count; ++block) options_.blocks.push_back(block);
    }
  }

  Grid empty_grid() const {
    constexpr double kNarrowest = 21;  // of images that are much longer one way
    Grid grid;
    const double side = static_cast<double>(std::max(patching_.height, patching_.width));
    grid.cell_width =
        std::max(kNarrowest, grid.cell_width * static_cast<double>(patching_.width) / side);
    grid.cell_height =
        std::max(kNarrowest, grid.cell_height * static_cast<double>(patching_.height) / side);
    grid.columns = {"image"};
    grid.label_before = 1;
    for (const std::string& map : map_names()) grid.columns.push_back(map);
    return grid;
  }

  std::vector<std::string> map_names() const {
    std::vector<std::string> out;
    for (int64_t head = 0; head < heads(); ++head) out.push_back(fmt::format("head {}", head));
    out.insert(out.end(), {"mean", "rollout"});
    return out;
  }

  // So that many images and blocks are still one page.
  static void shrink(Grid& grid) {
    constexpr size_t kMostRows = 24;
    if (grid.rows.size() <= kMostRows) return;
    grid.cell_width /= 1.25;
    grid.cell_height /= 1.25;
  }

  Numbers without_values() const {
    return {{{"image", "", nlohmann::ordered_json::array()},
             {"block", "", options_.blocks},
             {"map", "", map_names()},
             {"row of the patch", "patches", counted(patching_.rows)},
             {"column of the patch", "patches", counted(patching_.columns)}},
            "attention to the patch",
            "fraction",
            {}};
  }

  std::vector<std::string> notes(size_t task) const {
    const auto& tasks = context_.model->tasks();
    const std::string whose = reads_patches()     ? "what the pooling reads of the patches"
                              : tasks.size() <= 1 ? "the class token"
                                                  : "the token of the task " + tasks[task].name;
    return {"Colour: the share of the attention of " + whose +
                " that a patch gets, from 0 to the map's largest, which stands below it. The image "
                "shines through in grey.",
            "Mean: of the heads. Rollout: through this block and all before it, half of a token's "
            "information passing by the attention (Abnar and Zuidema 2020)."};
  }

  struct Answer {
    std::string image, label, task, predicted;
    std::optional<double> probability;  // of one of several classes

    nlohmann::ordered_json json() const {
      const auto known = [](const std::string& text) {
        return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
      };
      return {{"name", image},
              {"label", known(label)},
              {"task", known(task)},
              {"predicted", known(predicted)},
              {"probability", probability ? nlohmann::ordered_json(*probability) : nullptr}};
    }
  };

  Answer answer_to(const PlotImage& image, size_t number) const {
    if (context_.model->tasks().empty())
      return {image.name, image.labels.empty() ? "" : image.labels[0], "", "", std::nullopt};
    const Task& task = context_.model->tasks()[number];
    const Tensor output = output_of(image.input, number);
    const std::string label = image.labels.empty() ? "" : image.labels.at(task.column_number);
    if (task.type != TaskType::kClassification)
      return {image.name, label, task.name, answer_text(output[0], task), std::nullopt};
    const Tensor shares = probabilities_of(output, task)[0];
    const int64_t best = shares.argmax().item<int64_t>();
    return {image.name, label, task.name, task.names[static_cast<size_t>(best)],
            shares[best].item<double>()};
  }

  // A row for each block.
  void add(Grid& grid, Numbers& numbers, const PlotImage& image, const Answer& answer,
           size_t task) const {
    const AttentionMaps maps =
        attention_maps(*context_.model, image.input, static_cast<int64_t>(task), patching_);
    for (const int64_t block : options_.blocks) {
      GridRow row;
      const bool first = block == options_.blocks.front();
      row.label = fmt::format("block {}", block);
      row.begins_group = first;
      row.cells.push_back(first ? described(image, answer) : GridCell());
      std::vector<Tensor> all = maps.heads[block].unbind();
      all.push_back(maps.heads[block].mean(0));
      all.push_back(maps.rollout[block]);
      for (const Tensor& map : all) {
        row.cells.push_back(cell(map, image));
        const std::vector<float> values = to_floats(map);
        numbers.values.insert(numbers.values.end(), values.begin(), values.end());
      }
      grid.rows.push_back(std::move(row));
    }
  }

  GridCell described(const PlotImage& image, const Answer& answer) const {
    const std::string what = context_.model->tasks().size() == 1 ? "predicted" : answer.task;
    std::vector<std::string> caption = {image.name};
    if (!answer.label.empty()) caption.push_back("label: " + answer.label);
    if (!answer.predicted.empty()) caption.push_back(what + ": " + answer.predicted);
    if (answer.probability)
      caption.push_back(fmt::format("with {:.1f} %", 100 * *answer.probability));
    return {to_image(image.pixels[0]), std::move(caption)};
  }

  // The map's colours over the image.
  static GridCell cell(const Tensor& map, const PlotImage& image) {
    const Values values = to_values(map);
    const double high = scale_of(values, Palette::kViridis).high;
    const std::string gaps = note_on_gaps(values);
    return {overlay(to_image(image.pixels[0]), values, {Palette::kViridis, 0, high}),
            {gaps.empty() ? fmt::format("max {:.1f} %", 100 * high) : gaps}};
  }

  Options options_;
  PlotContext context_;
  Recording recording_;
  Patching patching_;
};

VITRINE_REGISTER(Plot, AttentionPlot, Options,
                 "what a task's token attends to, for each block and head, and its rollout")

}  // namespace
}  // namespace vitrine
