#include <ATen/cuda/CUDAGraph.h>

#include "framework/training/device_graph.h"

// All that needs CUDA's own headers for graphs, in a library of its own.
namespace vitrine {
namespace {

class CudaGraph : public DeviceGraph {
 public:
  void record(const std::function<void()>& work) override {
    // Other threads read images meanwhile, into memory that CUDA knows.
    record_between(
        [this] {
          graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
        },
        [this] { graph_.capture_end(); }, work);
  }
  void repeat() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

}  // namespace
}  // namespace vitrine

extern "C" __attribute__((visibility("default"))) vitrine::DeviceGraph* vitrine_make_cuda_graph() {
  return new vitrine::CudaGraph();
}
