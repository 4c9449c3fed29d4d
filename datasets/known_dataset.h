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

inline const std::vector<std::string>& digit_names() {
  static const std::vector<std::string> names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return names;
}

// Square images of digits, the training images in the first file and the test images in the second.
class KnownDigits : public KnownDataset {
 public:
  // `shape` tells channels, side and counts.
  KnownDigits(KnownSet set, const DatasetInfo& shape, const KnownOptions& options,
              const DataContext& context)
      : KnownDataset(std::move(set), options, context), info_(shape) {
    info_.columns = class_column(digit_names());
    info_.flips_change_classes = true;
  }

  DatasetInfo info() const override { return info_; }
  Split load_train() override { return load(0, info_.train); }
  Split load_test() override { return load(1, info_.test); }

 protected:
  // The split of a file's bytes, which must have so many images. Throws Error(kData), which begins
  // with `name`.
  virtual Split parse(std::string_view bytes, int64_t images, const std::string& name) const = 0;

 private:
  Split load(size_t file, int64_t images) {
    find();
    return parse(read(file), images, path_of(file).string());
  }

  DatasetInfo info_;
};

}  // namespace vitrine
