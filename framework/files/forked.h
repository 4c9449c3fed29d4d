#pragma once

#include <functional>
#include <string>

namespace vitrine {

// What a process that was tried has left.
struct Forked {
  std::string text;       // that it wrote to its report
  bool has_ended = true;  // by itself
  int status = 0;         // as waitpid tells it

  // "crashes: Segmentation fault", "ends the process with exit code 3" or "does not end"; of
  // several "crash: ...", "end ...", "do not end".
  std::string ending(bool is_plural) const;
};

// Runs `work` in a copy of this process, which has nowhere to print to, leaves no core and heeds
// signals as usual; it writes to the descriptor `report`, and ends with _exit. It is killed where
// it writes nothing for so many seconds. Throws Error(kFailed), which begins with `what`, where
// there can be no such process.
Forked run_forked(const std::string& what, int seconds,
                  const std::function<void(int report)>& work);

}  // namespace vitrine
