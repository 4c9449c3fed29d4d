#include "framework/model/model_context.h"

namespace vitrine {

std::string to_string(TaskType type) {
  switch (type) {
    case TaskType::kMultiLabel:
      return "multi_label";
    case TaskType::kRegression:
      return "regression";
    default:
      return "classification";
  }
}

}  // namespace vitrine
