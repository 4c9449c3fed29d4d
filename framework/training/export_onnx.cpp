#include "framework/training/export_onnx.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/files/file.h"
#include "framework/model/recording.h"
#include "framework/onnx/onnx.h"
#include "framework/training/inspect.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

const char* channel_order(int64_t channels) {
  return channels == 1 ? "grey" : channels == 3 ? "RGB" : "as in the data set";
}

std::vector<Normalization> normalizations_of(const ModelFile& model) {
  std::vector<Normalization> out;
  for (const auto& transform : model.transforms) {
    const auto one = told(*transform, "normalization", &Transform::normalization);
    if (!one) {
      throw Error(
          ExitCode::kUsage,
          fmt::format("the model cannot be written as ONNX: images go through the transform "
                      "{}, which is no normalization; --input float32 leaves what is done "
                      "to images to who gives them",
                      transform->component()->name));
    }
    out.push_back(*one);
  }
  return out;
}

// The step of the probabilities that a task's outputs mean; none of a regression.
std::optional<size_t> probabilities_step(Program& program, size_t outputs, const Task& task) {
  if (task.type == TaskType::kRegression) return std::nullopt;
  if (task.type == TaskType::kClassification && task.probabilities) return outputs;
  program.scopes.push_back({task.name, ""});
  const char* operation = task.type == TaskType::kMultiLabel ? "sigmoid" : "softmax";
  return program.add({operation, {outputs}, {}, {}, {}, program.scopes.size() - 1});
}

// Adds the outputs of each task; returns what tells of them.
Json add_outputs(OnnxModel& out, const std::vector<size_t>& steps, const std::vector<Task>& tasks) {
  Json told = Json::array();
  if (tasks.empty()) {
    for (const size_t step : steps) out.outputs.push_back({"features", step});
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    const Task& task = tasks[i];
    Json one = {{"name", task.name},
                {"type", to_string(task.type)},
                {"names", task.names},
                {"output", task.name}};
    out.outputs.push_back({task.name, steps[i]});
    if (const auto step = probabilities_step(out.program, steps[i], task)) {
      out.outputs.push_back({task.name + ".probabilities", *step});
      one["probabilities"] = out.outputs.back().name;
    }
    told.push_back(std::move(one));
  }
  return told;
}

Json described_input(const ModelFile& model, bool takes_floats) {
  Json transforms = Json::array();
  for (const std::string& each : model.transforms_written)
    transforms.push_back(Json(nlohmann::json::parse(each)));
  Json out = {{"type", takes_floats ? "float32" : "uint8"},
              {"channels", channel_order(model.context.channels)},
              {"height", model.context.height},
              {"width", model.context.width},
              {"resize", model.resize ? Json(to_string(*model.resize)) : Json()},
              {"transforms", transforms}};
  if (model.crop_ratio < 1) out["crop_ratio"] = model.crop_ratio;
  if (const auto& colour = model.background)
    out["background"] =
        fmt::format("#{:02x}{:02x}{:02x}", colour->red, colour->green, colour->blue);
  out["transforms_are_inside"] = !takes_floats;
  return out;
}

std::string shown(const OnnxModel& model) {
  std::vector<std::string> outputs;
  for (const auto& output : model.outputs)
    outputs.push_back(
        fmt::format("{} [batch, {}]", output.name, model.program.steps[output.step].shape.size()));
  const auto& images = model.images;
  return fmt::format("opset {}, images {} [batch, {}, {}, {}] -> {}", model.opset,
                     images.are_bytes ? "uint8" : "float32", images.channels, images.height,
                     images.width, fmt::join(outputs, ", "));
}

}  // namespace

OnnxFile to_onnx(const ModelFile& model, const OnnxOptions& options) {
  const at::NoGradGuard no_grad;
  const ModelContext& context = model.context;
  const Recording recording =
      record(*model.model, {context.channels, context.height, context.width});
  if (!recording.is_recorded()) {
    throw Error(ExitCode::kUsage, "the model cannot be written as ONNX: " + recording.refusal +
                                      "; what is written with operations can be");
  }
  OnnxModel out;
  out.opset = options.opset;
  out.program = recording.program;
  std::vector<Tensor> in_rows;
  for (const Tensor& parameter : recording.parameters) {
    in_rows.push_back(parameter.contiguous());
    out.parameters.push_back(in_rows.back().const_data_ptr<float>());
  }
  out.images = {static_cast<size_t>(context.channels),
                static_cast<size_t>(context.height),
                static_cast<size_t>(context.width),
                !options.takes_floats,
                {}};
  if (!options.takes_floats) out.images.normalizations = normalizations_of(model);
  const Json tasks = add_outputs(out, recording.outputs, model.model->tasks());
  out.metadata = {{"input", described_input(model, options.takes_floats).dump()},
                  {"tasks", tasks.dump()}};
  return {onnx_model(out), shown(out)};
}

std::string export_onnx(const WeightsSource& source, const std::filesystem::path& file,
                        const OnnxOptions& options) {
  const OnnxFile out = to_onnx(open_model(source), options);
  write_file_atomically(file, out.bytes);
  return out.shown;
}

}  // namespace vitrine
