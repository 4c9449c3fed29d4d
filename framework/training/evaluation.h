#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "framework/data/batches.h"
#include "framework/training/model_context.h"
#include "framework/training/objective.h"

namespace vitrine {

// What a model does on one split.
struct Evaluation {
  nlohmann::ordered_json values =
      nlohmann::ordered_json::object();  // of the objective's measures: "test/loss", ...
  nlohmann::ordered_json tasks = nlohmann::ordered_json::object();  // per task: classes, confusion,
                                                                    // worst images; as in test.json
};

struct EvaluationOptions {
  std::string split;  // "validation" or "test": begins the metrics' names
  int64_t batch_size = 128;
  bool details = false;  // fill Evaluation::tasks
  std::function<bool()> cancelled = [] {
    return false;
  };  // ends it early; the result is then of no use
};

struct Learner;

// In evaluation mode, without gradients; the model is left in training mode.
Evaluation evaluate(Learner& learner, const Batches& data, const EvaluationOptions& options);

}  // namespace vitrine
