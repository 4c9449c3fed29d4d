#include "framework/data/dataset.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/data/contents.h"
#include "framework/error.h"
#include "framework/files/sha256.h"

namespace vitrine {
namespace {

constexpr int64_t kChunk = 4096;  // images hashed at a time

void add_bytes(Sha256& hash, const Tensor& tensor) {
  const Tensor plain = tensor.cpu().contiguous();
  hash.update({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
}

// The same images, told of as they are read.
class ToldSource : public ImageSource {
 public:
  ToldSource(std::shared_ptr<const ImageSource> source, const ImagesRead& tell)
      : source_(std::move(source)), tell_(tell) {}

  int64_t size() const override { return source_->size(); }
  std::string path(int64_t number) const override { return source_->path(number); }
  std::string name(int64_t number) const override { return source_->name(number); }
  uint64_t stored_bytes(int64_t number) const override { return source_->stored_bytes(number); }
  void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const override {
    source_->add_to(digest, numbers);
  }
  Image read(int64_t number) const override {
    tell_(read_++);
    return source_->read(number);
  }
  std::string contents(int64_t number) const override {
    tell_(read_++);
    return source_->contents(number);
  }

 private:
  std::shared_ptr<const ImageSource> source_;
  const ImagesRead& tell_;
  mutable int64_t read_ = 0;
};

// Held images, a chunk at a time.
void add_images(Sha256& hash, const Split& split, bool are_all, const ImagesRead& tell) {
  hash.update(fmt::format("{} images of [{}]\n", split.size(),
                          fmt::join(split.images.sizes().slice(1), ", ")));
  const int64_t bytes = c10::multiply_integers(split.images.sizes().slice(1));
  const std::vector<int64_t> some = looked_at(split.size(), bytes);
  const bool takes_all = are_all || std::ssize(some) == split.size();
  const Tensor numbers = takes_all ? at::arange(split.size()) : at::tensor(some, at::kLong);
  for (int64_t first = 0; first < numbers.size(0); first += kChunk) {
    const int64_t count = std::min(kChunk, numbers.size(0) - first);
    tell(first);
    if (takes_all && !split.rows.defined()) {
      add_bytes(hash, split.images.narrow(0, first, count));
      continue;
    }
    const Tensor rows = split.rows_of(numbers.narrow(0, first, count));
    add_bytes(hash, split.images.index_select(0, rows.to(split.images.device())));
  }
}

void add_split(
    Sha256& hash, const Split& split, bool are_all = false,
    const ImagesRead& tell = [](int64_t) {}) {
  if (split.images.defined()) {
    add_images(hash, split, are_all, tell);
  } else {
    const Tensor rows = split.rows_of(at::arange(split.size())).contiguous();
    const int64_t* first = rows.const_data_ptr<int64_t>();
    const std::vector<int64_t> numbers(first, first + rows.numel());
    are_all ? ToldSource(split.source, tell).add_contents(hash, numbers)
            : split.source->add_to(hash, numbers);
  }
  for (const Tensor& labels : split.labels) {
    if (labels.dim() > 1)
      hash.update(fmt::format("labels of [{}]\n", fmt::join(labels.sizes(), ", ")));
    add_bytes(hash, labels);
  }
}

// The number of the first image for which `wrong` [N] or [N, K] holds; -1 where there is none.
int64_t first_of(const Tensor& wrong) {
  const Tensor found = wrong.nonzero();
  return found.size(0) == 0 ? -1 : found[0][0].item<int64_t>();
}

// What is wrong with a column, and of which image; empty where nothing is.
struct WrongLabel {
  int64_t index = -1;
  std::string label, why;  // "label 12", "is beyond the 10 classes"
};

WrongLabel wrong_class(const Tensor& labels, int64_t classes, const LabelUse& use) {
  Tensor wrong = labels.lt(0).logical_or(labels.ge(classes));
  if (use.ignored) wrong = wrong.logical_and(labels.ne(*use.ignored));
  const int64_t index = first_of(wrong);
  if (index < 0) return {};
  const int64_t label = labels[index].item<int64_t>();
  return {index, fmt::format("label {}", label),
          label < 0 ? "is below 0" : fmt::format("is beyond the {} classes", classes)};
}

WrongLabel wrong_number(const Tensor& labels, bool is_distribution) {
  if (const int64_t index = first_of(labels.isfinite().logical_not()); index >= 0)
    return {index, "a value", "is no finite number"};
  if (!is_distribution) return {};
  constexpr double kRounding = 1e-3;
  const Tensor wrong =
      labels.lt(0).any(1).logical_or((labels.to(at::kDouble).sum(1) - 1).abs().gt(kRounding));
  const int64_t index = first_of(wrong);
  if (index < 0) return {};
  return {index, "the values",
          fmt::format("sum to {:.6g}, and a task takes them for shares of classes: none may be "
                      "below 0, and their sum must be 1",
                      labels[index].to(at::kDouble).sum().item<double>())};
}

WrongLabel wrong_in(const Tensor& labels, const LabelColumn& column, const LabelUse& use) {
  if (column.kind == LabelColumn::Kind::kClasses) return wrong_class(labels, column.size(), use);
  if (column.kind == LabelColumn::Kind::kValues) return wrong_number(labels, use.is_distribution);
  const int64_t index = first_of(labels.ne(0).logical_and(labels.ne(1)));
  return index < 0 ? WrongLabel() : WrongLabel{index, "a label", "is neither 0 nor 1"};
}

}  // namespace

void Background::read(const Node& node, const std::string& path, Problems& problems) {
  Fields fields;
  fields("text", text, "");
  const size_t before = problems.size();
  fields.list()[0].value->read(node, path, problems);
  if (problems.size() > before || parse_colour(text)) return;
  problems.add(node.location, fmt::format("{}: \"{}\" is no colour", path, escape(text)),
               fmt::format("taken is {}", kColourWords));
}

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
  field("size", size, "height and width that all images are given; null: those that they have",
        between(1, 4096))
      .words({"image_size", "img_size", "resolution", "resize_to"});
  field("resize", resize,
        "how an image of another shape is given them: stretch, each axis by itself; crop, what is "
        "beyond the shorter side cut off; pad, whole, on the background",
        one_of(resize_words()))
      .words({"resize_mode", "fit", "interpolation"});
  field("crop_ratio", crop_ratio,
        "of resize: crop: the share of each side that is kept of an image that was scaled to fill "
        "more: 0.875 scales the shorter side to 256 and cuts 224 from the middle",
        between(0.1, 1.0))
      .words({"crop_pct", "crop_percentage", "center_crop"});
  field("background", background,
        "what is seen through transparent pixels, and around a padded image")
      .words({"fill", "background_color"});
  field("memory", memory,
        "resident: all images are held in memory; stream: they are read as they are wanted, the "
        "same ones; auto: held where they take at most half of the memory that is left",
        one_of({"auto", kResident, kStream}))
      .is(Role::kExecution)
      .words({"streaming", "in_memory", "cache", "lazy", "preload"});
  field("verify", verify,
        "what tells that data are the same as a run goes on: quick: sizes, labels, and of what is "
        "large some images; full: all that is in them too, for which everything is read",
        one_of({"quick", kFull}))
      .is(Role::kExecution)
      .words({"checksum", "hash", "fingerprint"});
  field("transforms", transforms,
        "what is done to the images, in order; random ones only in training")
      .words({"augment", "augmentation", "augmentations", "preprocessing"});
}

Tensor Split::rows_of(const Tensor& numbers) const {
  return rows.defined() ? rows.index_select(0, numbers) : numbers;
}

std::string Split::path_of(int64_t number) const {
  const auto& files = source ? source : origin;
  return files ? files->path(rows.defined() ? rows[number].item<int64_t>() : number) : "";
}

std::string fingerprint_of(const Split& train, const Split& test,
                           const std::optional<Split>& validation) {
  Sha256 hash;
  add_split(hash, train);
  if (validation) add_split(hash, *validation);
  add_split(hash, test);
  return hash.hex();
}

std::string contents_fingerprint(const Split& train, const Split& test,
                                 const std::optional<Split>& validation) {
  return contents_fingerprint(train, test, validation, [](int64_t) {});
}

std::string contents_fingerprint(const Split& train, const Split& test,
                                 const std::optional<Split>& validation, const ImagesRead& tell) {
  Sha256 hash;
  int64_t before = 0;
  const auto add = [&](const Split& split) {
    add_split(hash, split, true, [&](int64_t images) { tell(before + images); });
    before += split.size();
  };
  add(train);
  if (validation) add(*validation);
  add(test);
  return hash.hex();
}

std::string fingerprint_of(const Split& split) {
  Sha256 hash;
  add_split(hash, split);
  return hash.hex();
}

std::string label_text(const Tensor& labels, int64_t index, const LabelColumn& column) {
  if (column.kind == LabelColumn::Kind::kClasses) {
    const int64_t label = labels[index].item<int64_t>();
    const bool is_class = label >= 0 && label < column.size();
    return is_class ? column.names[static_cast<size_t>(label)] : std::to_string(label);
  }
  std::vector<std::string> words;
  for (int64_t i = 0; i < column.size(); ++i) {
    const float number = labels[index][i].item<float>();
    if (column.kind == LabelColumn::Kind::kValues) words.push_back(fmt::format("{:.4g}", number));
    if (column.kind == LabelColumn::Kind::kLabels && number > 0)
      words.push_back(column.names[static_cast<size_t>(i)]);
  }
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

void check_labels(const Split& split, const std::vector<LabelColumn>& columns,
                  const std::string& what, const std::string& source,
                  const std::optional<LabelUses>& uses) {
  if (split.labels.empty()) return;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i].name;
    if (uses && !uses->contains(name)) continue;
    const WrongLabel wrong =
        wrong_in(split.labels.at(i), columns[i], uses ? uses->at(name) : LabelUse());
    if (wrong.index < 0) continue;
    const std::string where = name == kLabel ? "" : fmt::format(" in the column {}", escape(name));
    throw Error(ExitCode::kData,
                fmt::format("{}{} of {} {}{} {}", source.empty() ? "" : escape(source) + ": ",
                            wrong.label, what, wrong.index, where, wrong.why));
  }
}

}  // namespace vitrine
