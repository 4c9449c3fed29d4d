#include "framework/training/device_sum.h"

#include <set>

#include "framework/ranks/ranks.h"
#include "framework/training/provided.h"

namespace vitrine {

std::unique_ptr<DeviceSum> join(Ranks& ranks, const Nccl* nccl) {
  const std::string own = nccl ? ranks.hosts()[ranks.index()] + " " + nccl->gpu() : "";
  const std::vector<std::string> gpus = ranks.texts(own);
  const std::set<std::string> distinct(gpus.begin(), gpus.end());
  if (distinct.contains("") || distinct.size() < gpus.size()) return nullptr;
  const std::string id = ranks.from_first(ranks.is_first() ? nccl->make_id() : "");
  return nccl->join(ranks.count(), ranks.index(), id);
}

DeviceSum* device_sum(at::Device device) {
  if (!device.is_cuda() || ranks().is_alone()) return nullptr;
  static const std::unique_ptr<DeviceSum> sum = [] {
    const auto library =
        reinterpret_cast<NcclProvided>(provided("libvitrine_nccl.so", kNcclProvided));
    return join(ranks(), library ? library() : nullptr);
  }();
  return sum.get();
}

}  // namespace vitrine
