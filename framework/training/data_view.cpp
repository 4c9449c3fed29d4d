#include "framework/training/data_view.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/config/load.h"
#include "framework/data/shared_images.h"
#include "framework/draws.h"
#include "framework/error.h"
#include "framework/images/planes.h"
#include "framework/images/resize.h"
#include "framework/training/mix.h"
#include "framework/training/setup.h"

namespace vitrine {
namespace {

using Kind = LabelColumn::Kind;

constexpr int64_t kMostSide = 112;            // pixels of an image that is shown
constexpr uint64_t kSampleSalt = 0x73686f77;  // of what is drawn to be shown
constexpr size_t kMostPairs = 8;
constexpr uint64_t kMostRead = uint64_t{2} << 30;  // bytes, to find images in two splits

// How much is shown of each of so many classes.
struct Amounts {
  size_t classes = 0;
  int64_t stored = 0, draws = 0;
};

Amounts amounts_for(size_t classes) {
  if (classes <= 20) return {classes, 6, 6};
  if (classes <= 100) return {classes, 3, 3};
  return {100, 2, 2};
}

bool is_shown(const DatasetInfo& info) { return info.channels == 1 || info.channels == 3; }

// In a size that a page can hold many of.
Image thumbnail(const Image& image) {
  const int64_t side = std::max(image.width, image.height);
  if (side <= kMostSide) return image;
  const auto scaled = [&](int64_t length) {
    return std::max<int64_t>((length * kMostSide + side / 2) / side, 1);
  };
  return resize(image, scaled(image.width), scaled(image.height));
}

// Of uint8 [C, H, W].
Image image_from(const Tensor& pixels) {
  const Tensor plain = pixels.cpu().contiguous();
  return thumbnail(
      image_of(plain.const_data_ptr<uint8_t>(), plain.size(0), plain.size(1), plain.size(2)));
}

// Makes images of what batches hold: floats are 0..1, unless transforms made them others; then each
// channel is scaled from the least to the largest value that is shown.
class Shown {
 public:
  void add(const Tensor& images, std::vector<ShownImage*> places) {
    batches_.push_back({images.cpu(), std::move(places)});
  }

  // What was done, in words; empty where nothing.
  std::string finish() {
    Tensor least, most;
    for (const auto& [images, places] : batches_) {
      if (!images.is_floating_point() || places.empty()) continue;
      const Tensor low = images.amin({0, 2, 3}), high = images.amax({0, 2, 3});
      least = least.defined() ? at::minimum(least, low) : low;
      most = most.defined() ? at::maximum(most, high) : high;
    }
    constexpr double kRounding = 1e-4;
    const bool fits = !least.defined() || (least.ge(-kRounding).all().item<bool>() &&
                                           most.le(1 + kRounding).all().item<bool>());
    for (auto& [images, places] : batches_) {
      Tensor bytes = images;
      if (images.is_floating_point()) {
        Tensor scaled = images;
        if (!fits) {
          const Tensor range = (most - least).clamp_min(1e-12);
          scaled = (images - least.view({1, -1, 1, 1})) / range.view({1, -1, 1, 1});
        }
        bytes = scaled.nan_to_num(0, 1, 0).clamp(0, 1).mul(255).round().to(at::kByte);
      }
      for (size_t i = 0; i < places.size(); ++i)
        places[i]->image = image_from(bytes[static_cast<int64_t>(i)]);
    }
    if (fits) return "";
    std::vector<std::string> ranges;
    for (int64_t c = 0; c < least.size(0); ++c) {
      ranges.push_back(
          fmt::format("{:.3g} to {:.3g}", least[c].item<double>(), most[c].item<double>()));
    }
    return fmt::format("Values that the transforms make, {}, are shown from black to white",
                       fmt::join(ranges, ", "));
  }

 private:
  struct One {
    Tensor images;
    std::vector<ShownImage*> places;
  };
  std::vector<One> batches_;
};

// Which training images are shown: of each class some, that the seed chooses.
class Sample {
 public:
  Sample(const Tensor& labels, const std::vector<std::string>& names, uint64_t seed)
      : amounts_(amounts_for(names.size())), all_(std::ssize(names)) {
    std::vector<std::vector<int64_t>> all(names.size());
    const Tensor plain = labels.cpu().contiguous();
    for (int64_t i = 0; i < plain.size(0); ++i) {
      const int64_t label = plain.const_data_ptr<int64_t>()[i];
      if (label >= 0 && label < std::ssize(all)) all[static_cast<size_t>(label)].push_back(i);
    }
    // Of many classes those at equal distances.
    for (size_t i = 0; i < amounts_.classes; ++i) {
      const size_t number = i * names.size() / amounts_.classes;
      classes_.push_back({names[number], chosen(std::move(all[number]), seed, number)});
    }
  }

