#include "framework/model/model.h"

#include <fmt/format.h>

#include "framework/model/layout.h"
#include "framework/model/tensors.h"

namespace vitrine {

std::vector<Value> Model::operator()(const Value& images) {
  return in("forward", [&] {
    std::vector<Value> out = forward(images);
    const auto& of = tasks();
    require(of.empty() ? !out.empty() : out.size() == of.size(), "forward", [&] {
      return fmt::format("it made {} outputs, and has {} tasks: one each is expected", out.size(),
                         of.size());
    });
    for (size_t i = 0; i < of.size(); ++i) {
      const bool is_value =
          out[i].is_recorded() || (out[i].tensor().defined() && out[i].tensor().dim() == 3);
      require(is_value && out[i].tokens() == 1 && out[i].columns() == of[i].outputs(), "forward",
              [&] {
                return fmt::format(
                    "its output for the task {} {}: of each image it must be [1, {}]", of[i].name,
                    is_value ? fmt::format("is [{}, {}]", out[i].tokens(), out[i].columns())
                             : "has not three dimensions, images, tokens and columns",
                    of[i].outputs());
              });
    }
    return out;
  });
}

Value Model::features(const Value& /*images*/) {
  throw Error(ExitCode::kUsage, "this model tells nothing of the features that its heads read");
}

LayoutContext Model::layout_context() {
  LayoutContext out;
  out.options = Node::mapping();
  out.weights = state_of(*this);
  return out;
}

std::map<std::string, Tensor> Model::export_as(const std::string& layout) {
  return weights_in_layout(layout, layout_context());
}

}  // namespace vitrine
