#include "framework/data/findings.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/eq.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "framework/data/tensor_words.h"
#include "framework/error.h"

namespace vitrine {
namespace {

using Kind = LabelColumn::Kind;
using Findings = std::vector<std::string>;

// How many images each class of a column has; labels of no class are not counted.
std::vector<int64_t> counts_of(const Tensor& labels, int64_t classes) {
  const Tensor known = labels.index({labels.ge(0).logical_and(labels.lt(classes))});
  const Tensor counts = known.bincount({}, classes);
  const int64_t* first = counts.const_data_ptr<int64_t>();
  return {first, first + classes};
}

std::string shown_column(const Tensor& labels, const LabelColumn& column) {
  const auto many = [&](const char* one) {
    return fmt::format("{} {}{}", column.size(), one, column.size() == 1 ? "" : "s");
  };
  if (column.kind == Kind::kLabels) return many("label");
  if (column.kind == Kind::kValues) return many("value");
  const std::vector<int64_t> counts = counts_of(labels, column.size());
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  std::string out = fmt::format("{} class{}, ", column.size(), column.size() == 1 ? "" : "es");
  return out + (*least == *most ? fmt::format("{} images each", *least)
                                : fmt::format("{} to {} images each", *least, *most));
}

std::string in_column(const LabelColumn& column) {
  return column.name == kLabel ? "" : fmt::format(" in the column {}", escape(column.name));
}

// Names of the classes that have no image.
std::vector<std::string> without(const std::vector<int64_t>& counts, const LabelColumn& column) {
  std::vector<std::string> out;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) out.push_back(escape(column.names[i]));
  }
  return out;
}

std::string missing_classes(const std::vector<int64_t>& counts, const LabelColumn& column,
                            const std::string& why) {
  auto missing = without(counts, column);
  const size_t count = missing.size();
  return fmt::format("{} of the {} classes{} {} no training images: {}{}", count, column.size(),
                     in_column(column), count == 1 ? "has" : "have",
                     some_of(std::move(missing), ", "), why);
}

// Whether the classes are known by their numbers alone.
bool is_numbered(const LabelColumn& column) {
  for (int64_t i = 0; i < column.size(); ++i) {
    if (column.names[static_cast<size_t>(i)] != std::to_string(i)) return false;
  }
  return true;
}

// What the labels of the whole training set look like.
void look_at_labels(const std::vector<int64_t>& counts, const LabelColumn& column,
                    Findings& found) {
  constexpr int64_t kVoid = 255;
  const size_t missing = without(counts, column).size();
  if (missing == 0) return;
  const bool is_void = is_numbered(column) && column.size() == kVoid + 1 && missing > 1 &&
                       counts[kVoid] > 0 && counts[kVoid - 1] == 0;
  if (is_void) {
    found.push_back(fmt::format(
        "{} images have the label {}{}, and no image one of the {} before it: where it stands for "
        "no class, set loss: {{type: cross_entropy, ignore_index: {}}}",
        counts[kVoid], kVoid, in_column(column), missing, kVoid));
  } else if (is_numbered(column) && counts[0] == 0 && missing == 1) {
    found.push_back(
        fmt::format("no image has the label 0{}, and all of 1 to {} are there: labels that count "
                    "from 1 make a class that is never seen; subtract 1 from them",
                    in_column(column), column.size() - 1));
  } else {
    found.push_back(missing_classes(counts, column, ""));
  }
}

// What limit_train and overfit_batches leave of the classes that are there.
void look_at_limits(const std::vector<int64_t>& all, const std::vector<int64_t>& taken,
                    const LabelColumn& column, const std::string& option, Findings& found) {
  const size_t before = without(all, column).size(), now = without(taken, column).size();
  if (now <= before) return;
  found.push_back(missing_classes(
      taken, column, fmt::format("; {} takes the first images: mix their order", option)));
}

// Of an image of a split, by its number.
bool has_one_colour(const Split& split, int64_t number) {
  const Tensor row = split.rows_of(at::arange(number, number + 1));
  if (split.images.defined()) {
    const Tensor image = split.images.index_select(0, row.to(split.images.device())).flatten();
    return image.eq(image[0]).all().item<bool>();
  }
  try {
    const Image image = split.source->read(row.item<int64_t>());
    const auto is_first = [&](uint8_t pixel) { return pixel == image.pixels[0]; };
    return std::all_of(image.pixels.begin(), image.pixels.end(), is_first);
  } catch (const Error&) {
    return false;  // whoever reads it is told
  }
}

