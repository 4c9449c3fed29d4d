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

void require_labels(const Call& call, const Split& split, int64_t count, const DatasetInfo& info) {
  call.require(split.labels.size() == info.columns.size(),
               fmt::format("there are labels of {} columns: info tells {}", split.labels.size(),
                           info.columns.size()));
  for (size_t i = 0; i < info.columns.size(); ++i) {
    const LabelColumn& column = info.columns[i];
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

// What is read batch by batch is looked at as it comes.
void guard_reading(const Dataset& dataset, const DatasetInfo& info, Split& split) {
  if (split.images.defined() || !dataset.component()) return;
  split.read = [component = dataset.component(), info,
                read = std::move(split.read)](const Tensor& indices) {
    return in_component(component, "read", [&] {
      Tensor images = read(indices);
      const std::vector<int64_t> wanted = {indices.size(0), info.channels, info.height, info.width};
      const bool is_kept =
          images.defined() && images.scalar_type() == at::kByte && images.sizes() == wanted;
      if (!is_kept) {
        fail(*component, "read",
             fmt::format("the images are {}: they must be {}", type_and_shape(images),
                         type_and_shape(at::kByte, wanted)));
      }
      return images;
    });
  };
}

Split checked(const Dataset& dataset, const Call& call, Split split, int64_t count,
              const DatasetInfo& info) {
  call.require(split.images.defined() || split.read != nullptr,
               "it gives neither images nor a function that reads them");
  call.require(split.size() == count,
               fmt::format("there are {} images: info tells {}", split.size(), count));
  if (split.images.defined()) require_pixels(call, split.images, count, info);
  require_labels(call, split, count, info);
  guard_reading(dataset, info, split);
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
    call.require(info.train >= 0 && info.test >= 0,
                 fmt::format("{} training and {} test images", info.train, info.test));
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

LoadedSplits load_splits(Dataset& dataset, const std::optional<LabelUses>& uses) {
  const DatasetInfo info = info_of(dataset);
  LoadedSplits out;
  const Call train(dataset, "load_train"), test(dataset, "load_test");
  out.train =
      train([&] { return checked(dataset, train, dataset.load_train(), info.train, info); });
  out.test = test([&] { return checked(dataset, test, dataset.load_test(), info.test, info); });
  check_labels(out.train, info.columns, "training image", dataset.type(), uses);
  check_labels(out.test, info.columns, "test image", dataset.type(), uses);
  const Call fingerprint(dataset, "fingerprint");
  out.fingerprint = fingerprint([&] { return dataset.fingerprint(); });
  const bool is_digest = out.fingerprint.size() == 64 &&
                         out.fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos;
  fingerprint.require(is_digest, fmt::format("\"{}\" is no SHA-256 in 64 hexadecimal digits",
                                             escape(out.fingerprint)));
  return out;
}

Split load_test_split(Dataset& dataset) {
  const DatasetInfo info = info_of(dataset);
  const Call test(dataset, "load_test");
  return test([&] { return checked(dataset, test, dataset.load_test(), info.test, info); });
}

}  // namespace vitrine
