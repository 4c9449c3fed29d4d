#include "framework/model/plot.h"

namespace vitrine {

Values to_values(const Tensor& matrix) {
  const Tensor plain = matrix.detach().to(at::kCPU, at::kFloat).contiguous();
  Values out;
  for (int64_t i = 0; i < plain.size(0); ++i) {
    const float* row = plain.data_ptr<float>() + i * plain.size(1);
    out.emplace_back(row, row + plain.size(1));
  }
  return out;
}

std::vector<float> to_floats(const Tensor& tensor) {
  const Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* data = plain.data_ptr<float>();
  return {data, data + plain.numel()};
}

Recording recording_of(const PlotContext& context) {
  if (!context.model)
    throw Error(ExitCode::kUsage, "this picture is of a trained model: give a run after its name");
  Recording out = record(*context.model, context.images);
  if (out.is_recorded()) return out;
  throw Error(ExitCode::kUsage, "nobody can look into the run's model: " + out.refusal);
}

std::string type_in_brackets(const Recording& recording, const std::string& part) {
  for (const Program::Scope& scope : recording.program.scopes) {
    if (scope.name == part && !scope.type.empty()) return " (" + scope.type + ")";
  }
  return "";
}

Image to_image(const Tensor& pixels) {
  const bool shown = pixels.size(0) == 1 || pixels.size(0) == 3;
  const Tensor plain = (shown ? pixels : pixels.to(at::kFloat).mean(0, true).round().to(at::kByte))
                           .permute({1, 2, 0})
                           .contiguous();
  const uint8_t* data = plain.data_ptr<uint8_t>();
  return {plain.size(1), plain.size(0), plain.size(2), {data, data + plain.numel()}};
}

}  // namespace vitrine
