#include "framework/data/dataset.h"

#include <ATen/ops/arange.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/error.h"
#include "framework/files/sha256.h"

namespace vitrine {
namespace {

constexpr int64_t kChunk = 4096;  // images hashed at a time

void add_bytes(Sha256& hash, const Tensor& tensor) {
  const Tensor plain = tensor.cpu().contiguous();
  hash.update({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
}

void add_split(Sha256& hash, const Split& split) {
  for (int64_t first = 0; first < split.size(); first += kChunk) {
    const int64_t count = std::min(kChunk, split.size() - first);
    const Tensor images = split.images.defined() ? split.images.narrow(0, first, count)
                                                 : split.read(at::arange(first, first + count));
    if (first == 0) {
      hash.update(fmt::format("{} images of [{}]\n", split.size(),
                              fmt::join(images.sizes().slice(1), ", ")));
    }
    add_bytes(hash, images);
  }
  add_bytes(hash, split.labels);
}

}  // namespace

void DatasetOptions::visit(Fields& field) {
  field("validation", validation,
        "how many training images are kept apart to choose the best epoch by; each class its share")
      .words({"val", "valid", "dev", "val_split", "val_size", "validation_split"});
  field("split_seed", split_seed, "seed of that choice; `seed` does not change it", at_least(0))
      .words({"validation_seed"});
  field("limit_train", limit_train, "only the first so many training images", at_least(1))
      .words({"max_train", "subset", "max_train_samples"});
  field("limit_test", limit_test, "only the first so many test images", at_least(1))
      .words({"max_test", "max_test_samples"});
  field("transforms", transforms,
        "what is done to the images, in order; random ones only in training")
      .words({"augment", "augmentation", "augmentations", "preprocessing"});
}

std::string fingerprint_of(const Split& train, const Split& test) {
  Sha256 hash;
  add_split(hash, train);
  add_split(hash, test);
  return hash.hex();
}

std::string fingerprint_of(const Split& split) {
  Sha256 hash;
  add_split(hash, split);
  return hash.hex();
}

void check_labels(const Split& split, int64_t classes, const std::string& what,
                  const std::string& source) {
  const Tensor wrong = split.labels.lt(0).logical_or(split.labels.ge(classes)).nonzero();
  if (wrong.size(0) == 0) return;
  const int64_t index = wrong[0][0].item<int64_t>();
  const int64_t label = split.labels[index].item<int64_t>();
  throw Error(ExitCode::kData,
              fmt::format("{}label {} of {} {} is {}", source.empty() ? "" : escape(source) + ": ",
                          label, what, index,
                          label < 0 ? "below 0" : fmt::format("beyond the {} classes", classes)));
}

}  // namespace vitrine
