#include "framework/files/npz.h"

#include <utility>

#include "framework/error.h"
#include "framework/memory.h"

namespace vitrine {

NpzFile::NpzFile(ZipFile zip, std::string name) : zip_(std::move(zip)), name_(std::move(name)) {
  constexpr std::string_view kEnding = ".npy";
  for (size_t i = 0; i < zip_.names().size(); ++i) {
    const std::string& entry = zip_.names()[i];
    if (!entry.ends_with(kEnding)) continue;
    names_.push_back(entry.substr(0, entry.size() - kEnding.size()));
    entries_.push_back(i);
  }
}

NpyHeader NpzFile::header(size_t index) const {
  const size_t entry = entries_.at(index);
  return parse_npy_header(zip_.read_start(entry, kNpyStart), zip_.size(entry), place(index));
}

NpyArray NpzFile::read(size_t index) const {
  return parse_npy(zip_.read(entries_.at(index), available_memory()), place(index));
}

std::string NpzFile::place(size_t index) const { return name_ + ": " + names_.at(index); }

}  // namespace vitrine
