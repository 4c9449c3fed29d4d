#include <fmt/format.h>
#include <torch/nn/modules/conv.h>

#include "framework/registry/register.h"
#include "models/heads.h"

namespace vitrine {
namespace {

constexpr int64_t kKernel = 5, kPool = 2, kPadding = 2, kFeatures = 84;

struct Options : HeadsOptions {
  void visit(Fields& field) {
    ModelOptions::visit(field);
    visit_heads(field);
  }
  void check(const ModelContext& images, Check& check) const {
    check_tasks(images, check);
    constexpr int64_t kLeast = 12;
    if (images.height < kLeast || images.width < kLeast) {
      check.error({},
                  fmt::format("lenet needs images of at least {} x {} pixels, these have {} x {}",
                              kLeast, kLeast, images.height, images.width));
    }
    check_heads(images, kFeatures, check.problems());
  }
};

// A map of features [height * width, channels].
struct Map {
  Value x;
  int64_t height, width;
};

// LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition") as it is
// built today: 6 and 16 channels, then 120 and 84 units, with ReLU and maxima, on images of any
// size.
class LeNet : public ModelWithHeads {
 public:
  LeNet(const Options& options, const ModelContext& images)
      : channels_(images.channels), height_(images.height), width_(images.width) {
    conv1_ = torch::nn::Conv2d(torch::nn::Conv2dOptions(channels_, 6, kKernel).padding(kPadding));
    conv2_ = torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 16, kKernel));
    register_module("conv1", conv1_);
    register_module("conv2", conv2_);
    const int64_t height = (height_ / kPool - kKernel + 1) / kPool;
    const int64_t width = (width_ / kPool - kKernel + 1) / kPool;
    fc1_ = add("fc1", std::make_shared<Linear>(16 * height * width, 120));
    fc2_ = add("fc2", std::make_shared<Linear>(120, kFeatures));
    add_heads(options, kFeatures, images);
  }

  Value features(const Value& images) override {
    Map map{pixels(images), height_, width_};
    map = stage("conv1", map, conv1_, kPadding);
    map = stage("conv2", map, conv2_, 0);
    // As libtorch flattens: channel by channel.
    const Value x = relu((*fc1_)(flatten(transpose(map.x))));
    return relu((*fc2_)(x));
  }
  std::vector<std::vector<std::string>> layers() const override {
    return {{"conv1"}, {"conv2"}, {"fc1"}, {"fc2"}};
  }

 private:
  Value pixels(const Value& images) const {
    const Scope scope("pixels", "");
    return patches(images, height_, width_);
  }

  static Map stage(const char* name, const Map& map, torch::nn::Conv2d& layer, int64_t padding) {
    const Scope scope(name, "convolution");
    const Value x = relu(convolution(map.x, {map.height, map.width}, layer->weight, layer->bias,
                                     {1, 1}, {padding, padding}));
    const int64_t less = kKernel - 1 - 2 * padding;
    const int64_t height = map.height - less, width = map.width - less;
    return {max_pool(x, {height, width}, {kPool, kPool}, {kPool, kPool}), height / kPool,
            width / kPool};
  }

  int64_t channels_, height_, width_;
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  std::shared_ptr<Linear> fc1_, fc2_;
};

VITRINE_REGISTER(Model, LeNet, Options, "LeNet-5: two convolutions and two hidden layers")

}  // namespace
}  // namespace vitrine
