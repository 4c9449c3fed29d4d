#pragma once

#include <cstdint>
#include <string>

namespace vitrine {

// GPUs that libtorch's CUDA can use here. The first question loads libtorch_cuda.so, where there is
// a driver: so it is asked before anything is computed, and not at all where a CPU is wanted.
int64_t cuda_devices();
// Why a GPU's driver is here and libtorch_cuda.so could not be loaded; empty where that is not so.
std::string cuda_problem();

// Gives this thread the GPU that "cuda" means from now on: of several ranks on a machine each has
// its own, in turn where there are fewer.
void take_gpu_of_rank();

}  // namespace vitrine
