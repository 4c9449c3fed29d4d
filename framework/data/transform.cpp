#include "framework/data/transform.h"

#include <fmt/format.h>

#include "framework/data/tensor_words.h"

namespace vitrine {

Tensor Transform::operator()(const Tensor& images, const BatchPosition& position) {
  return in("forward", [&] {
    Tensor out = forward(images, position);
    const bool is_kept = out.defined() && out.sizes() == images.sizes() &&
                         out.scalar_type() == images.scalar_type() &&
                         out.device() == images.device();
    require(is_kept, "forward", [&] {
      return fmt::format("of images {} it made {}: it must keep shape, type and device",
                         type_and_shape(images), type_and_shape(out));
    });
    return out;
  });
}

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
