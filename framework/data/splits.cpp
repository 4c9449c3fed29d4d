#include "framework/data/splits.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "framework/error.h"

namespace vitrine {
namespace {

// What a data set is too small for. `other` names the option that its size depends on, where the
// data set has such a one.
struct Misfit {
  const char* option;
  const char* other;
  std::string message;
};

int64_t limited(int64_t images, const std::optional<int64_t>& limit) {
  return std::min(images, limit.value_or(images));
}

std::vector<Misfit> misfits_of(const DatasetOptions& options, int64_t train, int64_t test) {
  std::vector<Misfit> out;
  const auto check_limit = [&](const std::optional<int64_t>& limit, const char* option,
                               const char* other, const char* set, int64_t images) {
    if (!limit || *limit <= images) return;
    out.push_back({option, other,
                   fmt::format("{} ({}) is larger than the {} set ({} images)", option, *limit, set,
                               images)});
  };
  check_limit(options.limit_train, "limit_train", "train", "training", train);
  check_limit(options.limit_test, "limit_test", "test", "test", test);
  const int64_t images = limited(train, options.limit_train);
  const int64_t count = options.validation.of(images);
  const std::string why = count > images    ? "is larger than the set"
                          : count == images ? "leaves no training image"
                          : count == 0      ? "is less than one image"
                                            : "";
  if (options.validation.value > 0 && !why.empty()) {
    out.push_back({"validation", options.limit_train ? "limit_train" : "train",
                   fmt::format("validation ({}) of {} training images {}", options.validation.value,
                               images, why)});
  }
  return out;
}

Split select(const Split& split, const Tensor& numbers) {
  Split out = split;
  for (Tensor& labels : out.labels) labels = labels.index_select(0, numbers);
  out.rows = split.rows_of(numbers);
  return out;
}

// How many of `total` each class gives, where `sizes` counts its images: in proportion, the largest
// remainders rounded up.
std::vector<int64_t> shares(const std::vector<int64_t>& sizes, int64_t total) {
  const int64_t images = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  std::vector<int64_t> out, by_remainder(sizes.size());
  for (const int64_t size : sizes) out.push_back(total * size / images);
  std::iota(by_remainder.begin(), by_remainder.end(), 0);
  std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](int64_t a, int64_t b) {
    return total * sizes[a] % images > total * sizes[b] % images;
  });
  int64_t missing = total - std::accumulate(out.begin(), out.end(), int64_t{0});
  for (size_t i = 0; missing > 0; ++i, --missing) ++out[by_remainder[i]];
  return out;
}

// The first column of classes; without one all images are of the same.
Tensor classes_of(int64_t images, const std::vector<Tensor>& columns) {
  for (const Tensor& labels : columns) {
    if (labels.scalar_type() == at::kLong) return labels;
  }
  return at::zeros({images}, at::kLong);
}

// A class all of whose images would be taken; none where there is no such one.
struct EmptiedClass {
  int64_t number = 0, images = 0;
};

std::optional<EmptiedClass> emptied_class(const Tensor& labels, const std::vector<bool>& flags) {
  std::map<int64_t, std::pair<int64_t, int64_t>> counts;  // images, and those that stay
  const auto label = labels.accessor<int64_t, 1>();
  for (size_t i = 0; i < flags.size(); ++i) {
    if (label[static_cast<int64_t>(i)] < 0) continue;  // of no class
    auto& [images, left] = counts[label[static_cast<int64_t>(i)]];
    ++images;
    left += !flags[i];
  }
  for (const auto& [number, count] : counts) {
    if (count.second == 0) return EmptiedClass{number, count.first};
  }
  return std::nullopt;
}

Tensor positions(const std::vector<bool>& flags, bool wanted) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] == wanted) out.push_back(static_cast<int64_t>(i));
  }
  return at::from_blob(out.data(), {static_cast<int64_t>(out.size())}, at::kLong).clone();
}

}  // namespace

