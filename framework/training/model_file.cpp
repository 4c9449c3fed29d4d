#include "framework/training/model_file.h"

#include <fmt/format.h>

#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/sealed.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/model/without_trace.h"
#include "framework/predicting/image_input.h"
#include "framework/training/model_plugins.h"
#include "framework/training/model_program.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
constexpr uint64_t kMaxBytes = uint64_t{16} << 30;

void copy_weights(Model& model, const Safetensors& file, const std::string& name) {
  const std::map<std::string, Tensor> values = tensors_of(file);
  const std::string wrong = nonfinite_weights(model, values);
  if (!wrong.empty()) throw Error(ExitCode::kCheckpoint, name + ": " + wrong);
  copy_state(state_of(model), values, ExitCode::kCheckpoint, name);
  restore_states(model, file, name);
}

// What the outputs of a task are called.
const char* named_by(TaskType type) {
  return type == TaskType::kClassification ? "classes"
         : type == TaskType::kMultiLabel   ? "labels"
                                           : "values";
}

constexpr const char* kKinds[] = {"classes", "labels", "values"};  // as LabelColumn::Kind

Json described_columns(const std::vector<LabelColumn>& columns) {
  Json out = Json::array();
  for (const LabelColumn& column : columns)
    out.push_back({{"name", column.name},
                   {"kind", kKinds[static_cast<size_t>(column.kind)]},
                   {"names", column.names}});
  return out;
}

// A file of an earlier version tells of the classes alone.
std::vector<LabelColumn> read_columns(const nlohmann::json& value, const std::string& file) {
  if (!value.contains("columns")) {
    auto names = value.at("class_names").get<std::vector<std::string>>();
    return names.empty() ? std::vector<LabelColumn>() : class_column(std::move(names));
  }
  std::vector<LabelColumn> out;
  for (const auto& one : value.at("columns")) {
    const auto kind = std::find(std::begin(kKinds), std::end(kKinds), one.at("kind"));
    auto names = one.at("names").get<std::vector<std::string>>();
    if (kind == std::end(kKinds) || names.empty())
      throw Error(ExitCode::kCheckpoint,
                  file + ": metadata: a column is of classes, labels or values, with their names");
    out.push_back({one.at("name").get<std::string>(),
                   static_cast<LabelColumn::Kind>(kind - std::begin(kKinds)), std::move(names)});
  }
  return out;
}

// Those that are not random: of the others nothing is done to images that are answered for.
struct LastingTransforms {
  std::vector<const Choice<Transform>*> choices;
  std::vector<std::shared_ptr<Transform>> made;

  LastingTransforms(const Config& config, const DatasetInfo& info) {
    for (const auto& choice : config.dataset_options().transforms) {
      auto transform = choice.create(info.for_transforms());
      if (told(*transform, "is_random", &Transform::is_random)) continue;
      choices.push_back(&choice);
      made.push_back(std::move(transform));
    }
  }
};

}  // namespace

nlohmann::ordered_json describe_model(const Model& model, const Config& config,
                                      const DatasetInfo& info) {
  const LastingTransforms lasting(config, info);
  Json transforms = Json::array(), tasks = Json::array();
  std::vector<const ChoiceBase*> used = {&config.model};
  for (const Choice<Transform>* transform : lasting.choices) {
    transforms.push_back(transform->write().json());
    used.push_back(transform);
  }
  for (const Task& task : model.tasks()) {
    Json one = {{"name", task.name}, {named_by(task.type), task.names}};
    if (task.type != TaskType::kClassification) one["type"] = to_string(task.type);
    tasks.push_back(std::move(one));
  }
  Json choices = config.model.write().json();
  choices["weights"] = nullptr;
  Json out = {{"format", 1},
              {"model", choices},
              {"chw", {info.channels, info.height, info.width}},
              {"columns", described_columns(model_context(config, info).columns)},
              {"transforms", transforms},
              {"tasks", tasks},
              {"dataset", config.dataset.type()}};
  const DatasetOptions& data = config.dataset_options();
  if (data.size) out["resize"] = data.resize;
  if (data.size && data.crop_ratio < 1) out["crop_ratio"] = data.crop_ratio;
  // White is what everybody else takes, so a dark one, or where it was seen for certain.
  if ((data.size && data.resize == to_string(ResizeMode::kPad)) ||
      data.background.colour() != kWhite)
    out["background"] = data.background.text;
  const Json plugins = plugins_of(used);
  if (!plugins.empty()) out["plugins"] = plugins;
  return out;
}

namespace {

// Choices are read as a config is, so a damaged or foreign description gives the same errors.
template <class Base>
Choice<Base> read_choice(const Json& value, const std::string& where, const std::string& file) {
  Choice<Base> choice;
  Problems problems;
  choice.read(Node::from_json(value), where, problems);
  if (!problems.empty()) throw Error(ExitCode::kCheckpoint, problems.text(file));
  return choice;
}

nlohmann::json read_description(const std::string& text, const std::string& name) {
  try {
    return parse_json(text, name + ": metadata");
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what());
  }
}

}  // namespace

std::shared_ptr<Backend> backend_for_cpu(const std::shared_ptr<Model>& model,
                                         const ModelContext& context) {
  const std::vector<int64_t> images = {context.channels, context.height, context.width};
  return std::make_shared<Backend>(
      model, choose_backend(outputs_of_tasks(model, images), "cpu").value, images, "cpu");
}

