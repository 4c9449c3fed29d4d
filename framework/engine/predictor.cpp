#include "framework/engine/predictor.h"

#include <dlfcn.h>

#include "framework/registry/plugin.h"

namespace vitrine {
namespace {
PredictByProgram* loaded_predictor = nullptr;
}

void provide_predictor(PredictByProgram* predictor) { loaded_predictor = predictor; }

std::optional<nlohmann::ordered_json> predict_by_program(const PredictRequest& request,
                                                         Observer& observer) {
  if (!loaded_predictor)
    dlopen((library_folder() / "libvitrine_predict.so").c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!loaded_predictor) return std::nullopt;  // a copy of the program has none
  return loaded_predictor(request, observer);
}

}  // namespace vitrine
