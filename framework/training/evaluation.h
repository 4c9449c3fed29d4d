#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/data/batches.h"

namespace vitrine {

// What a model does on one split.
struct Evaluation {
  nlohmann::ordered_json values =
      nlohmann::ordered_json::object();  // of the experiment's measures: "test/loss", ...
  nlohmann::ordered_json tasks =
      nlohmann::ordered_json::object();  // per task what test.json tells of it
};

struct EvaluationOptions {
  std::string split;  // "validation" or "test": begins the metrics' names
  int64_t batch_size = 128;
  bool details = false;            // fill Evaluation::tasks
  const Batches* train = nullptr;  // the training set, as `data` are prepared; may be missing
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
