#include "framework/data/label_ids.h"

#include <ATen/ops/_unique.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

namespace vitrine {

std::optional<LabelIds> LabelIds::of(const std::vector<Tensor>& labels) {
  constexpr int64_t kFar = 10, kVoid = 255;  // what usually stands for no class is no ID
  const Tensor all = at::cat(labels);
  const Tensor ids = std::get<0>(at::_unique(all.index({all.ge(0)}), /*sorted=*/true));
  if (ids.size(0) == 0) return std::nullopt;
  const int64_t largest = ids[-1].item<int64_t>();
  if (largest == kVoid || largest / kFar < ids.size(0)) return std::nullopt;
  return LabelIds(ids);
}

std::vector<std::string> LabelIds::names() const {
  std::vector<std::string> out;
  for (int64_t i = 0; i < ids_.size(0); ++i) out.push_back(std::to_string(ids_[i].item<int64_t>()));
  return out;
}

Tensor LabelIds::places(const Tensor& labels) const {
  return at::where(labels.ge(0), at::searchsorted(ids_, labels), labels);
}

std::string LabelIds::words() const {
  return fmt::format(
      "{} different labels up to {} are taken for as many classes, which are called by them",
      ids_.size(0), ids_[-1].item<int64_t>());
}

}  // namespace vitrine
