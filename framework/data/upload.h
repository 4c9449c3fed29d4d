#pragma once

#include "framework/tensor.h"

namespace vitrine {

// Memory on the CPU for what is uploaded to a device: where CUDA computes, pages that stay where
// they are, from which it copies by itself.
Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType type, at::Device device);

// `host` on a device, copied there beside what was begun before, on a stream of its own: neither
// the CPU nor that work waits, and only what is begun from now on has to. On the CPU it is `host`
// itself.
Tensor upload(const Tensor& host, at::Device device);

}  // namespace vitrine
