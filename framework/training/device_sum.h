#pragma once

#include <memory>
#include <string>

#include "framework/tensor.h"

namespace vitrine {

class Ranks;

// Sums over ranks of what lies on their GPUs, made there.
class DeviceSum {
 public:
  virtual ~DeviceSum() = default;
  // Float, contiguous, as long in each rank: changed in place, on the current stream.
  virtual void add_up(const Tensor& values) = 0;
};

// That of all ranks; null where they add up on the CPU: on other devices than CUDA's, where one
// rank has no libvitrine_nccl.so, or shares its GPU with another. All ranks ask together the first
// time.
DeviceSum* device_sum(at::Device device);

// What that library provides.
struct Nccl {
  std::string (*gpu)();      // the one in use, as no other of this machine is called
  std::string (*make_id)();  // of a new group, by one of its members, for all
  std::unique_ptr<DeviceSum> (*join)(size_t count, size_t index, const std::string& id);
};
// Of ranks whose GPUs are all different; null of others, and where one has none (`nccl` is null).
// All ranks call it together.
std::unique_ptr<DeviceSum> join(Ranks& ranks, const Nccl* nccl);
using NcclProvided = const Nccl* (*)();
inline constexpr const char* kNcclProvided = "vitrine_nccl";

}  // namespace vitrine
