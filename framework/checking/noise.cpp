#include "framework/checking/noise.h"

#include <ATen/ops/empty.h>

#include "framework/data/dataset.h"
#include "framework/draws.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : DatasetOptions {
  int64_t train = 40, test = 14, channels = 1, height = 28, width = 28;
  std::string labels = kNoiseLabels[0];

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("train", train, "training images", at_least(1));
    field("test", test, "test images", at_least(1));
    field("channels", channels, "of an image", at_least(1));
    field("height", height, "of an image", at_least(1));
    field("width", width, "of an image", at_least(1));
    field("labels", labels, "what its column of labels holds",
          one_of({std::begin(kNoiseLabels), std::end(kNoiseLabels)}));
  }
};

LabelColumn column_of(const std::string& labels) {
  using Kind = LabelColumn::Kind;
  if (labels == kNoiseLabels[1]) return {kLabel, Kind::kClasses, {"a", "b"}};
  if (labels == kNoiseLabels[2]) return {kLabel, Kind::kLabels, {"a", "b", "c"}};
  if (labels == kNoiseLabels[3]) return {kLabel, Kind::kValues, {"a", "b"}};
  return {kLabel, Kind::kClasses, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

class Noise : public Dataset {
 public:
  Noise(const Options& options, const DataContext&) : options_(options) {}

  DatasetInfo info() const override {
    return {options_.channels, options_.height, options_.width, {column_of(options_.labels)},
            options_.train,    options_.test};
  }
  Split load_train() override { return drawn(0, options_.train); }
  Split load_test() override { return drawn(1, options_.test); }

 private:
  Split drawn(int64_t which, int64_t count) const {
    Split out;
    out.images = at::empty({count, options_.channels, options_.height, options_.width}, at::kByte);
    const LabelColumn column = column_of(options_.labels);
    const bool has_classes = column.kind == LabelColumn::Kind::kClasses;
    Tensor labels =
        has_classes ? at::empty({count}, at::kLong) : at::empty({count, column.size()}, at::kFloat);
    auto* pixel = out.images.data_ptr<uint8_t>();
    const int64_t pixels = out.images.numel() / count;
    for (int64_t i = 0; i < count; ++i) {
      Draws draws(static_cast<uint64_t>(options_.split_seed), which, i, 0);
      for (int64_t p = 0; p < pixels; ++p) *pixel++ = static_cast<uint8_t>(draws.integer(0, 255));
      // Every class is there, in both splits.
      if (has_classes) labels[i] = i % column.size();
      for (int64_t k = 0; !has_classes && k < column.size(); ++k) {
        const auto number = static_cast<float>(draws.integer(0, 1000)) / 500 - 1;
        labels[i][k] = column.kind == LabelColumn::Kind::kLabels ? (number > 0 ? 1.0F : 0) : number;
      }
    }
    out.labels = {labels};
    return out;
  }

  Options options_;
};

}  // namespace

void register_noise() {
  [[maybe_unused]] static const bool registered = register_component<Dataset, Noise, Options>(
      "images of noise, to try components on", std::string(kNoise) + ".cpp", __LINE__);
}

}  // namespace vitrine
