#include "framework/predicting/predict.h"

#include <ATen/core/grad_mode.h>

#include "framework/model/blas.h"
#include "framework/model/model.h"
#include "framework/training/inspect.h"
#include "framework/training/model_input.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

infer::Kind kind_of(TaskType type) {
  return type == TaskType::kRegression   ? infer::Kind::kValues
         : type == TaskType::kMultiLabel ? infer::Kind::kLabels
                                         : infer::Kind::kClasses;
}

std::vector<float> outputs_of(const ModelFile& model, const std::vector<uint8_t>& planes) {
  std::vector<float> out;
  for (const Tensor& task :
       model.backend->forward({input_of(model, tensor_of(model, planes)), {}, {}})) {
    const Tensor plain = task[0].to(at::kFloat).contiguous();
    const float* begin = plain.const_data_ptr<float>();
    out.insert(out.end(), begin, begin + plain.numel());
  }
  return out;
}

}  // namespace

nlohmann::ordered_json predict(const PredictRequest& request, Observer& observer) {
  const at::NoGradGuard no_grad;
  // A model's program gives the same bits without libtorch (framework/predicting/program.h).
  const WithoutBlas own_products;
  const ModelFile model = open_model(request.weights);
  Predictor predictor{
      model.file, wanted_images(model), {}, [&](const std::vector<uint8_t>& planes) {
        return outputs_of(model, planes);
      }};
  for (const Task& task : model.model->tasks())
    predictor.tasks.push_back({task.name, kind_of(task.type), task.names, task.probabilities});
  return predict(predictor, request, observer);
}

}  // namespace vitrine
