#pragma once

#include <optional>

#include "framework/data/dataset.h"

namespace vitrine {

// The splits that a run works with. Those of one set share its images, or its source: their rows
// tell which they have.
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

// The numbers of images that stay in a set and of those that are its test, rising: int64.
struct DrawnTest {
  Tensor train, test;
};

// Draws a test split from so many images, with the labels of each column, as validation is drawn;
// first, so that it does not depend on validation. Throws Error(kUsage), which names
// dataset.test_share, where nothing would be left of the images or of a class.
DrawnTest draw_test(int64_t images, const std::vector<Tensor>& labels,
                    const std::vector<LabelColumn>& columns, const Amount& share,
                    int64_t split_seed);

}  // namespace vitrine
