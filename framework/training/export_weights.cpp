#include "framework/files/file.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/training/inspect.h"
#include "framework/training/weights_source.h"

namespace vitrine {

namespace fs = std::filesystem;

void export_weights(const WeightsSource& source, const fs::path& file, const std::string& layout) {
  const ModelFile model = open_model(source);
  std::vector<OwnedTensor> tensors;
  for (const auto& [name, tensor] : model.model->export_as(layout))
    tensors.push_back(to_owned(name, tensor));
  write_file_atomically(file, write_safetensors(views_of(tensors), {{"format", "pt"}}));
}

}  // namespace vitrine
