#pragma once

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <future>

#include "datasets/known_dataset.h"
#include "framework/files/idx.h"

// Published data sets of grey images in four IDX files.
namespace vitrine {

// An IDX file of this shape.
inline KnownFile idx_file(const std::string& name, const std::vector<int64_t>& shape,
                          IdxType type = IdxType::kByte) {
  KnownFile out;
  out.name = name;
  const auto count = static_cast<uint64_t>(c10::multiply_integers(shape));
  out.most = 4 + 4 * shape.size() + count * (type == IdxType::kByte ? 1 : 4);
  out.check = [shape, type](std::string_view bytes, const std::string& path) {
    const IdxArray array = parse_idx(bytes, path, type);
    if (array.shape == shape) return;
    refuse_data(path, fmt::format("its shape is [{}], it must be [{}]",
                                  fmt::join(array.shape, ", "), fmt::join(shape, ", ")));
  };
  out.ending = ".gz";
  return out;
}

struct KnownIdxSet : KnownSet {
  std::vector<std::string> classes;
  int64_t train = 0, test = 0;       // images
  int64_t side = 28;                 // pixels
  int64_t first_label = 0;           // what the files call the first class
  bool is_transposed = false;        // the files have columns where others have rows
  bool flips_change_classes = true;  // as of what is written
};

// The files are, in this order: training images, training labels, test images, test labels. Labels
// that are ints have columns, of which the first is the class.
class KnownIdx : public KnownDataset {
 public:
  KnownIdx(const KnownIdxSet& set, const KnownOptions& options, const DataContext& context)
      : KnownDataset(set, options, context), set_(set) {}

  DatasetInfo info() const override {
    DatasetInfo out{1, set_.side, set_.side, class_column(set_.classes), set_.train, set_.test};
    out.flips_change_classes = set_.flips_change_classes;
    return out;
  }

  // The test files are read at the same time: whoever trains wants them next.
  Split load_train() override {
    find();
    test_ = std::async(std::launch::async, [this] { return read_split(2); });
    return read_split(0);
  }

  Split load_test() override {
    find();
    return test_.valid() ? test_.get() : read_split(2);
  }

 private:
  Tensor read_images(size_t file) const {
    const auto bytes = std::make_shared<std::string>(read(file));
    const std::vector<int64_t> shape = {file == 0 ? set_.train : set_.test, set_.side, set_.side};
    char* data = bytes->data() + bytes->size() - c10::multiply_integers(shape);
    const Tensor images = at::from_blob(
        data, shape, [bytes](void*) {}, at::kByte);  // no copy: the bytes live with it
    return (set_.is_transposed ? images.transpose(1, 2).contiguous() : images).unsqueeze(1);
  }

  Tensor read_labels(size_t file) const {
    std::string bytes = read(file);
    const int64_t images = file == 1 ? set_.train : set_.test;
    if (static_cast<IdxType>(bytes[2]) == IdxType::kInt) {
      const std::vector<int64_t> all =
          idx_ints(parse_idx(bytes, path_of(file).string(), IdxType::kInt));
      return at::tensor(all, at::kLong).view({images, -1}).select(1, 0).clone();
    }
    const Tensor labels =
        at::from_blob(bytes.data() + bytes.size() - images, {images}, at::kByte).to(at::kLong);
    return set_.first_label == 0 ? labels : labels - set_.first_label;
  }

  Split read_split(size_t images) const {
    return {read_images(images), {read_labels(images + 1)}, {}, {}};
  }

  KnownIdxSet set_;
  std::future<Split> test_;
};

}  // namespace vitrine
