#pragma once

#include <cstddef>

namespace vitrine {

// Asks the system to back memory that was just allocated, and not yet touched, by huge pages: fewer
// faults at the start, fewer misses in the address cache later. Where it cannot, nothing changes.
void use_huge_pages(void* start, size_t bytes);

}  // namespace vitrine
