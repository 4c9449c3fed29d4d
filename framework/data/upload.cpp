#include "framework/data/upload.h"

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace vitrine {

Tensor host_buffer(at::IntArrayRef sizes, at::ScalarType type, at::Device device) {
  return at::empty(sizes, at::TensorOptions(type).pinned_memory(device.is_cuda()));
}

Tensor upload(const Tensor& host, at::Device device) {
  if (!device.is_cuda() || !host.is_cpu()) return host.to(device);
  const c10::impl::VirtualGuardImpl guard(device.type());
  const at::Device here = guard.getDevice();
  static const c10::Stream copying = guard.getNewStream(here);
  const c10::Stream computing = guard.getStream(here);
  const Tensor pinned = host.is_pinned() ? host : host.contiguous().pin_memory();
  Tensor out;
  c10::Event copied(device.type());
  {
    const c10::StreamGuard on_its_own(copying);
    out = pinned.to(here, /*non_blocking=*/true);
    copied.record(copying);
  }
  copied.block(computing);
  out.record_stream(computing);  // its memory is of the other stream
  return out;
}

}  // namespace vitrine
