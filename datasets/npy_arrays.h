#pragma once

#include <ATen/ops/empty.h>

#include <bit>
#include <cstring>

#include "datasets/held_arrays.h"
#include "framework/files/npy.h"

// NumPy's arrays as tensors.
namespace vitrine {

template <class Stored, class Widened>
Tensor widened(const NpyArray& array, uint64_t count, at::ScalarType type) {
  Tensor out = at::empty({static_cast<int64_t>(count)}, type);
  Widened* values = out.data_ptr<Widened>();
  for (uint64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, array.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Widened>(value);
  }
  return out;
}

// Of its shape. Unsigned types that libtorch computes little with become wider ones; uint64 beyond
// int64 turns negative.
inline Tensor tensor_of(NpyArray array) {
  using Kind = NpyHeader::Kind;
  const NpyHeader header = array.header;
  const uint64_t count = (array.bytes.size() - header.offset) / static_cast<uint64_t>(header.item);
  const at::IntArrayRef shape(header.shape);
  if (header.kind == Kind::kUnsigned && header.item == 2)
    return widened<uint16_t, int32_t>(array, count, at::kInt).view(shape);
  if (header.kind == Kind::kUnsigned && header.item == 4)
    return widened<uint32_t, int64_t>(array, count, at::kLong).view(shape);
  at::ScalarType type = at::kByte;
  if (header.kind == Kind::kFloat) {
    type = header.item == 2 ? at::kHalf : header.item == 4 ? at::kFloat : at::kDouble;
  } else if (header.kind == Kind::kSigned || header.item == 8) {
    constexpr at::ScalarType kSigned[] = {at::kChar, at::kShort, at::kInt, at::kLong};
    type = kSigned[std::countr_zero(static_cast<uint64_t>(header.item))];
  }
  auto held = std::make_shared<NpyArray>(std::move(array));
  // Elements may begin anywhere in the file.
  const bool is_aligned =
      reinterpret_cast<uintptr_t>(held->data()) % static_cast<uintptr_t>(header.item) == 0;
  if (!is_aligned) {
    held->bytes.erase(0, held->header.offset);
    held->header.offset = 0;
  }
  return at::from_blob(
      held->data(), shape, [held](void*) {}, type);
}

// `read` gives the array of that header.
inline NamedArray named_array(const std::string& name, const NpyHeader& header,
                              std::function<NpyArray()> read) {
  NamedArray out;
  out.name = name;
  out.type = header.type();
  out.shape = header.shape;
  out.read = [read = std::move(read)] { return tensor_of(read()); };
  return out;
}

}  // namespace vitrine
