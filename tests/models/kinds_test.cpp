// The kinds that are few: short suites over all that is registered. And every kind has a suite.
#include <set>

#include "framework/model/layout.h"
#include "framework/model/plot.h"
#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "tests/component.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

// What `runner plot` and `runner export` do with a name.
Image draw(const std::string& name, const PlotContext& context) {
  Choice<Plot> choice(name);
  Problems problems;
  choice.read_default(Plot::kKind, problems);
  choice.check(context, problems);
  REQUIRE(problems.text("test") == "");
  return to_image(choice.create(context)->draw());
}

std::string refusal(const Model& model, const std::string& layout) {
  try {
    const_cast<Model&>(model).export_as(layout);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every model is trained, saved and loaded") {
  for (const std::string& name : Registry::instance().names(Model::kKind)) {
    CAPTURE(name);
    const std::string yaml = "{type: " + name + "}";
    const Tensor pixels = at::randint(0, 256, {2, 1, 28, 28}, at::kByte);
    const auto model = make_model(yaml, images_of(1, 28, 28));
    const auto outputs = outputs_of(model, pixels);
    REQUIRE(outputs.size() == model->tasks().size());
    Tensor sum = at::zeros({});
    for (size_t i = 0; i < outputs.size(); ++i) {
      CHECK(outputs[i].sizes() == at::IntArrayRef({2, model->tasks()[i].outputs()}));
      sum = sum + (outputs[i] * at::randn_like(outputs[i])).sum();
    }
    sum.backward();
    for (const auto& [parameter, value] : parameters_by_name(*model)) {
      CAPTURE(parameter);
      REQUIRE(value.grad().defined());
      CHECK(value.grad().isfinite().all().item<bool>());
    }
    check_trained_and_saved(yaml, images_of(1, 28, 28), pixels);
  }
}

TEST_CASE("every layout holds all weights of a model that it fits, and refuses others in words") {
  const auto tutorial = make_model(kTutorial, images_of(1, 28, 28));
  const auto today = make_model("{type: vit}", images_of(1, 28, 28));
  for (const std::string& name : Registry::instance().names(Layout::kKind)) {
    CAPTURE(name);
    size_t fitting = 0;
    for (const auto& model : {tutorial, today}) {
      const std::string refused = refusal(*model, name);
      if (!refused.empty()) {
        CHECK_THAT(refused, StartsWith("the layout \"" + name + "\" has no equal of this model: "));
        continue;
      }
      ++fitting;
      // Tensors may be renamed, reshaped and cut along their first dimension, and tables stand
      // beside them; none is left out.
      std::multiset<float> numbers;
      for (const auto& [key, value] : model->export_as(name)) {
        const Tensor flat = value.detach().flatten().contiguous();
        numbers.insert(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
      }
      for (const auto& [parameter, value] : parameters_by_name(*model)) {
        CAPTURE(parameter);
        const Tensor flat = value.detach().flatten().contiguous();
        for (int64_t i = 0; i < flat.numel(); ++i) {
          const auto found = numbers.find(flat.data_ptr<float>()[i]);
          REQUIRE(found != numbers.end());
          numbers.erase(found);
        }
      }
    }
    CHECK(fitting > 0);
  }
}

// One that hides patches: what pictures of experiments show.
std::shared_ptr<Experiment> hiding_patches() {
  at::manual_seed(3);
  ExperimentContext context;
  context.model = make_model("{type: vit}", {1, 28, 28, {}});
  context.backend = kLayers;
  context.data.channels = 1;
  context.data.height = context.data.width = 28;
  context.device = "cpu";
  return make<Experiment>("masked_autoencoder", context);
}

TEST_CASE("every plot draws, and the same each time") {
  const PlotContext context = {make_model("{type: vit}", images_of(1, 28, 28)),
                               {1, 28, 28},
                               [](const std::vector<std::string>& names) {
                                 std::vector<PlotImage> out;
                                 for (const std::string& name : names) {
                                   const Tensor pixels = at::full({1, 1, 28, 28}, 7, at::kByte);
                                   out.push_back({name, {}, pixels, pixels});
                                 }
                                 return out;
                               },
                               hiding_patches};
  for (const std::string& name : Registry::instance().names(Plot::kKind)) {
    CAPTURE(name);
    const Image image = draw(name, context), again = draw(name, context);
    CHECK(image.width > 0);
    CHECK(image.height > 0);
    CHECK(static_cast<int64_t>(image.pixels.size()) == image.width * image.height * image.channels);
    CHECK(std::set<uint8_t>(image.pixels.begin(), image.pixels.end()).size() > 1);
    CHECK(again.pixels == image.pixels);
  }
}

TEST_CASE("every kind has a suite") {
  // Parts of a model have theirs in parts_test.cpp, which compares the kinds with the model's
  // options; the experiments theirs in framework/cli/training_test.cpp, searchers and launchers
  // theirs in framework/sweeps and framework/cli.
  const std::vector<std::string> elsewhere = {"dataset",  "transform",  "loss",     "optimizer",
                                              "schedule", "experiment", "metric",   "callback",
                                              "logger",   "mix",        "searcher", "launcher"};
  std::set<std::string> suites = {Model::kKind, Layout::kKind, Plot::kKind};
  suites.insert(elsewhere.begin(), elsewhere.end());
  for (const Node& option : resolved_model("{type: vit}").children) {
    if (!Registry::instance().names(option.key).empty()) suites.insert(option.key);
  }
  const auto kinds = Registry::instance().kinds();
  CHECK(std::set<std::string>(kinds.begin(), kinds.end()) == suites);
}

}  // namespace vitrine
