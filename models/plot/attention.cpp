#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/registry/register.h"
#include "framework/reports/grid.h"
#include "framework/training/evaluation.h"
#include "framework/training/model.h"
#include "framework/training/plot.h"
#include "models/plot/attention/maps.h"

namespace vitrine {
namespace {

struct Options {
  std::vector<std::string> images = {"0", "1", "2"};
  std::optional<std::string> task;

  void visit(Fields& field) {
    field("images", images, "numbers of the run's test images, or PNG files");
    field("task", task, "whose token's attention; null is the first");
  }
};

// Attention over an image: for each block its heads, their mean, and the rollout up to it.
class AttentionPlot : public Plot {
 public:
  AttentionPlot(const Options& options, const PlotContext& context)
      : options_(options), context_(context), model_(composed(context.model.get())) {}

  Picture draw() override {
    const size_t task = find_task();
    Grid grid;
    const PartContext& geometry = model_.geometry();
    const double side = static_cast<double>(std::max(geometry.height, geometry.width));
    grid.cell_width *= static_cast<double>(geometry.width) / side;
    grid.cell_height *= static_cast<double>(geometry.height) / side;
    grid.columns = {"image"};
    grid.label_before = 1;
    for (int64_t head = 0; head < geometry.n_heads; ++head)
      grid.columns.push_back(fmt::format("head {}", head));
    grid.columns.insert(grid.columns.end(), {"mean", "rollout"});
    for (const PlotImage& image : context_.load_images(options_.images)) add(grid, image, task);
    grid.bar = ColourBar{{}, "attention to a patch", {{0, "0"}, {1, "max"}}};
    return vitrine::draw(std::move(grid));
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

  // A row for each block.
  void add(Grid& grid, const PlotImage& image, size_t task) {
    const AttentionMaps maps = attention_maps(model_, image.input, static_cast<int64_t>(task));
    for (int64_t block = 0; block < maps.heads.size(0); ++block) {
      GridRow row;
      row.label = fmt::format("block {}", block);
      row.begins_group = block == 0;
      row.cells.push_back(block == 0 ? described(image, task) : GridCell());
      for (const Tensor& head : maps.heads[block].unbind()) row.cells.push_back(cell(head, image));
      row.cells.push_back(cell(maps.heads[block].mean(0), image));
      row.cells.push_back(cell(maps.rollout[block], image));
      grid.rows.push_back(std::move(row));
    }
  }

  GridCell described(const PlotImage& image, size_t task) const {
    const Task& answer = context_.model->tasks()[task];
    const Tensor shares = probabilities_of(context_.model->forward(image.input)[task], answer)[0];
    const int64_t best = shares.argmax().item<int64_t>();
    const std::string what = context_.model->tasks().size() == 1 ? "predicted" : answer.name;
    return {to_image(image.pixels[0]),
            {image.label.empty() ? image.name : image.name + ": " + image.label,
             what + ": " + answer.class_names[static_cast<size_t>(best)],
             fmt::format("with {:.1f} %", 100 * shares[best].item<float>())}};
  }

  // The map's colours over the image.
  GridCell cell(const Tensor& map, const PlotImage& image) const {
    const double high = map.max().item<float>();
    return {overlay(to_image(image.pixels[0]), to_values(map), {Palette::kViridis, 0, high}),
            {fmt::format("max {:.3f}", high)}};
  }

  Options options_;
  PlotContext context_;
  const Composed& model_;
};

VITRINE_REGISTER(Plot, AttentionPlot, Options,
                 "what a task's token attends to, for each block and head, and its rollout")

}  // namespace
}  // namespace vitrine
