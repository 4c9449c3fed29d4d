#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/tensor.h"

namespace vitrine {

// Labels that are IDs from elsewhere, far beyond how many there are: 0, 1000, 2000. Each stands for
// the class of its place among them. Labels below 0 are of no class, and stay.
class LabelIds {
 public:
  // Of a column's labels, int64 [N], in all sets; none where the labels count classes.
  static std::optional<LabelIds> of(const std::vector<Tensor>& labels);

  std::vector<std::string> names() const;  // the IDs, rising
  Tensor places(const Tensor& labels) const;
  // "3 different labels up to 2000 are taken for as many classes, which are called by them"
  std::string words() const;

 private:
  explicit LabelIds(Tensor ids) : ids_(std::move(ids)) {}

  Tensor ids_;  // int64, rising
};

}  // namespace vitrine
