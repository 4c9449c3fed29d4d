#include "experiments/reconstruction.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

#include "framework/config/scalar.h"
#include "framework/drawing/grid.h"
#include "framework/model/plot.h"
#include "framework/registry/register.h"
#include "framework/training/experiment.h"

namespace vitrine {
namespace {

struct Options {
  std::vector<std::string> images = {"0", "1", "2", "3", "4", "5"};
  int64_t seed = 0;

  void visit(Fields& field) {
    field("images", images, "numbers of the run's test images, or PNG files");
    field("seed", seed, "of what is hidden", at_least(0));
  }
};

// What the model takes -> pixels from 0 to 1, of which the image is an example: transforms of a
// channel's numbers are linear.
Tensor in_pixels(const Tensor& told, const PlotImage& image) {
  if (image.input.scalar_type() == at::kByte) return told;
  std::vector<Tensor> channels;
  for (int64_t c = 0; c < told.size(1); ++c) {
    const Tensor from = image.input.select(1, c).to(at::kFloat);
    const Tensor to = image.pixels.select(1, c).to(at::kFloat).div(255);
    const Tensor centred = from - from.mean(), spread = centred.square().sum().clamp_min(1e-12);
    const Tensor slope = (centred * (to - to.mean())).sum() / spread;
    channels.push_back((told.select(1, c) - from.mean()) * slope + to.mean());
  }
  return at::stack(channels, 1);
}

// Images of which patches were hidden from the model, and what it tells of them.
class ReconstructionPlot : public Plot {
 public:
  ReconstructionPlot(const Options& options, const PlotContext& context)
      : options_(options), context_(context) {
    if (context_.load_experiment) experiment_ = context_.load_experiment();
    reconstructs_ = dynamic_cast<Reconstructs*>(experiment_.get());
    if (!reconstructs_)
      throw Error(ExitCode::kUsage, "the run's experiment hides nothing that it could tell");
  }

  Picture draw() override {
    Grid grid;
    grid.columns = {"image", "shown", "told"};
    Numbers numbers{{{"image", "", nlohmann::ordered_json::array()},
                     {"picture", "", {"image", "hidden", "told"}},
                     {"channel", "", counted(context_.images[0])},
                     {"row", "pixels", counted(context_.images[1])},
                     {"column", "pixels", counted(context_.images[2])}},
                    "pixel; hidden: 1 for yes",
                    "",
                    {}};
    const auto images = context_.load_images(options_.images);
    for (size_t i = 0; i < images.size(); ++i) {
      // Of a test image the same is hidden whichever others are shown.
      const auto number = parse_integer(options_.images[i]);
      add(images[i], number.value_or(static_cast<int64_t>(i)), grid, numbers);
    }
    Picture out = vitrine::draw(std::move(grid));
    out.title = "What the model tells of hidden patches";
    out.notes = {
        "Shown: what of the image the model saw; the grey patches were hidden. Told: the same, "
        "with what it tells of the hidden ones in their place."};
    if (!reconstructs_->told_relative_to().empty())
      out.notes.push_back("What is told is relative to " + reconstructs_->told_relative_to() + ".");
    out.numbers = [numbers = std::move(numbers)] { return json_of(numbers); };
    return out;
  }

 private:
  void add(const PlotImage& image, int64_t number, Grid& grid, Numbers& numbers) {
    const BatchPosition position{static_cast<uint64_t>(options_.seed), 0,
                                 at::tensor(at::ArrayRef<int64_t>(number))};
    const auto [hidden, all] = reconstructs_->reconstruct(image.input, position);
    const Tensor pixels = image.pixels.to(at::kFloat).div(255);
    const Tensor told = at::where(hidden, in_pixels(all, image).clamp(0, 1), pixels);
    constexpr double kGrey = 0.5;
    const auto shown = [](const Tensor& x) {
      return to_image(x[0].mul(255).round().to(at::kByte));
    };
    GridRow row;
    row.cells = {{to_image(image.pixels[0]), {image.name}},
                 {shown(at::where(hidden, kGrey, pixels)), {}},
                 {shown(told), {}}};
    grid.rows.push_back(std::move(row));
    numbers.axes[0].values.push_back(image.name);
    for (const Tensor& each : {pixels, hidden.to(at::kFloat), told}) {
      const std::vector<float> values = to_floats(each);
      numbers.values.insert(numbers.values.end(), values.begin(), values.end());
    }
  }

  Options options_;
  PlotContext context_;
  std::shared_ptr<Experiment> experiment_;
  Reconstructs* reconstructs_ = nullptr;
};

VITRINE_REGISTER(Plot, ReconstructionPlot, Options,
                 "what a run tells of patches that were hidden from it")

}  // namespace
}  // namespace vitrine
