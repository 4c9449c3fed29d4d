#include "framework/predicting/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/images/image_files.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// By the names of a task's outputs.
Json by_names(const float* numbers, const infer::Task& task) {
  Json out = Json::object();
  for (size_t i = 0; i < task.names.size(); ++i) out[task.names[i]] = numbers[i];
  return out;
}

// `outputs` are the task's, and what probabilities are made of them.
Json answer_of(const float* outputs, const float* probabilities, const infer::Task& task) {
  if (task.kind == infer::Kind::kValues)
    return {{"task", task.name}, {"values", by_names(outputs, task)}};
  const Json all = by_names(probabilities, task);
  if (task.kind == infer::Kind::kLabels) {
    Json labels = Json::array();
    for (size_t i = 0; i < task.names.size(); ++i) {
      if (outputs[i] > 0) labels.push_back(task.names[i]);
    }
    return {{"task", task.name}, {"labels", labels}, {"probabilities", all}};
  }
  const auto place = std::max_element(outputs, outputs + task.names.size()) - outputs;
  const std::string& best = task.names[static_cast<size_t>(place)];
  return {{"task", task.name}, {"class", best}, {"probability", all[best]}, {"probabilities", all}};
}

Json answers_to(const std::vector<uint8_t>& planes, const Predictor& predictor,
                const std::string& path) {
  const std::vector<float> outputs = predictor.outputs(planes);
  if (!std::all_of(outputs.begin(), outputs.end(), [](float x) { return std::isfinite(x); })) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: its answer to {} is no finite number: the weights are damaged, or "
                            "of a training that diverged",
                            predictor.file, escape(path)));
  }
  std::vector<float> probabilities = outputs;
  infer::make_probabilities(predictor.tasks, 1, probabilities.data());
  Json out = Json::array();
  size_t first = 0;
  for (const infer::Task& task : predictor.tasks) {
    out.push_back(answer_of(&outputs[first], &probabilities[first], task));
    first += task.names.size();
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

Json predict(const Predictor& predictor, const PredictRequest& request, Observer& observer) {
  if (predictor.tasks.empty()) {
    throw Error(ExitCode::kUsage, predictor.file +
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
      std::optional<ImageInput> image;
      unless_unreadable(path,
                        [&] { image = image_input(path, predictor.images, request.reading); });
      if (!image) continue;
      notes.tell(image->notes);
      out.push_back({{"image", path}, {"tasks", answers_to(image->planes, predictor, path)}});
    }
  }
  notes.finish();
  return out;
}

}  // namespace vitrine
