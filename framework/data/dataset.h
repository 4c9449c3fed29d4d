#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/units.h"
#include "framework/data/label_column.h"
#include "framework/data/transform.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/tensor.h"

namespace vitrine {

// What is known of a data set without reading its pixels.
struct DatasetInfo {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<LabelColumn> columns;  // of labels; none where there are images alone
  int64_t train = 0, test = 0;       // images, before limits and the validation split

  // Of the first column; 0 where it has none.
  int64_t classes() const {
    const bool has = !columns.empty() && columns[0].kind == LabelColumn::Kind::kClasses;
    return has ? columns[0].size() : 0;
  }
};

// One split of a data set. `images` holds uint8 [N, C, H, W]; a data set that does not fit leaves
// it undefined and gives `read`, which returns the images of some indices (int64 [B]) as uint8 [B,
// C, H, W].
struct Split {
  Tensor images;
  std::vector<Tensor> labels;  // of each column, as LabelColumn::Kind says
  std::function<Tensor(const Tensor& indices)> read;
  int64_t count = 0;  // of the images, where they are read and have no labels

  int64_t size() const {
    return !labels.empty() ? labels[0].size(0) : images.defined() ? images.size(0) : count;
  }
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
  std::function<void(uint64_t received, uint64_t total)> download_progress = [](uint64_t,
                                                                                uint64_t) {};
  std::function<bool()> cancelled = [] { return false; };
  std::optional<LabelUses> uses;  // of the columns that are read; where it is not told, all are
};

class Dataset : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "dataset";
  using Context = DataContext;
  using RequiredOptions = DatasetOptions;

  // Throws Error(kData) where even this needs files that are missing or corrupt.
  virtual DatasetInfo info() const = 0;
  // Throws Error(kData): missing (with what was tried and how to go on), corrupt, labels that
  // check_labels refuses.
  virtual Split load_train() = 0;
  virtual Split load_test() = 0;
  // SHA-256 over the loaded splits' contents, in hex; equal data give equal fingerprints.
  virtual std::string fingerprint() = 0;
};

// What a data set tells and gives. Each throws an error that names the component where that is not
// as it must be, or not as it told.
DatasetInfo info_of(const Dataset& dataset);
struct LoadedSplits {
  Split train, test;
  std::string fingerprint;
};
LoadedSplits load_splits(Dataset& dataset, const std::optional<LabelUses>& uses);
Split load_test_split(Dataset& dataset);

// SHA-256 over shapes, images and labels of both splits, for data sets that have no digest of their
// own.
std::string fingerprint_of(const Split& train, const Split& test);
// The fingerprint of one split.
std::string fingerprint_of(const Split& split);
// A label of a column in words: a class's name, "cat, dog", "4.25, 1".
std::string label_text(const Tensor& labels, int64_t index, const LabelColumn& column);
// Throws Error(kData) naming the first label that is not what its column says: "<source>: label 12
// of <what> 37 is beyond the 10 classes". `what` is "training image" or "test image"; `source` may
// be empty. Of columns that are not used anything may be there.
void check_labels(const Split& split, const std::vector<LabelColumn>& columns,
                  const std::string& what, const std::string& source = "",
                  const std::optional<LabelUses>& uses = {});

}  // namespace vitrine
