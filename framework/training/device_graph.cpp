#include "framework/training/device_graph.h"

#if __has_include(<ATen/accelerator/Graph.h>)  // from libtorch 2.13 on
#include <ATen/accelerator/Graph.h>
#define VITRINE_HAS_ACCELERATOR_GRAPHS
#endif

#include "framework/training/provided.h"

namespace vitrine {
namespace {

#ifdef VITRINE_HAS_ACCELERATOR_GRAPHS
class AcceleratorGraph : public DeviceGraph {
 public:
  void record(const std::function<void()>& work) override {
    record_between([this] { graph_.capture_begin(); }, [this] { graph_.capture_end(); }, work);
  }
  void repeat() override { graph_.replay(); }

 private:
  at::accelerator::Graph graph_;
};

MakeDeviceGraph of_accelerator(at::Device device) {
  if (!at::has_graph_impl(device.type())) return {};
  return [] { return std::make_unique<AcceleratorGraph>(); };
}
#else
MakeDeviceGraph of_accelerator(at::Device /*device*/) { return {}; }
#endif

}  // namespace

MakeDeviceGraph graphs_of(at::Device device) {
  if (device.is_cpu()) return {};
  if (MakeDeviceGraph out = of_accelerator(device)) return out;
  if (!device.is_cuda()) return {};
  const auto make = reinterpret_cast<MakeCudaGraph>(provided("libvitrine_cuda.so", kMakeCudaGraph));
  if (!make) return {};
  return [make] { return std::unique_ptr<DeviceGraph>(make()); };
}

}  // namespace vitrine
