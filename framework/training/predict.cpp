#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "framework/model/model.h"
#include "framework/training/inspect.h"
#include "framework/training/model_input.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

Json answer_of(const Tensor& probabilities, const Task& task) {
  const auto best = static_cast<size_t>(probabilities.argmax().item<int64_t>());
  Json all = Json::object();
  for (size_t i = 0; i < task.class_names.size(); ++i)
    all[task.class_names[i]] = probabilities[static_cast<int64_t>(i)].item<float>();
  return {{"task", task.name},
          {"class", task.class_names[best]},
          {"probability", all[task.class_names[best]]},
          {"probabilities", all}};
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
      const Tensor probabilities = probabilities_of(outputs[i], task)[0];
      if (!probabilities.isfinite().all().item<bool>()) {
        throw Error(
            ExitCode::kCheckpoint,
            fmt::format("{}: its answer to {} is no finite number: the weights are damaged, "
                        "or of a training that diverged",
                        file.file, escape(path)));
      }
      tasks.push_back(answer_of(probabilities, task));
    }
    out.push_back({{"image", path}, {"tasks", tasks}});
  }
  return out;
}

}  // namespace vitrine
