#include "framework/predicting/program.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/config/load.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sealed.h"
#include "framework/infer/model.h"
#include "framework/runs/run_directory.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxBytes = uint64_t{16} << 30;

// What the engine would load, and say that it does, as it opens the model.
bool names_plugins(const fs::path& config) {
  std::error_code ignored;
  if (!fs::is_regular_file(config, ignored)) return false;
  try {
    const Node written = load_config({config, {}, {}});
    const Node* plugins = written.find("plugins");
    return plugins && !(plugins->kind == Node::Kind::kSequence && plugins->children.empty());
  } catch (const Error&) {
    return false;  // the model's file may do without
  }
}

bool are_finite(const Safetensors& file) {
  return std::all_of(file.tensors().begin(), file.tensors().end(), [](const TensorView& tensor) {
    if (tensor.dtype != DType::kF32)
      return tensor.dtype != DType::kF16 && tensor.dtype != DType::kBF16 &&
             tensor.dtype != DType::kF64;  // which this does not read
    for (size_t i = 0; i < tensor.bytes.size(); i += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, &tensor.bytes[i], sizeof value);
      if (!std::isfinite(value)) return false;
    }
    return true;
  });
}

WantedImages read_wanted(const nlohmann::json& description, const infer::Model& model) {
  WantedImages out;
  const auto sizes = description.at("chw").get<std::vector<int64_t>>();
  const auto& image = model.image();
  if (sizes != std::vector<int64_t>(image.begin(), image.end()))
    refuse_data("chw", "it is not what the program takes");
  out.channels = sizes[0];
  out.height = sizes[1];
  out.width = sizes[2];
  read_preparation(description, "", out);
  return out;
}

std::optional<Predictor> open_file(const Place& place) {
  if (names_plugins(place.path().parent_path() / "config.yaml")) return std::nullopt;
  std::string bytes = read_file(place, kMaxBytes);
  const std::string name = place.path().string();
  if (is_sealed(bytes)) verify_seal(bytes, name);
  const Safetensors file = Safetensors::parse(std::move(bytes), name);
  const auto text = file.metadata().find("vitrine");
  if (text == file.metadata().end() || !are_finite(file)) return std::nullopt;
  const nlohmann::json description = parse_json(text->second, name);
  if (description.at("format") != 1 || description.contains("plugins")) return std::nullopt;
  const std::shared_ptr<const infer::Model> model = infer::Model::parse(file, name);
  const auto outputs = [model](const std::vector<uint8_t>& planes) {
    std::vector<float> out(model->width());
    model->outputs({planes.data(), nullptr, 1}, 1, out.data());
    return out;
  };
  return Predictor{place.shown(), read_wanted(description, *model), model->tasks(), outputs};
}

}  // namespace

std::optional<Predictor> open_program(const WeightsSource& source) try {
  if (!source.checkpoint.empty()) return std::nullopt;
  if (fs::is_regular_file(source.path)) return open_file(source.path);
  const RunDirectory run = RunDirectory::open(source.path);
  if (!exists(run.model())) return std::nullopt;
  return open_file(run.model());
} catch (const Error&) {
  return std::nullopt;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
} catch (const fs::filesystem_error&) {
  return std::nullopt;
}

}  // namespace vitrine
