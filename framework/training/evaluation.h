#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/data/batches.h"

namespace vitrine {

// What a model does on one split.
struct Evaluation {
  nlohmann::ordered_json values =
      nlohmann::ordered_json::object();  // of the experiment's measures: "test/loss", ...
  nlohmann::ordered_json tasks =
      nlohmann::ordered_json::object();  // per task what test.json tells of it
  // Per task the images of tasks[name]["worst"], in that order: uint8 [n, C, H, W].
  std::map<std::string, Tensor> worst;
};

// What a model answers to the images of a batch for one task; float, on the CPU.
struct TaskAnswers {
  Tensor outputs;  // [B, K]: probabilities of the classes or labels, or values
  // [B, K] of labels, 0 or 1, and of values; of classes their numbers, int64 [B], and -1 where the
  // label stands for none. Undefined where images have no labels.
  Tensor targets;
};

struct EvaluationOptions {
  std::string split;  // "validation" or "test": begins the metrics' names
  int64_t batch_size = 128;
  bool details = false;            // fill Evaluation::tasks
  const Batches* train = nullptr;  // the training set, as `data` are prepared; may be missing
  // Is given the answers of each task to the images from number `first` on, if there are tasks.
  std::function<void(int64_t first, const std::vector<TaskAnswers>&)> answers;
  std::function<bool()> cancelled = [] {
    return false;
  };  // ends it early; the result is then of no use
};

// The sum of what is known of each image, [1], in double precision: on the CPU where the device has
// none, as MPS.
Tensor sum_over_images(const Tensor& numbers);

// Calls `work` with the images in their order, batch by batch, until it is cancelled; with so many
// views of each.
void for_batches(const Batches& data, const EvaluationOptions& options,
                 const std::function<void(const Batch&)>& work, int64_t views = 1);

}  // namespace vitrine
