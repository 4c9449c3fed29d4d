#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace vitrine {

// Work on several images that goes on beside whoever started it.
class Pending {
 public:
  virtual ~Pending() = default;  // waits for what has begun
  // Returns when all is done, and does a part of it meanwhile. Throws what the work on the first
  // image that failed has thrown.
  virtual void wait() = 0;
};

// Threads that read images while others train. With one alone nothing begins before it is waited
// for.
class Readers {
 public:
  using Work = std::function<void(int64_t index)>;

  explicit Readers(int threads);
  ~Readers();

  // Calls `work` for each index below `count`.
  std::unique_ptr<Pending> start(int64_t count, Work work) const;
  void run(int64_t count, Work work) const { start(count, std::move(work))->wait(); }

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;  // none where there is one thread
};

}  // namespace vitrine
