#pragma once

#include "datasets/known_finder.h"

namespace vitrine {

// A published data set whose files are found, or downloaded, once they are wanted.
class KnownDataset : public Dataset {
 public:
  KnownDataset(KnownSet set, const KnownOptions& options, const DataContext& context)
      : known_(std::move(set)), known_options_(options), context_(context) {}

  // Where digests are known, loading admits no other content.
  std::string fingerprint() override {
    std::string digests;
    for (const KnownFile& file : known_.files) {
      if (file.digest.empty()) return {};
      digests += file.digest;
    }
    return sha256_hex(digests);
  }

 protected:
  // Throws Error(kData): what was tried, and how to go on.
  void find() {
    if (folder_.empty()) folder_ = KnownFinder(known_, known_options_, context_).folder();
  }
  // The unpacked bytes of a file, after find().
  std::string read(size_t file) const {
    const fs::path path = path_of(file);
    return read_known(path, known_.files[file], known_.title, path.string());
  }
  fs::path path_of(size_t file) const { return find_file(folder_, known_.files[file]); }

 private:
  KnownSet known_;
  KnownOptions known_options_;
  DataContext context_;
  fs::path folder_;
};

}  // namespace vitrine
