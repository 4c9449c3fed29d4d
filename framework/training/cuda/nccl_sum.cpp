#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include "framework/error.h"
#include "framework/training/device_sum.h"

// All that needs NCCL, in a library of its own.
namespace vitrine {
namespace {

void check(ncclResult_t result) {
  if (result == ncclSuccess) return;
  throw Error(ExitCode::kInternal, std::string("NCCL: ") + ncclGetErrorString(result));
}

class NcclSum : public DeviceSum {
 public:
  NcclSum(size_t count, size_t index, const std::string& id) {
    ncclUniqueId group;
    if (id.size() != sizeof group.internal)
      throw Error(ExitCode::kInternal, "NCCL: a group's ID has another size");
    std::copy(id.begin(), id.end(), group.internal);
    check(ncclCommInitRank(&ranks_, static_cast<int>(count), group, static_cast<int>(index)));
  }
  // The process ends with it; a rank that waits for one that is gone could not be told here.
  ~NcclSum() override = default;
  NcclSum(const NcclSum&) = delete;
  NcclSum& operator=(const NcclSum&) = delete;

  void add_up(const Tensor& values) override {
    auto* numbers = values.data_ptr<float>();
    check(ncclAllReduce(numbers, numbers, static_cast<size_t>(values.numel()), ncclFloat, ncclSum,
                        ranks_, c10::cuda::getCurrentCUDAStream().stream()));
  }

 private:
  ncclComm_t ranks_{};
};

std::string gpu() {
  char bus[32] = {};
  C10_CUDA_CHECK(cudaDeviceGetPCIBusId(bus, sizeof bus, c10::cuda::current_device()));
  return bus;
}

std::string make_id() {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id));
  return {id.internal, sizeof id.internal};
}

std::unique_ptr<DeviceSum> join(size_t count, size_t index, const std::string& id) {
  return std::make_unique<NcclSum>(count, index, id);
}

constexpr Nccl kNccl = {gpu, make_id, join};

}  // namespace
}  // namespace vitrine

extern "C" __attribute__((visibility("default"))) const vitrine::Nccl* vitrine_nccl() {
  return &vitrine::kNccl;
}
