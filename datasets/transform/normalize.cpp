#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "framework/data/transform.h"
#include "framework/data/upload.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  std::vector<double> mean = {0.5};
  std::vector<double> std = {0.5};

  void visit(Fields& field) {
    field("mean", mean, "what is subtracted: one number, or one a channel");
    field("std", std, "what is divided by: one number, or one a channel", above(0))
        .words({"stddev", "sigma"});
  }
  void check(const TransformContext& context, Check& check) const {
    check_length("mean", mean.size(), context.channels, check);
    check_length("std", std.size(), context.channels, check);
  }
  static void check_length(const char* field, size_t length, int64_t channels, Check& check) {
    if (length == 1 || length == static_cast<size_t>(channels)) return;
    check.error(
        {field},
        fmt::format("{} takes one number{}, got {}", field,
                    channels > 1 ? fmt::format(" or {} (one a channel)", channels) : "", length));
  }
};

Tensor per_channel(const std::vector<double>& values) {
  return at::tensor(values, at::kFloat).view({1, -1, 1, 1});
}

class Normalize : public Transform {
 public:
  Normalize(const Options& options, const TransformContext&)
      : options_(options), mean_(per_channel(options.mean)), std_(per_channel(options.std)) {}

  Tensor forward(const Tensor& images, const BatchPosition&) override {
    return images.sub(upload(mean_, images.device())).div_(upload(std_, images.device()));
  }

  std::optional<Normalization> normalization() const override {
    return Normalization{options_.mean, options_.std};
  }

 private:
  Options options_;
  Tensor mean_, std_;  // [1, 1 or C, 1, 1]
};

VITRINE_REGISTER(Transform, Normalize, Options,
                 "pixels (0 to 1) less the mean, divided by the deviation")

}  // namespace
}  // namespace vitrine