void save_model(const Place& file, const Model& model, const Config& config,
                const DatasetInfo& info) {
  std::vector<OwnedTensor> tensors;
  for (const auto& [name, tensor] : state_of(model)) tensors.push_back(to_owned(name, tensor));
  const LastingTransforms lasting(config, info);
  std::map<std::string, std::string> metadata = {
      {"format", "pt"}, {"vitrine", describe_model(model, config, info).dump()}};
  add_states(model, tensors, metadata);
  add_program(model, {info.channels, info.height, info.width}, lasting.made, tensors, metadata);
  write_file_atomically(file, write_sealed_safetensors(views_of(tensors), metadata));
}

namespace {

constexpr const char* kStates = "states";  // in the metadata

std::map<std::string, Tensor> all_tensors_of(const Safetensors& file) {
  std::map<std::string, Tensor> out;
  for (const TensorView& view : file.tensors()) out[view.name] = to_tensor(view);
  return out;
}

std::vector<Keeper> keepers_in(const Model& model) {
  return part_keepers({{"", std::const_pointer_cast<torch::nn::Module>(model.shared_from_this())}});
}

}  // namespace

void add_states(const Model& model, std::vector<OwnedTensor>& tensors,
                std::map<std::string, std::string>& metadata) {
  const States states = states_of(keepers_in(model));
  if (states.values.empty()) return;
  for (const auto& [name, tensor] : states.tensors) tensors.push_back(to_owned(name, tensor));
  metadata[kStates] = states.values.dump();
}

void restore_states(Model& model, const Safetensors& file, const std::string& name,
                    bool is_from_elsewhere) {
  const auto text = file.metadata().find(kStates);
  const bool has_any = text != file.metadata().end();
  if (!has_any && is_from_elsewhere) return;
  std::map<std::string, Tensor> tensors = all_tensors_of(file);
  try {
    States states;
    if (has_any) states = {parse_json(text->second, "metadata"), take_states(tensors)};
    for (const auto& [part, unmatched] :
         vitrine::restore_states(keepers_in(model), states, at::kCPU)) {
      std::vector<std::string> names = unmatched.missing;
      names.insert(names.end(), unmatched.unknown.begin(), unmatched.unknown.end());
      throw Error(ExitCode::kCheckpoint,
                  fmt::format("what {} keeps is not what the file holds: {}", escape(part),
                              some_of(std::move(names), ", ")));
    }
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, name + ": " + error.what());
  }
}

Safetensors read_weights(const Place& file) {
  try {
    std::string bytes = read_file(file, kMaxBytes);
    // Weights from elsewhere have no seal.
    if (is_sealed(bytes)) verify_seal(bytes, file.path().string());
    return Safetensors::parse(std::move(bytes), file.path().string());
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what(), error.system_code());
  }
}

std::map<std::string, Tensor> tensors_of(const Safetensors& file) {
  std::map<std::string, Tensor> out = all_tensors_of(file);
  if (file.metadata().contains(kStates)) take_states(out);
  if (file.metadata().contains(kProgram)) {
    std::erase_if(out, [](const auto& item) { return item.first.starts_with(kProgramPrefix); });
  }
  return out;
}

ModelFile model_of(const nlohmann::json& description, const std::string& file) {
  ModelFile out;
  out.file = file;
  std::optional<Choice<Model>> model;
  try {
    const auto chw = description.at("chw").get<std::vector<int64_t>>();
    if (chw.size() != 3 || *std::min_element(chw.begin(), chw.end()) < 1)
      throw Error(ExitCode::kCheckpoint,
                  file + ": metadata: chw must be three numbers, at least 1");
    if (description.at("format") != 1)
      throw Error(ExitCode::kCheckpoint, file + ": metadata: this version reads format 1");
    if (description.contains("plugins")) require_plugins(description.at("plugins"), file);
    out.context = {chw[0], chw[1], chw[2], read_columns(description, file)};
    for (const auto& transform : description.at("transforms")) {
      const auto made = read_choice<Transform>(Json(transform), "transforms", file)
                            .create({chw[0], chw[1], chw[2]});
      if (told(*made, "is_random", &Transform::is_random)) continue;
      out.transforms.push_back(made);
      out.transforms_written.push_back(transform.dump());
    }
    WantedImages wanted;
    read_preparation(description, file, wanted);
    out.resize = wanted.resize;
    out.crop_ratio = wanted.crop_ratio;
    out.background = wanted.background;
    model = read_choice<Model>(Json(description.at("model")), "model", file);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ExitCode::kCheckpoint, fmt::format("{}: metadata: {}", file, escape(error.what())));
  }
  Problems problems;
  model->check(out.context, problems);
  if (!problems.empty()) throw Error(ExitCode::kCheckpoint, problems.text(file));
  out.model = model->create(out.context);
  out.model->eval();
  out.backend = backend_for_cpu(out.model, out.context);
  return out;
}

ModelFile load_model(const Place& path) {
  load_plugins_of(path.path());  // whose parts the file names
  const Safetensors file = read_weights(path);
  const std::string name = path.shown();
  const auto description = file.metadata().find("vitrine");
  if (description == file.metadata().end()) {
    throw Error(ExitCode::kCheckpoint,
                name +
                    ": holds weights, but not what model they belong to; give a run, or the "
                    "model.safetensors of one");
  }
  ModelFile out = model_of(read_description(description->second, name), name);
  copy_weights(*out.model, file, name);
  return out;
}

}  // namespace vitrine
