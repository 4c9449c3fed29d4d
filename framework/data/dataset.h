#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/units.h"
#include "framework/data/transform.h"
#include "framework/registry/registry.h"
#include "framework/tensor.h"

namespace vitrine {

// What is known of a data set without reading its pixels.
struct DatasetInfo {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<std::string> class_names;
  int64_t train = 0, test = 0;  // images, before limits and the validation split

  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

// One split of a data set. `images` holds uint8 [N, C, H, W]; a data set that does not fit leaves
// it undefined and gives `read`, which returns the images of some indices (int64 [B]) as uint8 [B,
// C, H, W].
struct Split {
  Tensor images;
  Tensor labels;  // int64 [N], each in [0, classes)
  std::function<Tensor(const Tensor& indices)> read;

  int64_t size() const { return labels.size(0); }
};

// The options that every data set has; a data set's own options derive from it and call its visit
// first.
struct DatasetOptions {
  Amount validation;
  int64_t split_seed = 0;
  std::optional<int64_t> limit_train, limit_test;
  std::vector<Choice<Transform>> transforms;

  void visit(Fields& field);
};

// What a data set may use while it loads.
struct DataContext {
  std::function<void(const std::string& message)> tell = [](const std::string&) {};
  std::function<void(uint64_t received, uint64_t total)> download_progress;
  std::function<bool()> cancelled = [] { return false; };
};

class Dataset {
 public:
  static constexpr const char* kKind = "dataset";
  using Context = DataContext;
  using RequiredOptions = DatasetOptions;

  virtual ~Dataset() = default;
  // Throws Error(kData) where even this needs files that are missing or corrupt.
  virtual DatasetInfo info() const = 0;
  // Throws Error(kData): missing (with what was tried and how to go on), corrupt, labels beyond the
  // classes.
  virtual Split load_train() = 0;
  virtual Split load_test() = 0;
  // SHA-256 over the loaded splits' contents, in hex; equal data give equal fingerprints.
  virtual std::string fingerprint() = 0;
};

// SHA-256 over shapes, images and labels of both splits, for data sets that have no digest of their
// own.
std::string fingerprint_of(const Split& train, const Split& test);
// The fingerprint of one split.
std::string fingerprint_of(const Split& split);
// Throws Error(kData) naming the first label outside [0, classes): "<source>: label 12 of <what> 37
// is beyond the 10 classes". `what` is "training image" or "test image"; `source` may be empty.
void check_labels(const Split& split, int64_t classes, const std::string& what,
                  const std::string& source = "");

}  // namespace vitrine
