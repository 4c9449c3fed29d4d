#pragma once

#include <optional>

#include "framework/data/dataset.h"

namespace vitrine {

// The splits that a run works with. Those of one set share its images: their rows tell which they
// have.
struct Splits {
  Split train;
  std::optional<Split> validation;
  Split test;
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
// A split of the data set's own is `validation`; then options must ask for none.
Splits make_splits(const Split& train, const Split& test, const DatasetOptions& options,
                   const std::optional<Split>& validation = {});

// Whether there is a validation split, by the options or of the data set's own.
bool validates(const DatasetOptions& options, const DatasetInfo& info);

// Which images of a set are of a part of it, as flags: each class gives its share (largest
// remainders), chosen by the seed alone. The same seed chooses others for another part.
enum class ShareOf : uint64_t { kValidation = 0x76616c6964, kTest = 0x74657374 };
std::vector<bool> chosen_share(const Tensor& labels, int64_t total, uint64_t seed, ShareOf part);

// A class all of whose images would be taken; none where there is no such one.
struct EmptiedClass {
  int64_t number = 0, images = 0;
};
std::optional<EmptiedClass> emptied_class(const Tensor& labels, const std::vector<bool>& flags);

}  // namespace vitrine
