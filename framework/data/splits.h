#pragma once

#include <optional>

#include "framework/data/dataset.h"

namespace vitrine {

// The splits that a run works with.
struct Splits {
  Split train;
  std::optional<Split> validation;
  Split test;
  // Numbers in the data set's training set, rising, int64: of train's images, and of validation's
  // (empty where there is none).
  Tensor train_indices, validation_indices;
};

// Reports limits and a validation split that a data set of these sizes is too small for, each with
// the option that it has to agree with.
void check_splits(const DatasetOptions& options, const DatasetInfo& info, Check& check);

// How many images are left to train on; of options that check_splits finds sound.
int64_t training_images(const DatasetOptions& options, const DatasetInfo& info);

// So many of its images, or all.
Split first_images(const Split& split, std::optional<int64_t> limit);

// Takes the first limit_train and limit_test images, then moves `validation` of the training images
// to a split of their own: each class, of the first column that has classes, gives its share
// (largest remainders), chosen by split_seed alone; orders are kept. Throws Error(kUsage) for a
// limit or a validation split that the data set is too small for.
Splits make_splits(const Split& train, const Split& test, const DatasetOptions& options);

}  // namespace vitrine