  struct Class {
    std::string name;
    std::vector<int64_t> images;
  };
  const std::vector<Class>& classes() const { return classes_; }
  int64_t draws() const { return amounts_.draws; }
  int64_t all() const { return all_; }

 private:
  std::vector<int64_t> chosen(std::vector<int64_t> images, uint64_t seed, size_t number) const {
    Draws draws(seed, 0, static_cast<int64_t>(number), kSampleSalt);
    const int64_t count = std::min(amounts_.stored, std::ssize(images));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t other = draws.integer(i, std::ssize(images) - 1);
      std::swap(images[static_cast<size_t>(i)], images[static_cast<size_t>(other)]);
    }
    images.resize(static_cast<size_t>(count));
    return images;
  }

  Amounts amounts_;
  int64_t all_;  // classes
  std::vector<Class> classes_;
};

class Looker {
 public:
  Looker(const Config& config, Observer& observer) : config_(config), observer_(observer) {
    // As a run would have them, except that nothing is read that can be left.
    config_.streams = info_of(config.dataset).can_stream;
  }

  std::optional<DataView> look(bool shows) {
    data_ = load_unless_stopped(config_, observer_);
    if (!data_) return std::nullopt;
    list_splits();
    tell_line();
    out_.findings = data_->findings;
    for (size_t i = 0; i < data_->info.columns.size(); ++i) add_column(i);
    SharedSearch found = find_shared(
        splits_, kMostPairs, kMostRead, [&] { return stopped(); },
        [&](int64_t images, int64_t all) { observer_.reading(images, all); });
    out_.shared = std::move(found.shared);
    out_.unread = found.unread;
    if (shows && is_shown(data_->info)) show();
    if (stopped()) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool stopped() const { return observer_.stop_requested() != ExitCode::kDone; }

  void list_splits() {
    const Splits& splits = data_->splits;
    splits_.push_back({"train", splits.train});
    if (splits.validation) splits_.push_back({"validation", *splits.validation});
    splits_.push_back({"test", splits.test});
    for (const NamedSplit& each : splits_) {
      out_.splits.push_back(each.name);
      out_.images.push_back(each.split.size());
    }
  }

  const Batches& batches_of(const std::string& split) const {
    return split == "train" ? *data_->train : split == "test" ? *data_->test : *data_->validation;
  }

  void tell_line() {
    const DatasetInfo& info = data_->info;
    out_.line =
        fmt::format("{}: {} images of {} x {} x {} to train, {} to validate, {} to test{}",
                    config_.dataset.type(), data_->train->size(), info.channels, info.height,
                    info.width, data_->validation ? data_->validation->size() : 0,
                    data_->test->size(), data_->columns.empty() ? "" : "; " + data_->columns);
  }

  void add_column(size_t number) {
    const LabelColumn& column = data_->info.columns[number];
    DataColumn told{column.name, column.names, {}, {}};
    for (const NamedSplit& each : splits_) {
      const Tensor labels = each.split.labels.at(number).cpu();
      if (column.kind == Kind::kValues) {
        std::vector<DataColumn::Range> ranges;
        for (int64_t k = 0; k < column.size(); ++k) {
          const Tensor values = labels.select(1, k).to(at::kDouble);
          ranges.push_back({values.min().item<double>(), values.mean().item<double>(),
                            values.max().item<double>()});
        }
        told.ranges.push_back(std::move(ranges));
        continue;
      }
      std::vector<int64_t> counts(column.names.size());
      if (column.kind == Kind::kLabels) {
        const Tensor sums = labels.gt(0).sum(0);
        for (int64_t k = 0; k < column.size(); ++k)
          counts[static_cast<size_t>(k)] = sums[k].item<int64_t>();
      } else {
        const Tensor plain = labels.contiguous();
        for (int64_t i = 0; i < plain.size(0); ++i) {
          const int64_t label = plain.const_data_ptr<int64_t>()[i];
          if (label >= 0 && label < column.size()) ++counts[static_cast<size_t>(label)];
        }
      }
      told.images.push_back(std::move(counts));
    }
    out_.columns.push_back(std::move(told));
  }

  Sample sample() const {
    const auto seed = static_cast<uint64_t>(config_.seed);
    const std::vector<LabelColumn>& columns = data_->info.columns;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].kind == Kind::kClasses)
        return Sample(data_->splits.train.labels[i], columns[i].names, seed);
    }
    const Tensor all = at::arange(data_->train->size()).mul(0);  // no classes: one of all
    return Sample(all, {"all"}, seed);
  }

  std::string name_of(const std::string& split, int64_t number) const {
    const std::string path = batches_of(split).path_of(number);
    return path.empty() ? fmt::format("{} image {}", split, number) : path;
  }

  void show() {
    for (const auto& transform : config_.dataset_options().transforms)
      out_.drawn.push_back(to_flow_yaml(transform.write()));
    for (const auto& mix : config_.training.mix) out_.mixes.push_back(to_flow_yaml(mix.write()));
    const Sample sample = this->sample();
    out_.all_classes = sample.all();
    out_.classes.resize(sample.classes().size());
    std::vector<int64_t> firsts;  // an image of each class that has some
    for (size_t i = 0; i < sample.classes().size() && !stopped(); ++i) {
      show_class(sample.classes()[i], draws_of(sample), out_.classes[i]);
      if (!sample.classes()[i].images.empty()) firsts.push_back(sample.classes()[i].images[0]);
    }
    if (!config_.training.mix.empty()) show_mixed(firsts);
    for (SharedImages& shared : out_.shared) {
      for (SharedImages::Pair& pair : shared.first) {
        if (!stopped())
          pair.image = image_from(batches_of(shared.split).pixels(at::tensor({pair.number}))[0]);
      }
    }
    if (!stopped()) out_.scaled = shown_.finish();
  }

  // Without transforms there is nothing to draw, and without random ones all draws are the same.
  int64_t draws_of(const Sample& sample) const {
    const auto made =
        make_transforms(config_.dataset_options().transforms, data_->info.for_transforms());
    const bool is_random = std::any_of(made.begin(), made.end(), [](const auto& transform) {
      return told(*transform, "is_random", &Transform::is_random);
    });
    return is_random ? sample.draws() : made.empty() ? 0 : 1;
  }

  void show_class(const Sample::Class& of, int64_t draws, ShownClass& out) {
    out.name = of.name;
    if (of.images.empty()) return;
    const Tensor numbers = at::tensor(at::ArrayRef<int64_t>(of.images));
    const Tensor pixels = data_->train->pixels(numbers);
    for (size_t i = 0; i < of.images.size(); ++i) {
      out.stored.push_back(
          {name_of("train", of.images[i]), image_from(pixels[static_cast<int64_t>(i)])});
    }
    out.augmented.resize(static_cast<size_t>(draws), {out.stored[0].name, {}});
    for (int64_t draw = 0; draw < draws; ++draw) {
      shown_.add(data_->train->gather(numbers.narrow(0, 0, 1), draw).images,
                 {&out.augmented[static_cast<size_t>(draw)]});
    }
  }

  // A few images of different classes, as the first batches of a run would have them.
  void show_mixed(std::vector<int64_t> images) {
    constexpr int64_t kBatches = 3, kImages = 8;
    images.resize(std::min<size_t>(images.size(), kImages));
    if (images.empty()) return;
    const Mixer mixer(config_.training.mix, static_cast<uint64_t>(config_.seed));
    const Tensor numbers = at::tensor(at::ArrayRef<int64_t>(images));
    out_.mixed.resize(kBatches);
    for (int64_t number = 0; number < kBatches && !stopped(); ++number) {
      Batch batch = data_->train->gather(numbers, number);
      mixer.mix(batch, number);
      std::vector<ShownImage>& shown = out_.mixed[static_cast<size_t>(number)];
      std::vector<ShownImage*> places;
      for (int64_t i = 0; i < std::ssize(images); ++i) shown.push_back({mixed_name(batch, i), {}});
      for (ShownImage& each : shown) places.push_back(&each);
      shown_.add(batch.images, std::move(places));
    }
  }

  // "0.63 cat + 0.37 dog"
  std::string mixed_name(const Batch& batch, int64_t i) const {
    const auto label = [&](int64_t image) {
      const auto& columns = data_->info.columns;
      if (columns.empty()) return fmt::format("image {}", image);
      return label_text(batch.labels[0].cpu(), image, columns[0]);
    };
    if (!batch.mixture) return label(i);
    const double share = batch.mixture->shares[i].item<float>();
    const int64_t partner = batch.mixture->partners[i].item<int64_t>();
    return fmt::format("{:.2f} {} + {:.2f} {}", share, label(i), 1 - share, label(partner));
  }

  Config config_;
  Observer& observer_;
  std::optional<Data> data_;
  std::vector<NamedSplit> splits_;
  DataView out_;
  Shown shown_;
};

}  // namespace

std::optional<DataView> look_at_data(const Config& config, bool shows, Observer& observer) {
  return Looker(config, observer).look(shows);
}

}  // namespace vitrine