// Those of a label below 0 count as one class. No transform draws the same numbers.
std::vector<bool> chosen_share(const Tensor& labels, int64_t total, uint64_t seed, ShareOf part) {
  const auto label = labels.accessor<int64_t, 1>();
  const int64_t classes = std::max<int64_t>(labels.max().item<int64_t>() + 1, 0);
  std::vector<std::vector<int64_t>> members(classes + 1);
  for (int64_t i = 0; i < labels.size(0); ++i)
    members[label[i] < 0 ? classes : label[i]].push_back(i);
  std::vector<int64_t> sizes;
  for (const auto& of_class : members) sizes.push_back(static_cast<int64_t>(of_class.size()));
  const std::vector<int64_t> wanted = shares(sizes, total);
  std::vector<bool> chosen(labels.size(0));
  for (size_t c = 0; c < members.size(); ++c) {
    Draws draws(seed, 0, static_cast<int64_t>(c), static_cast<uint64_t>(part));
    for (int64_t i = 0; i < wanted[c]; ++i) {  // the beginning of a Fisher-Yates shuffle
      std::swap(members[c][i], members[c][draws.integer(i, sizes[c] - 1)]);
      chosen[members[c][i]] = true;
    }
  }
  return chosen;
}

DrawnTest draw_test(int64_t images, const std::vector<Tensor>& labels,
                    const std::vector<LabelColumn>& columns, const Amount& share,
                    int64_t split_seed) {
  const int64_t wanted = share.of(images);
  if (wanted < 1 || wanted >= images) {
    throw Error(ExitCode::kUsage,
                fmt::format("dataset.test_share ({}) of {} images {}", share.value, images,
                            wanted < 1 ? "is less than one image" : "leaves no training image"));
  }
  const Tensor classes = classes_of(images, labels);
  const auto flags =
      chosen_share(classes, wanted, static_cast<uint64_t>(split_seed), ShareOf::kTest);
  if (const auto emptied = emptied_class(classes, flags)) {
    const auto column = std::find_if(columns.begin(), columns.end(), [](const LabelColumn& each) {
      return each.kind == LabelColumn::Kind::kClasses;
    });
    const auto number = static_cast<size_t>(emptied->number);
    const bool is_named = column != columns.end() && number < column->names.size();
    throw Error(ExitCode::kUsage,
                fmt::format("dataset.test_share ({}) takes all {} images of the class {}: none is "
                            "left to train on",
                            share.value, emptied->images,
                            is_named ? escape(column->names[number]) : std::to_string(number)));
  }
  return {positions(flags, false), positions(flags, true)};
}

Split first_images(const Split& split, std::optional<int64_t> limit) {
  if (!limit) return split;
  Split out = split;
  for (Tensor& labels : out.labels) labels = labels.narrow(0, 0, *limit);
  out.rows = split.rows_of(at::arange(*limit));
  return out;
}

void check_splits(const DatasetOptions& options, const DatasetInfo& info, Check& check) {
  if (info.validation > 0 && options.validation.value > 0) {
    check.error({"validation"},
                fmt::format("validation ({}): the data set has a validation split of "
                            "its own, of {} images",
                            options.validation.value, info.validation));
  }
  for (const Misfit& misfit : misfits_of(options, info.train, info.test)) {
    if (check.is_set(misfit.other)) {
      check.error({misfit.option, misfit.other}, misfit.message);
    } else {
      check.error({misfit.option}, misfit.message);
    }
  }
}

int64_t training_images(const DatasetOptions& options, const DatasetInfo& info) {
  const int64_t images = limited(info.train, options.limit_train);
  return images - options.validation.of(images);
}

bool validates(const DatasetOptions& options, const DatasetInfo& info) {
  return info.validation > 0 || options.validation.value > 0;
}

Splits make_splits(const Split& train, const Split& test, const DatasetOptions& options,
                   const std::optional<Split>& validation) {
  for (const Misfit& misfit : misfits_of(options, train.size(), test.size()))
    throw Error(ExitCode::kUsage, "dataset." + misfit.message);
  Splits out;
  out.test = first_images(test, options.limit_test);
  out.train = first_images(train, options.limit_train);
  out.validation = validation;
  const int64_t total = options.validation.of(out.train.size());
  if (total == 0) return out;
  const Tensor classes = classes_of(out.train.size(), out.train.labels);
  const auto chosen =
      chosen_share(classes, total, static_cast<uint64_t>(options.split_seed), ShareOf::kValidation);
  if (const auto emptied = emptied_class(classes, chosen)) {
    throw Error(ExitCode::kUsage,
                fmt::format("dataset.validation ({}) takes all {} images of the class {}: none is "
                            "left to train on",
                            options.validation.value, emptied->images, emptied->number));
  }
  out.validation = select(out.train, positions(chosen, true));
  out.train = select(out.train, positions(chosen, false));
  return out;
}

}  // namespace vitrine
