#include "framework/data/transform.h"

namespace vitrine {
std::vector<std::shared_ptr<Transform>> make_transforms(
    const std::vector<Choice<Transform>>& choices, TransformContext context) {
  std::vector<std::shared_ptr<Transform>> out;
  for (const Choice<Transform>& choice : choices) {
    out.push_back(choice.create(context));
    ++context.salt;
  }
  return out;
}

}  // namespace vitrine
