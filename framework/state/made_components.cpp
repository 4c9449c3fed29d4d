#include "framework/state/made_components.h"

#include <fmt/format.h>

#include "framework/registry/registry.h"

namespace vitrine {

void MadeComponents::note(const std::function<void()>& make) {
  const HearsMade hears(
      [&](const std::string& path, const std::string& type, const std::shared_ptr<Stateful>& it) {
        all_.push_back({path, type, it});
      });
  make();
}

void MadeComponents::add(const MadeComponents& others) {
  all_.insert(all_.end(), others.all_.begin(), others.all_.end());
}

// Those that are gone are counted: names follow from the order in which all were made.
std::vector<MadeComponents::One> MadeComponents::alive() const {
  std::map<std::string, int> counts;
  std::vector<One> out;
  for (const Made& made : all_) {
    const int number = ++counts[made.path];
    auto it = made.it.lock();
    if (!it) continue;
    const std::string name = number == 1 ? made.path : fmt::format("{}#{}", made.path, number);
    out.push_back({name, made.type, std::move(it)});
  }
  return out;
}

}  // namespace vitrine
