#include "framework/pace.h"

#include <chrono>

namespace vitrine {

Pace::Pace()
    : Pace([] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
      }) {}

void Pace::perform(const std::function<void()>& work) {
  const double begin = clock_();
  work();
  ended_ = clock_();
  cost_ = ended_ - begin;
}

}  // namespace vitrine
