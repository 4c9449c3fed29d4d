#pragma once

#include <string>
#include <vector>

#include "framework/files/temporary_file.h"
#include "framework/model/model_context.h"
#include "framework/training/evaluation.h"

namespace vitrine {

// A table of what a model answers to the images of a set, a line each in the set's order, as
// comma-separated values (RFC 4180): the image's file, or its number in the set; of each task what
// is right, where that is known, what was answered, and the probability of every class. Of several
// tasks the columns have the task's name before theirs. It takes its place in one step, once it is
// whole.
class Predictions {
 public:
  // Throws Error(kFailed) where it cannot be written, as the others do.
  Predictions(const Place& file, std::vector<Task> tasks, const Batches& images, bool has_labels);

  // Of the images from number `first` on.
  void add(int64_t first, const std::vector<TaskAnswers>& answers);
  // Throws Error(kUsage) where answers to images are missing.
  void commit();

 private:
  std::vector<Task> tasks_;
  const Batches& images_;
  bool has_labels_;
  TemporaryFile file_;
  int64_t count_ = 0;
};

}  // namespace vitrine
