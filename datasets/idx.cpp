#include "framework/files/idx.h"

#include "datasets/held_arrays.h"
#include "framework/files/gzip.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : HeldOptions {
  Path train_images, train_labels, test_images, test_labels;

  void visit(Fields& field) {
    HeldOptions::visit(field);
    field("train_images", train_images, "IDX file with them, raw or .gz");
    field("train_labels", train_labels, "IDX file with them, raw or .gz");
    field("test_images", test_images, "IDX file with them, raw or .gz");
    field("test_labels", test_labels, "IDX file with them, raw or .gz");
  }
  void check(Check& check) const {
    HeldOptions::check(check);
    if (train_images.empty() || (test_images.empty() && !draws_test())) {
      check.error({},
                  "idx needs train_images, train_labels, test_images and test_labels, a file each; "
                  "test_share stands for those of the test");
    }
  }
};

// The file is read at once: it may be packed, and its header tells little.
NamedArray array_in(const std::string& path) {
  std::string bytes = read_whole(path);
  if (is_gzip(bytes)) bytes = gunzip(bytes, available_memory(), path);
  const bool has_ints = bytes.size() > 2 && bytes[2] == static_cast<char>(IdxType::kInt);
  const auto array =
      std::make_shared<IdxArray>(parse_idx(bytes, path, has_ints ? IdxType::kInt : IdxType::kByte));
  return {path, has_ints ? "int32" : "uint8", array->shape, [array, has_ints] {
            if (has_ints) return at::tensor(idx_ints(*array), at::kLong).view(array->shape);
            return at::from_blob(
                array->bytes.data(), array->shape, [array](void*) {}, at::kByte);
          }};
}

class Idx : public HeldArrays {
 public:
  Idx(const Options& options, const DataContext& context)
      : HeldArrays(options, context), options_(options) {}

 private:
  ArraySets find() const override {
    ArraySets out;
    out.train = set(options_.train_images, options_.train_labels);
    if (!options_.test_images.empty()) out.test = set(options_.test_images, options_.test_labels);
    return out;
  }
  static ArraySets::Set set(const Path& images, const Path& labels) {
    ArraySets::Set out{array_in(images.value), {}};
    if (!labels.empty()) out.labels = array_in(labels.value);
    return out;
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Idx, Options, "images and classes from IDX files, the format of MNIST's")

}  // namespace
}  // namespace vitrine
