#include "framework/training/pack.h"

#include <ATen/ops/arange.h>
#include <fmt/format.h>

#include "framework/data/batches.h"
#include "framework/data/splits.h"
#include "framework/error.h"
#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/files/temporary_file.h"
#include "framework/training/setup.h"

namespace vitrine {
namespace {

// One set of the file: its images as a run has them, and its labels.
struct PackedSet {
  std::string name;
  Split split;
};

std::string_view bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

// Of the labels of a set, by the name that its tensor has in the file. Numbers of classes are I64,
// all others F32, those of several labels BOOL.
std::map<std::string, Tensor> labels_of(const PackedSet& set,
                                        const std::vector<LabelColumn>& columns) {
  std::map<std::string, Tensor> out;
  for (size_t i = 0; i < set.split.labels.size(); ++i) {
    const std::string column = columns[i].name == kLabel ? "" : "/" + columns[i].name;
    Tensor labels = set.split.labels[i].cpu().contiguous();
    if (columns[i].kind == LabelColumn::Kind::kLabels) labels = labels.to(at::kByte);
    out[set.name + "/labels" + column] = labels;
  }
  return out;
}

DType type_of(const Tensor& labels) {
  return labels.scalar_type() == at::kLong   ? DType::kI64
         : labels.scalar_type() == at::kByte ? DType::kBool
                                             : DType::kF32;
}

// {"label": ["cat", "dog"]}: what the numbers are called.
std::string names_of(const std::vector<LabelColumn>& columns) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const LabelColumn& column : columns) out[column.name] = column.names;
  return out.dump();
}

class Packer {
 public:
  Packer(const DatasetInfo& info, const Preparation& preparation, std::vector<PackedSet> sets,
         Observer& observer)
      : info_(info), preparation_(preparation), sets_(std::move(sets)), observer_(observer) {
    preparation_.transforms.clear();
    for (const PackedSet& set : sets_) {
      for (auto& [name, labels] : labels_of(set, info_.columns)) labels_[name] = std::move(labels);
    }
  }

  void write(const std::filesystem::path& place) {
    std::vector<TensorView> tensors = listed();
    remove_forgotten(place);  // what was left by one that was killed may be as large
    TemporaryFile file(place);
    file.write(safetensors_start(tensors, {{kNames, names_of(info_.columns)}}));
    for (const TensorView& tensor : tensors) {
      if (const auto labels = labels_.find(tensor.name); labels != labels_.end()) {
        file.write(bytes_of(labels->second));
      } else {
        write_images(set_of(tensor.name), file);
      }
    }
    file.commit();
  }

 private:
  static constexpr const char* kNames = "names";

  std::vector<TensorView> listed() const {
    std::vector<TensorView> out;
    for (const PackedSet& set : sets_) {
      out.push_back({set.name + "/images",
                     DType::kU8,
                     {set.split.size(), info_.channels, info_.height, info_.width},
                     {}});
    }
    for (const auto& [name, labels] : labels_)
      out.push_back({name, type_of(labels), labels.sizes().vec(), {}});
    return out;
  }

  const Split& set_of(const std::string& images) const {
    return std::find_if(sets_.begin(), sets_.end(),
                        [&](const PackedSet& set) { return images == set.name + "/images"; })
        ->split;
  }

  void write_images(const Split& split, TemporaryFile& file) {
    constexpr int64_t kAtOnce = 256;
    const Batches images(split, preparation_, at::kCPU, 0, false);
    for (int64_t first = 0; first < split.size(); first += kAtOnce) {
      if (const ExitCode code = observer_.stop_requested(); code != ExitCode::kDone)
        throw Error(code, "stopped before all images were packed; nothing was written");
      const int64_t count = std::min(kAtOnce, split.size() - first);
      file.write(bytes_of(images.pixels(at::arange(first, first + count)).contiguous()));
    }
  }

  DatasetInfo info_;
  Preparation preparation_;
  std::vector<PackedSet> sets_;
  std::map<std::string, Tensor> labels_;
  Observer& observer_;
};

}  // namespace

void pack(const Config& config, const std::filesystem::path& file, Observer& observer) {
  DataContext context = data_context(config, observer);
  context.streams = true;
  const auto dataset = config.dataset.create(context);
  const DatasetOptions& options = config.dataset_options();
  const DatasetInfo info = info_of(config.dataset);
  const LoadedSplits loaded = load_splits(*dataset, {});
  Splits splits = make_splits(loaded.train, loaded.test, options, loaded.validation);
  std::vector<PackedSet> sets = {{"train", splits.train}, {"test", splits.test}};
  if (splits.validation) sets.push_back({"validation", *splits.validation});
  Packer(info, preparation_of(config, info), std::move(sets), observer).write(file);
  observer.message(
      fmt::format("wrote {}: {} images of {} x {} x {} to train, {} to validate, {} to "
                  "test; dataset: {{type: arrays, path: {}}} reads it",
                  escape(file.string()), splits.train.size(), info.channels, info.height,
                  info.width, splits.validation ? splits.validation->size() : 0, splits.test.size(),
                  escape(file.string())));
}

}  // namespace vitrine
