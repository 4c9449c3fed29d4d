#pragma once

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "framework/data/dataset.h"
#include "framework/error.h"
#include "framework/files/mat.h"
#include "framework/memory.h"

namespace vitrine {

// The images and digits of a file of SVHN: X [32, 32, 3, N], y [N, 1] with 10 for the digit 0.
// Throws Error(kData), which begins with `name`.
inline Split svhn_split(std::string_view bytes, int64_t images, const std::string& name) {
  constexpr int64_t kSide = 32;
  const uint64_t limit = available_memory();
  auto x = std::make_shared<MatArray>(read_mat(bytes, "X", limit, name));
  const MatArray y = read_mat(bytes, "y", limit, name);
  const std::vector<int64_t> wanted = {kSide, kSide, 3, images};
  if (x->type != MatArray::Type::kUInt8 || x->shape != wanted)
    refuse_data(name, fmt::format("X must be bytes [32, 32, 3, {}]", images));
  const std::vector<int64_t> labels = mat_numbers(y, name);
  if (std::ssize(labels) != images)
    refuse_data(name, fmt::format("{} labels, {} images", labels.size(), images));
  // Column-major: from behind these are images, channels, columns, rows.
  const Tensor pixels = at::from_blob(
      x->bytes.data(), {images, 3, kSide, kSide}, [x](void*) {}, at::kByte);
  const Tensor digits = at::tensor(labels, at::kLong);
  Split out;
  out.images = pixels.transpose(2, 3).contiguous();
  out.labels = {digits.masked_fill(digits.eq(10), 0)};
  return out;
}

}  // namespace vitrine
