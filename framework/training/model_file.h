#pragma once

#include "framework/files/place.h"
#include "framework/files/safetensors.h"
#include "framework/images/image.h"
#include "framework/images/resize_mode.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/backend.h"
#include "framework/training/config.h"

namespace vitrine {

// A model.safetensors: weights with all that is needed to use them on new images.
struct ModelFile {
  std::shared_ptr<Model> model;      // in evaluation mode, on the CPU
  std::shared_ptr<Backend> backend;  // that executes it
  ModelContext context;
  std::string file;                                    // what messages call it
  std::optional<ResizeMode> resize;                    // of the images that it was trained on
  double crop_ratio = 1;                               // of those that were cropped
  std::optional<Colour> background;                    // behind and around them
  std::vector<std::shared_ptr<Transform>> transforms;  // that are not random
  std::vector<std::string> transforms_written;         // the same, as a config has them
};

// The fastest way to execute a model on the CPU.
std::shared_ptr<Backend> backend_for_cpu(const std::shared_ptr<Model>& model,
                                         const ModelContext& context);

// What uses a model on new images besides its weights: its parts, the images that it takes, what
// its answers are called.
nlohmann::ordered_json describe_model(const Model& model, const Config& config,
                                      const DatasetInfo& info);
inline constexpr const char* kDescribedModel = "described_model";  // in a checkpoint's state
// The model that is described so, without its weights; `file` is what messages call it. Throws as
// load_model does.
ModelFile model_of(const nlohmann::json& description, const std::string& file);

// Sealed by a SHA-256 of all its bytes, which is verified when it is loaded.
void save_model(const Place& file, const Model& model, const Config& config,
                const DatasetInfo& info);
// Loads the plug-ins of the run that the file lies in. Throws Error(kCheckpoint) for a file that is
// damaged, holds no such model, needs a plug-in that is not loaded, or weights that are not finite,
// and Error(kPlugin).
ModelFile load_model(const Place& file);

// The tensors of a safetensors file; one that is sealed is verified. Throws Error(kCheckpoint).
Safetensors read_weights(const Place& file);
// The tensors as they are named there, but for those of states.
std::map<std::string, Tensor> tensors_of(const Safetensors& file);

// Adds what the model's parts keep besides parameters and buffers to what a file is to hold.
void add_states(const Model& model, std::vector<OwnedTensor>& tensors,
                std::map<std::string, std::string>& metadata);
// Gives it back; `name` is what messages call the file. Throws Error(kCheckpoint) where the file
// has another one or, unless it is from elsewhere, none.
void restore_states(Model& model, const Safetensors& file, const std::string& name,
                    bool is_from_elsewhere = false);

}  // namespace vitrine
