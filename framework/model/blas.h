#pragma once

namespace vitrine {

// While it lives, the kernel computes all products by itself, as it does without libtorch.
class WithoutBlas {
 public:
  WithoutBlas();
  ~WithoutBlas();
  WithoutBlas(const WithoutBlas&) = delete;
  WithoutBlas& operator=(const WithoutBlas&) = delete;
};

}  // namespace vitrine
