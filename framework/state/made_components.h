#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/state/state.h"

namespace vitrine {

// The components that were made for a run, however deep in one another. Those that are alive keep
// their state in its checkpoints.
class MadeComponents {
 public:
  struct One {
    std::string name;  // where the config names it: "loss", and of a second one there "loss#2"
    std::string type;
    std::shared_ptr<Stateful> it;
  };

  // Runs `make`, and notes what is made meanwhile.
  void note(const std::function<void()>& make);
  void add(const MadeComponents& others);
  std::vector<One> alive() const;

 private:
  struct Made {
    std::string path, type;
    std::weak_ptr<Stateful> it;
  };
  std::vector<Made> all_;
};

}  // namespace vitrine
