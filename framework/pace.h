#pragma once

#include <functional>

namespace vitrine {

// When to do again what costs the more the longer something goes on, such as writing the whole of
// it anew: as soon as the time since the last is fifty times what that one took. So it takes a
// fiftieth of the time at most, however much there is.
class Pace {
 public:
  using Clock = std::function<double()>;  // seconds since any moment

  Pace();  // by the system's steady clock
  explicit Pace(Clock clock) : clock_(std::move(clock)) {}

  bool is_due() const { return clock_() - ended_ >= kTimes * cost_; }
  // Does it now, and measures what it takes.
  void perform(const std::function<void()>& work);

 private:
  static constexpr double kTimes = 50;

  Clock clock_;
  double cost_ = 0, ended_ = 0;
};

}  // namespace vitrine
