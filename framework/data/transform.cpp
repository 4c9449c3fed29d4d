#include "framework/data/transform.h"

#include <fmt/format.h>

#include "framework/data/image_transform.h"
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

void check_transforms(const std::vector<Choice<Transform>>& choices,
                      const TransformContext& context, Problems& problems) {
  const size_t before = problems.size();
  for (const Choice<Transform>& choice : choices) choice.check(context, problems);
  if (problems.size() > before) return;
  std::string of_batches;
  for (const Choice<Transform>& choice : choices) {
    if (!std::dynamic_pointer_cast<ImageTransform>(choice.create(context))) {
      of_batches = choice.type();
    } else if (!of_batches.empty()) {
      problems.add(choice.node().location,
                   fmt::format("{}: {} changes single images, as they are read, so it must stand "
                               "before {}, which changes whole batches",
                               choice.path(), choice.type(), of_batches));
    }
  }
}

}  // namespace vitrine
