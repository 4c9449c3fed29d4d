#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "framework/data/label_ids.h"

// Classes that are known by numbers alone.
namespace vitrine {

// The IDs that labels of all sets are, int64 [N] each; none where they count classes, as they do
// where so many classes are named and no label is beyond them.
inline std::optional<LabelIds> ids_of(const std::vector<Tensor>& labels, int64_t named) {
  const auto is_named = [&](const Tensor& some) { return some.max().item<int64_t>() < named; };
  if (std::all_of(labels.begin(), labels.end(), is_named)) return std::nullopt;
  return LabelIds::of(labels);
}

// The names of classes 0, 1, ... of a column's labels, int64 [N] each, in all sets: `ids`, where
// the labels are such, else their numbers. `fail` is told what is wrong, and does not return.
template <class Fail>
std::vector<std::string> numbered_classes(const std::vector<Tensor>& labels,
                                          const std::optional<LabelIds>& ids, const Fail& fail) {
  constexpr int64_t kMost = 100'000;
  if (ids) return ids->names();
  int64_t largest = -1;
  for (const Tensor& some : labels) largest = std::max(largest, some.max().item<int64_t>());
  if (largest >= kMost)
    fail(fmt::format("label {} is too large; there may be {} classes", largest, kMost));
  if (largest < 0) fail("all labels are below 0");
  std::vector<std::string> out;
  for (int64_t i = 0; i <= largest; ++i) out.push_back(std::to_string(i));
  return out;
}

}  // namespace vitrine
