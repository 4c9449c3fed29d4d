#include <numeric>

#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/infer/model.h"
#include "framework/program/program_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutator.h"

namespace vitrine {
namespace {

constexpr size_t kMostNumbers = 1 << 20;  // of all results, so that a run ends soon

// Tensors of many sizes, by which a program may mean "4x2", say.
const std::vector<TensorView>& tensors() {
  static const std::string bytes(1 << 14, '\x3e');
  static const std::vector<TensorView> all = [] {
    std::vector<TensorView> out;
    for (int64_t rows : {1, 2, 3, 4, 6, 8, 12}) {
      out.push_back({std::to_string(rows), DType::kF32, {rows}, {}});
      for (int64_t columns : {1, 2, 3, 4, 6, 8, 9, 12, 27})
        out.push_back({std::to_string(rows) + "x" + std::to_string(columns),
                       DType::kF32,
                       {rows, columns},
                       {}});
    }
    for (TensorView& one : out) {
      const int64_t count =
          std::accumulate(one.shape.begin(), one.shape.end(), int64_t{1}, std::multiplies<>());
      one.bytes = std::string_view(bytes).substr(0, static_cast<size_t>(count) * sizeof(float));
    }
    return out;
  }();
  return all;
}

// Whether running it ends soon.
bool is_small(const nlohmann::json& program) {
  std::array<size_t, 3> image{};
  for (size_t i = 0; i < image.size(); ++i) image[i] = program.at("image").at(i);
  const auto sizes = [](const std::string& name) -> std::optional<std::vector<size_t>> {
    for (const TensorView& one : tensors())
      if (one.name == name) return std::vector<size_t>(one.shape.begin(), one.shape.end());
    return std::nullopt;
  };
  size_t numbers = 0;
  for (const Step& step : read_program(program, image, sizes, "program").steps)
    numbers += step.shape.size();
  return numbers < kMostNumbers;
}

void check(std::string_view bytes) {
  const std::string file = write_safetensors(tensors(), {{"program", std::string(bytes)}});
  const auto model = infer::Model::parse(file, "fuzz");
  if (!is_small(parse_json(bytes, "fuzz"))) return;
  const auto [channels, height, width] = model->image();
  constexpr size_t kImages = 3;
  const std::vector<uint8_t> pixels(kImages * channels * height * width, 99);
  std::vector<float> outputs(kImages * model->width());
  model->outputs({pixels.data(), nullptr, kImages}, 2, outputs.data());
  infer::make_probabilities(model->tasks(), kImages, outputs.data());
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
VITRINE_MUTATES_JSON;
