#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "framework/model/model.h"
#include "framework/training/inspect.h"
#include "framework/training/model_input.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// By the names of a task's outputs.
Json by_names(const Tensor& numbers, const Task& task) {
  Json out = Json::object();
  for (size_t i = 0; i < task.names.size(); ++i)
    out[task.names[i]] = numbers[static_cast<int64_t>(i)].item<float>();
  return out;
}

Json answer_of(const Tensor& output, const Task& task) {
  if (task.type == TaskType::kRegression)
    return {{"task", task.name}, {"values", by_names(output, task)}};
  const Json all = by_names(probabilities_of(output.unsqueeze(0), task)[0], task);
  if (task.type == TaskType::kMultiLabel) {
    Json labels = Json::array();
    for (size_t i = 0; i < task.names.size(); ++i) {
      if (output[static_cast<int64_t>(i)].item<float>() > 0) labels.push_back(task.names[i]);
    }
    return {{"task", task.name}, {"labels", labels}, {"probabilities", all}};
  }
  const std::string best = answer_text(output, task);
  return {{"task", task.name}, {"class", best}, {"probability", all[best]}, {"probabilities", all}};
}

}  // namespace

Json predict(const WeightsSource& source, const std::vector<std::string>& images, bool invert,
             Observer& observer) {
  const at::NoGradGuard no_grad;
  const ModelFile file = open_model(source);
  Json out = Json::array();
  for (const std::string& path : images) {
    const Tensor pixels = read_image(path, file.context, invert, observer);
    const std::vector<Tensor> outputs = file.backend->forward({input_of(file, pixels), {}, {}});
    Json tasks = Json::array();
    if (file.model->tasks().empty()) {
      throw Error(ExitCode::kUsage,
                  file.file +
                      ": the model predicts nothing: it was trained without labels, and "
                      "model.weights lets a classifier start from it");
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Task& task = file.model->tasks()[i];
      const Tensor output = outputs[i][0];
      if (!output.isfinite().all().item<bool>()) {
        throw Error(
            ExitCode::kCheckpoint,
            fmt::format("{}: its answer to {} is no finite number: the weights are damaged, "
                        "or of a training that diverged",
                        file.file, escape(path)));
      }
      tasks.push_back(answer_of(output, task));
    }
    out.push_back({{"image", path}, {"tasks", tasks}});
  }
  return out;
}

}  // namespace vitrine
