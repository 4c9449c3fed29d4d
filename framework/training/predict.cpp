#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "framework/images/image_files.h"
#include "framework/model/model.h"
#include "framework/training/inspect.h"
#include "framework/training/model_input.h"
#include "framework/training/weights_source.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// By the names of a task's outputs.
Json by_names(const Tensor& numbers, const Task& task) {
  Json out = Json::object();
  for (size_t i = 0; i < task.names.size(); ++i)
    out[task.names[i]] = numbers[static_cast<int64_t>(i)].item<float>();
  return out;
}

Json answer_of(const Tensor& output, const Task& task) {
  if (task.type == TaskType::kRegression)
    return {{"task", task.name}, {"values", by_names(output, task)}};
  const Json all = by_names(probabilities_of(output.unsqueeze(0), task)[0], task);
  if (task.type == TaskType::kMultiLabel) {
    Json labels = Json::array();
    for (size_t i = 0; i < task.names.size(); ++i) {
      if (output[static_cast<int64_t>(i)].item<float>() > 0) labels.push_back(task.names[i]);
    }
    return {{"task", task.name}, {"labels", labels}, {"probabilities", all}};
  }
  const std::string best = answer_text(output, task);
  return {{"task", task.name}, {"class", best}, {"probability", all[best]}, {"probabilities", all}};
}

Json answers_to(const Tensor& pixels, const ModelFile& file, const std::string& path) {
  const std::vector<Tensor> outputs = file.backend->forward({input_of(file, pixels), {}, {}});
  Json out = Json::array();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor output = outputs[i][0];
    if (!output.isfinite().all().item<bool>()) {
      throw Error(ExitCode::kCheckpoint,
                  fmt::format("{}: its answer to {} is no finite number: the weights are damaged, "
                              "or of a training that diverged",
                              file.file, escape(path)));
    }
    out.push_back(answer_of(output, file.model->tasks()[i]));
  }
  return out;
}

// Tells what was done to images: of many alike the first few, then how many more there were.
class NoteTeller {
 public:
  explicit NoteTeller(Observer& observer) : observer_(observer) {}

  void tell(const std::vector<ImageNote>& notes) {
    for (const ImageNote& note : notes) {
      if (++counts_[note.kind] <= kTold) observer_.warning(note.text);
    }
  }
  void finish() {
    for (const auto& [kind, count] : counts_) {
      if (count > kTold)
        observer_.warning(fmt::format("and {} more images: {}", count - kTold, kind));
    }
  }

 private:
  static constexpr int64_t kTold = 5;

  Observer& observer_;
  std::map<std::string, int64_t> counts_;
};

}  // namespace

Json predict(const PredictRequest& request, Observer& observer) {
  const at::NoGradGuard no_grad;
  const ModelFile file = open_model(request.weights);
  if (file.model->tasks().empty()) {
    throw Error(ExitCode::kUsage, file.file +
                                      ": the model predicts nothing: it was trained without "
                                      "labels, and model.weights lets a classifier start from it");
  }
  Json out = Json::array();
  NoteTeller notes(observer);
  // Of what cannot be read the reason stands in the place of answers.
  const auto unless_unreadable = [&](const std::string& path, const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      if (error.code() != ExitCode::kData) throw;
      out.push_back({{"image", path}, {"error", error.what()}});
    }
  };
  for (const std::string& given : request.images) {
    std::vector<std::string> paths;
    unless_unreadable(given, [&] { paths = image_files(given); });
    for (const std::string& path : paths) {
      std::optional<ReadImage> image;
      unless_unreadable(path, [&] { image = read_image(path, file, request.reading); });
      if (!image) continue;
      notes.tell(image->notes);
      out.push_back({{"image", path}, {"tasks", answers_to(image->pixels, file, path)}});
    }
  }
  notes.finish();
  return out;
}

}  // namespace vitrine
