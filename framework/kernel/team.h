#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace vitrine {

// Threads that share out work.
class Team {
 public:
  Team();
  ~Team();
  using Work = std::function<void(size_t index, size_t thread)>;

  // Calls `work` for each index below `count`, by as many threads as find the time: where another
  // program keeps a core busy, the others do its work. (OpenMP would wait for every thread.)
  void run(size_t count, int threads, const Work& work);

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;
};

}  // namespace vitrine