void look_at_pixels(const Split& train, const DatasetInfo& info, Findings& found) {
  if (info.width <= 4 && info.channels > 4 && info.height == info.channels) {
    found.push_back(fmt::format(
        "images are {} x {} pixels of {} channels: channels last, it seems; what is wanted is [N, "
        "C, H, W], in numpy images.transpose(0, 3, 1, 2).copy()",
        info.width, info.height, info.channels));
  }
  constexpr int64_t kLookedAt = 32;
  const int64_t count = std::min(kLookedAt, train.size());
  if (count < 2) return;
  for (int64_t i = 0; i < count; ++i) {
    if (!has_one_colour(train, i)) return;
  }
  found.push_back(fmt::format(
      "each of the first {} training images is of one colour: there is nothing to see in them",
      count));
}

// Of the bytes of an image. Equal ones have the same, and others hardly ever.
uint64_t digest_of(const uint8_t* bytes, int64_t count) {
  constexpr uint64_t kFirst = 0x9e3779b97f4a7c15, kSecond = 0xc2b2ae3d27d4eb4f;
  uint64_t out = kFirst;
  for (int64_t i = 0; i < count; i += 16) {
    uint64_t words[2] = {0, 0};
    std::memcpy(words, bytes + i, static_cast<size_t>(std::min<int64_t>(16, count - i)));
    const auto product = static_cast<unsigned __int128>(words[0] ^ out) * (words[1] ^ kSecond);
    out = (out * kFirst) ^ static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  return out;
}

// The images of a split that is held, by their numbers.
class HeldImages {
 public:
  explicit HeldImages(const Split& split)
      : rows_(split.rows_of(at::arange(split.size()))),
        images_(split.images),
        bytes_(images_.numel() / images_.size(0)) {}

  int64_t size() const { return rows_.size(0); }
  uint64_t digest(int64_t number) const { return digest_of(at(number), bytes_); }
  bool is_same(int64_t number, const HeldImages& other, int64_t its) const {
    return bytes_ == other.bytes_ &&
           std::memcmp(at(number), other.at(its), static_cast<size_t>(bytes_)) == 0;
  }

 private:
  const uint8_t* at(int64_t number) const {
    return images_.const_data_ptr<uint8_t>() + rows_.const_data_ptr<int64_t>()[number] * bytes_;
  }

  Tensor rows_, images_;
  int64_t bytes_;
};

// Held images alone are looked at, and not where it would be felt.
void look_for_shared(const Splits& splits, Findings& found) {
  constexpr int64_t kMostBytes = int64_t{256} << 20;
  const auto is_held = [](const Split& split) {
    return split.images.defined() && split.images.is_cpu() && split.images.is_contiguous() &&
           split.images.size(0) > 0 && split.images.numel() <= kMostBytes;
  };
  if (!is_held(splits.train)) return;
  const HeldImages train(splits.train);
  std::unordered_map<uint64_t, int64_t> seen;
  seen.reserve(static_cast<size_t>(train.size()));
  for (int64_t i = 0; i < train.size(); ++i) seen.emplace(train.digest(i), i);
  const auto look = [&](const Split& split, const char* name, const char* advice) {
    if (!is_held(split)) return;
    const HeldImages images(split);
    int64_t shared = 0, first = 0, as = 0;
    for (int64_t i = 0; i < images.size(); ++i) {
      const auto other = seen.find(images.digest(i));
      if (other == seen.end() || !images.is_same(i, train, other->second)) continue;
      if (shared++ == 0) first = i, as = other->second;
    }
    if (shared == 0) return;
    found.push_back(fmt::format(
        "{} of the {} {} images {} among those to train on (the first is {} image {}, training "
        "image "
        "{}): {}",
        shared, split.size(), name, shared == 1 ? "is" : "are", name, first, as, advice));
  };
  if (splits.validation)
    look(*splits.validation, "validation", "what is best is chosen by images that were learned");
  look(splits.test, "test", "the test tells too much; take them out of one of the two");
}

}  // namespace

std::string shown_columns(const Split& train, const std::vector<LabelColumn>& columns) {
  std::vector<std::string> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = columns.size() == 1 ? "" : escape(columns[i].name) + ": ";
    out.push_back(name + shown_column(train.labels[i].cpu(), columns[i]));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

std::vector<std::string> data_findings(const Split& loaded, const Splits& splits,
                                       const DatasetInfo& info, int64_t used) {
  Findings out;
  for (size_t i = 0; i < info.columns.size(); ++i) {
    const LabelColumn& column = info.columns[i];
    if (column.kind != Kind::kClasses) continue;
    const Tensor taken = splits.train.labels[i].cpu();
    const auto all = counts_of(loaded.labels[i].cpu(), column.size());
    const auto left = counts_of(taken, column.size());
    look_at_labels(all, column, out);
    look_at_limits(all, left, column, "dataset.limit_train", out);
    look_at_limits(left, counts_of(taken.narrow(0, 0, used), column.size()), column,
                   "training.overfit_batches", out);
  }
  look_at_pixels(splits.train, info, out);
  look_for_shared(splits, out);
  return out;
}

}  // namespace vitrine
