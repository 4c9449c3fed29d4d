#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/units.h"
#include "framework/data/image_source.h"
#include "framework/data/label_column.h"
#include "framework/data/transform.h"
#include "framework/images/resize.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/tensor.h"

namespace vitrine {

// What is known of a data set without reading its pixels.
struct DatasetInfo {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<LabelColumn> columns;  // of labels; none where there are images alone
  int64_t train = 0, test = 0;       // images, before limits and the validation split
  int64_t validation = 0;            // of a split of its own; 0 where it has none
  bool draws_split = false;          // split_seed decides more than the validation split
  bool can_stream = false;      // images are read one by one, where DataContext::streams says so
  bool test_has_labels = true;  // of all columns; else of none, and its answers are not known
  bool flips_change_classes = false;  // a flipped image is not of its class, as a flipped 2 is no 2

  // Of the first column; 0 where it has none.
  int64_t classes() const {
    const bool has = !columns.empty() && columns[0].kind == LabelColumn::Kind::kClasses;
    return has ? columns[0].size() : 0;
  }
  TransformContext for_transforms() const {
    return {.channels = channels,
            .height = height,
            .width = width,
            .flips_change_classes = flips_change_classes};
  }
};

// One split of a data set: its images, held or read one by one, and their labels.
struct Split {
  Tensor images;                    // uint8 [N, C, H, W]; undefined where there is a source
  std::vector<Tensor> labels = {};  // of each column, as LabelColumn::Kind says, or none
  std::shared_ptr<const ImageSource> source = {};
  Tensor rows = {};  // int64: which of those images it has, in this order; undefined where all
  std::shared_ptr<const ImageSource> origin = {};  // from which held images were read, if from one

  int64_t stored() const {  // images that are held or can be read, with those of no row
    return images.defined() ? images.size(0) : source ? source->size() : 0;
  }
  int64_t size() const { return rows.defined() ? rows.size(0) : stored(); }
  // int64 [B]: where the images of some numbers in the split are among all that are stored.
  Tensor rows_of(const Tensor& numbers) const;
  // The file of an image, by its number in the split; empty where it has none of its own.
  std::string path_of(int64_t number) const;
};

inline constexpr const char* kResident = "resident";
inline constexpr const char* kStream = "stream";
inline constexpr const char* kFull = "full";

// A colour by its name or as #RRGGBB.
struct Background {
  std::string text = "white";

  Colour colour() const { return parse_colour(text).value_or(kWhite); }
  void read(const Node& node, const std::string& path, Problems& problems);
  Node write() const { return Node::string(text); }
  static std::string type() { return kColourWords; }
  static nlohmann::ordered_json schema() { return {{"type", "string"}}; }
};

// The options that every data set has; a data set's own options derive from it and call its visit
// first.
struct DatasetOptions {
  Amount validation;
  int64_t split_seed = 0;
  std::optional<int64_t> limit_train, limit_test;
  std::optional<int64_t> size;
  std::string resize = "stretch";
  double crop_ratio = 1;
  Background background;
  std::string memory = "auto";
  std::string verify = "quick";
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
  bool streams = false;           // images are to be read one by one, where that can be done
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
  // Where info() tells of one.
  virtual Split load_validation() { return {}; }
  // SHA-256 of what was loaded, in hex: equal data give equal fingerprints. Without one the loaded
  // splits are hashed, of many images some.
  virtual std::string fingerprint() { return {}; }
};

// What a data set tells and gives. Each throws an error that names the component where that is not
// as it must be, or not as it told.
DatasetInfo info_of(const Dataset& dataset);
DatasetInfo info_of(const Choice<Dataset>& choice);  // of images as they are given: resized
struct LoadedSplits {
  Split train, test;
  std::optional<Split> validation;
  std::string fingerprint;
};
LoadedSplits load_splits(Dataset& dataset, const std::optional<LabelUses>& uses);
Split load_test_split(Dataset& dataset);

// SHA-256 over shapes, labels and images of all splits (those of looked_at), or what sources tell
// of images.
std::string fingerprint_of(const Split& train, const Split& test,
                           const std::optional<Split>& validation = {});
// The same over all that is in the images.
std::string contents_fingerprint(const Split& train, const Split& test,
                                 const std::optional<Split>& validation);
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
