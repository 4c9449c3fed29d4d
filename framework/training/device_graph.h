#pragma once

#include <functional>
#include <memory>

#include "framework/tensor.h"

namespace vitrine {

// Work on a device that is recorded once and then begun again as a whole, in the place of
// operation by operation.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  // Records what `work` begins on the current stream, without doing it. What it made stays where
  // it is, and holds new values after each repetition. Throws where it cannot be repeated.
  virtual void record(const std::function<void()>& work) = 0;
  virtual void repeat() = 0;
};

using MakeDeviceGraph = std::function<std::unique_ptr<DeviceGraph>()>;

// Of a device; empty where it has no graphs. Those that libtorch offers for every kind of device
// alike, else CUDA's by libvitrine_cuda.so, which is built where CUDA's headers are.
MakeDeviceGraph graphs_of(at::Device device);

// What that library provides.
using MakeCudaGraph = DeviceGraph* (*)();
inline constexpr const char* kMakeCudaGraph = "vitrine_make_cuda_graph";

// Records into a graph of libtorch, between what begins and what ends that.
template <class Begin, class End>
void record_between(Begin begin, End end, const std::function<void()>& work) {
  begin();
  try {
    work();
  } catch (...) {
    try {
      end();
    } catch (const std::exception&) {  // what was recorded is of no use
    }
    throw;
  }
  end();
}

}  // namespace vitrine
