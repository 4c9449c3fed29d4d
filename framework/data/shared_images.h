#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/data/dataset.h"
#include "framework/engine/data_view.h"

namespace vitrine {

struct NamedSplit {
  std::string name;  // "train"
  Split split;
};

struct SharedSearch {
  std::vector<SharedImages> shared;
  int64_t unread = 0;  // images that were not compared
};

// Images that stand in two of the splits, byte for byte: of files that of the file, else that of
// the pixels. Held ones are all compared. Of what would have to be read only images whose files are
// as long as one of another split, and at most `most_read` bytes and kMostRead images: the shortest
// first, and those of a length all or none. `most_pairs` of each two splits are told. Empty once it
// is cancelled. `progress` is told how many images of all that are compared have been.
inline constexpr int64_t kMostRead = 100'000;
SharedSearch find_shared(const std::vector<NamedSplit>& splits, size_t most_pairs,
                         uint64_t most_read, const std::function<bool()>& cancelled,
                         const std::function<void(int64_t images, int64_t all)>& progress);

}  // namespace vitrine
