#include "framework/training/devices.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <filesystem>

#include "framework/ranks/ranks.h"

namespace vitrine {
namespace {

// Of the libtorch that is loaded; the file is missing from one without CUDA.
std::filesystem::path cuda_library() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info);
  return std::filesystem::path(info.dli_fname ? info.dli_fname : "").parent_path() /
         "libtorch_cuda.so";
}

// The program links what a CPU needs: no CUDA is needed to build it, and none is loaded without a
// driver. What the library registers is seen by those that ask libtorch for the first time later.
std::string load_cuda() {
  const std::filesystem::path library = cuda_library();
  if (!std::filesystem::exists(library) || !dlopen("libcuda.so.1", RTLD_LAZY)) return "";
  return dlopen(library.c_str(), RTLD_LAZY | RTLD_GLOBAL) ? "" : dlerror();
}

const std::string& problem() {
  static const std::string text = load_cuda();
  return text;
}

}  // namespace

std::string cuda_problem() { return problem(); }

int64_t cuda_devices() { return problem().empty() ? at::detail::getCUDAHooks().deviceCount() : 0; }

void take_gpu_of_rank() {
  const int64_t gpus = cuda_devices();
  if (ranks().is_alone() || gpus < 2) return;
  const auto own = static_cast<c10::DeviceIndex>(ranks().place_on_this_host() % gpus);
  c10::impl::VirtualGuardImpl(at::kCUDA).setDevice({at::kCUDA, own});
}

}  // namespace vitrine
