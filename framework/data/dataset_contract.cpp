#include <fmt/format.h>

#include "framework/data/dataset.h"
#include "framework/data/tensor_words.h"
#include "framework/error.h"

// What is asked of a data set, by whoever wrote it.
namespace vitrine {
namespace {

// One call of a data set: what goes wrong in it is told of it.
class Call {
 public:
  Call(const Dataset& dataset, const char* phase) : dataset_(dataset), phase_(phase) {}

  template <class Act>
  decltype(auto) operator()(Act&& act) const {
    return in_component(dataset_.component(), phase_, std::forward<Act>(act));
  }
  void require(bool is_kept, const std::string& message) const {
    if (is_kept) return;
    if (dataset_.component()) fail(*dataset_.component(), phase_, message);
    throw Error(ExitCode::kInternal, fmt::format("{}: {}", phase_, message));
  }

 private:
  const Dataset& dataset_;
  const char* phase_;
};

void require_pixels(const Call& call, const Tensor& images, int64_t count,
                    const DatasetInfo& info) {
  const std::vector<int64_t> wanted = {count, info.channels, info.height, info.width};
  call.require(images.defined() && images.scalar_type() == at::kByte && images.sizes() == wanted,
               fmt::format("the images are {}: they must be {}, as info says",
                           type_and_shape(images), type_and_shape(at::kByte, wanted)));
}

void require_labels(const Call& call, const Split& split, int64_t count,
                    const std::vector<LabelColumn>& columns) {
  call.require(split.labels.size() == columns.size(),
               fmt::format("there are labels of {} columns: info tells {}", split.labels.size(),
                           columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const LabelColumn& column = columns[i];
    const bool has_classes = column.kind == LabelColumn::Kind::kClasses;
    std::vector<int64_t> wanted = {count};
    if (!has_classes) wanted.push_back(column.size());
    const at::ScalarType type = has_classes ? at::kLong : at::kFloat;
    const Tensor& labels = split.labels[i];
    call.require(labels.defined() && labels.scalar_type() == type && labels.sizes() == wanted,
                 fmt::format("the labels of the column {} are {}: they must be {}", column.name,
                             type_and_shape(labels), type_and_shape(type, wanted)));
  }
}

// What a data set reads later is its own doing as well.
class GuardedSource : public ImageSource {
 public:
  GuardedSource(const Component* component, int64_t channels,
                std::shared_ptr<const ImageSource> source)
      : component_(component), channels_(channels), source_(std::move(source)) {}

  int64_t size() const override { return source_->size(); }
  std::string path(int64_t number) const override { return source_->path(number); }
  std::string name(int64_t number) const override { return source_->name(number); }
  uint64_t stored_bytes(int64_t number) const override { return source_->stored_bytes(number); }
  std::string contents(int64_t number) const override {
    return in_component(component_, "contents", [&] { return source_->contents(number); });
  }
  void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const override {
    in_component(component_, "add_to", [&] { source_->add_to(digest, numbers); });
  }
  void add_contents(Sha256& digest, const std::vector<int64_t>& numbers) const override {
    in_component(component_, "add_contents", [&] { source_->add_contents(digest, numbers); });
  }
  Image read(int64_t number) const override {
    return in_component(component_, "read", [&] {
      Image image = source_->read(number);
      const bool is_whole = image.height > 0 && image.width > 0 && image.channels == channels_ &&
                            std::ssize(image.pixels) == image.height * image.width * channels_;
      if (!is_whole && component_) {
        fail(*component_, "read",
             fmt::format("{} has {} x {} pixels of {} channels in {} bytes: info tells {} channels",
                         source_->name(number), image.width, image.height, image.channels,
                         image.pixels.size(), channels_));
      }
      return image;
    });
  }

 private:
  const Component* component_;
  int64_t channels_;
  std::shared_ptr<const ImageSource> source_;
};

Split checked(const Dataset& dataset, const Call& call, Split split, int64_t count,
              const DatasetInfo& info, bool has_labels = true) {
  call.require(split.images.defined() != (split.source != nullptr),
               "it must give either images or a source that reads them");
  call.require(!split.rows.defined(), "it gives rows: all images of a split are taken");
  call.require(split.size() == count,
               fmt::format("there are {} images: info tells {}", split.size(), count));
  if (split.images.defined()) require_pixels(call, split.images, count, info);
  require_labels(call, split, count, has_labels ? info.columns : std::vector<LabelColumn>());
  if (split.source && dataset.component()) {
    split.source =
        std::make_shared<GuardedSource>(dataset.component(), info.channels, split.source);
  }
  return split;
}

}  // namespace

DatasetInfo info_of(const Dataset& dataset) {
  const Call call(dataset, "info");
  return call([&] {
    DatasetInfo info = dataset.info();
    call.require(info.channels > 0 && info.height > 0 && info.width > 0,
                 fmt::format("images of {} x {} x {}: channels, height and width must be above 0",
                             info.channels, info.height, info.width));
    call.require(info.train >= 0 && info.test >= 0 && info.validation >= 0,
                 fmt::format("{} training, {} validation and {} test images", info.train,
                             info.validation, info.test));
    for (const LabelColumn& column : info.columns) {
      call.require(
          !column.name.empty() && !column.names.empty(),
          fmt::format("the column \"{}\" of labels needs a name, and names of its classes, "
                      "labels or values",
                      column.name));
    }
    return info;
  });
}

DatasetInfo info_of(const Choice<Dataset>& choice) {
  DatasetInfo out = info_of(*choice.create({}));
  const auto& size = choice.options<DatasetOptions>().size;
  if (size) out.height = out.width = *size;
  return out;
}

LoadedSplits load_splits(Dataset& dataset, const std::optional<LabelUses>& uses) {
  const DatasetInfo info = info_of(dataset);
  LoadedSplits out;
  const Call train(dataset, "load_train"), test(dataset, "load_test"),
      validation(dataset, "load_validation");
  out.train =
      train([&] { return checked(dataset, train, dataset.load_train(), info.train, info); });
  out.test = test([&] {
    return checked(dataset, test, dataset.load_test(), info.test, info, info.test_has_labels);
  });
  if (info.validation > 0) {
    out.validation = validation([&] {
      return checked(dataset, validation, dataset.load_validation(), info.validation, info);
    });
    check_labels(*out.validation, info.columns, "validation image", dataset.type(), uses);
  }
  check_labels(out.train, info.columns, "training image", dataset.type(), uses);
  check_labels(out.test, info.columns, "test image", dataset.type(), uses);
  const Call fingerprint(dataset, "fingerprint");
  out.fingerprint = fingerprint([&] { return dataset.fingerprint(); });
  if (out.fingerprint.empty())
    out.fingerprint = fingerprint_of(out.train, out.test, out.validation);
  const bool is_digest = out.fingerprint.size() == 64 &&
                         out.fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos;
  fingerprint.require(is_digest, fmt::format("\"{}\" is no SHA-256 in 64 hexadecimal digits",
                                             escape(out.fingerprint)));
  return out;
}

Split load_test_split(Dataset& dataset) {
  const DatasetInfo info = info_of(dataset);
  const Call test(dataset, "load_test");
  return test([&] {
    return checked(dataset, test, dataset.load_test(), info.test, info, info.test_has_labels);
  });
}

}  // namespace vitrine
