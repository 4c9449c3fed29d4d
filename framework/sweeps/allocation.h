#pragma once

#include <cstdint>
#include <optional>

namespace vitrine {

// The cores of a job or step of Slurm's that this process is part of. Slurm need not bind processes
// to them. None outside of one.
std::optional<int64_t> allocated_cores();

}  // namespace vitrine
