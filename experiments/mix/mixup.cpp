#include "experiments/mixing.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : MixOptions {
  double alpha = 0.8;

  void visit(Fields& field) {
    MixOptions::visit(field);
    field("alpha", alpha,
          "of Beta(alpha, alpha), which the share of an image is drawn from: nearly all or nothing "
          "where it is small, half where it is large",
          between(0.01, 1000))
        .words({"mixup_alpha"});
  }
};

class Mixup : public Mix {
 public:
  Mixup(const Options& options, const MixContext&) : alpha_(options.alpha) {}

  Mixed mix(const Tensor& images, Draws& draws) override {
    return mixup(images, drawn_share(alpha_, draws));
  }

 private:
  double alpha_;
};

VITRINE_REGISTER(Mix, Mixup, Options, "the weighted mean of two images")

}  // namespace
}  // namespace vitrine
