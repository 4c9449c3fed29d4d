// Of libvitrine_predict.so alone.
#include "framework/engine/predictor.h"
#include "framework/predicting/program.h"

namespace vitrine {
namespace {

[[maybe_unused]] const bool provided = [] {
  provide_predictor([](const PredictRequest& request,
                       Observer& observer) -> std::optional<nlohmann::ordered_json> {
    const auto predictor = open_program(request.weights);
    if (!predictor) return std::nullopt;
    return predict(*predictor, request, observer);
  });
  return true;
}();

}  // namespace
}  // namespace vitrine
