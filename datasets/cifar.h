#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "datasets/known_dataset.h"

// CIFAR-10 and CIFAR-100 (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html) in their binary
// versions: records of an image's labels, a byte each, and its red, green and blue pixels, 32 x 32
// of each.
namespace vitrine {

constexpr int64_t kCifarSide = 32, kCifarPixels = 3 * kCifarSide * kCifarSide;

// A file of so many records with so many labels each.
inline KnownFile cifar_file(const std::string& name, int64_t images, int64_t labels) {
  KnownFile out;
  out.name = name;
  out.most = static_cast<uint64_t>(images * (labels + kCifarPixels));
  out.check = [images, labels, most = out.most](std::string_view bytes, const std::string& path) {
    if (bytes.size() == most) return;
    refuse_data(path, fmt::format("has {} bytes: {} images of {} bytes each need {}", bytes.size(),
                                  images, labels + kCifarPixels, most));
  };
  return out;
}

// What `name` names is the version for Python.
inline NearMiss pickled(const std::string& name, const std::string& archive) {
  return {name,
          "the version for Python is not read, since that would run code of the file; the "
          "binary version is " +
              archive};
}

// The last file is that of the test images. Labels are in the order of the records.
class Cifar : public KnownDataset {
 public:
  Cifar(const KnownSet& set, std::vector<LabelColumn> columns, const KnownOptions& options,
        const DataContext& context)
      : KnownDataset(set, options, context),
        columns_(std::move(columns)),
        record_(std::ssize(columns_) + kCifarPixels),
        files_(set.files.size()),
        train_(0) {
    for (size_t i = 0; i + 1 < files_; ++i) train_ += images_in(set.files[i]);
    test_ = images_in(set.files.back());
  }

  DatasetInfo info() const override {
    // The first label of a record is the last column: that of a coarser class.
    return {3, kCifarSide, kCifarSide, {columns_.rbegin(), columns_.rend()}, train_, test_};
  }
  Split load_train() override { return load(0, files_ - 1, train_); }
  Split load_test() override { return load(files_ - 1, files_, test_); }

 private:
  int64_t images_in(const KnownFile& file) const {
    return static_cast<int64_t>(file.most) / record_;
  }

  Split load(size_t begin, size_t end, int64_t images) {
    find();
    Split out;
    out.images = at::empty({images, 3, kCifarSide, kCifarSide}, at::kByte);
    for (size_t i = 0; i < columns_.size(); ++i)
      out.labels.push_back(at::empty({images}, at::kLong));
    int64_t first = 0;
    for (size_t file = begin; file < end; ++file) {
      std::string bytes = read(file);
      const int64_t count = std::ssize(bytes) / record_;
      const Tensor records = at::from_blob(bytes.data(), {count, record_}, at::kByte);
      out.images.narrow(0, first, count)
          .copy_(records.narrow(1, std::ssize(columns_), kCifarPixels)
                     .reshape({count, 3, kCifarSide, kCifarSide}));
      for (size_t i = 0; i < columns_.size(); ++i) {
        const auto column = static_cast<int64_t>(columns_.size() - 1 - i);
        out.labels[i].narrow(0, first, count).copy_(records.select(1, column));
      }
      first += count;
    }
    return out;
  }

  std::vector<LabelColumn> columns_;  // in the order of a record
  int64_t record_;                    // bytes
  size_t files_;
  int64_t train_, test_;
};

}  // namespace vitrine
