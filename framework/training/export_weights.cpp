#include <fmt/format.h>

#include "framework/files/file.h"
#include "framework/model/layout.h"
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
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  const size_t weights = metadata.size();
  add_states(*model.model, tensors, metadata);
  const bool is_own = ModelLayout(layout, model.model->layout_context()).is_own();
  if (metadata.size() > weights && !is_own) {
    throw Error(ExitCode::kUsage, fmt::format("the layout \"{}\" has no equal of this model: its "
                                              "parts keep a state besides their weights",
                                              layout));
  }
  write_file_atomically(file, write_safetensors(views_of(tensors), metadata));
}

}  // namespace vitrine
