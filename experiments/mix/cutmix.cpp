#include "experiments/mixing.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : MixOptions {
  double alpha = 1;

  void visit(Fields& field) {
    MixOptions::visit(field);
    field("alpha", alpha,
          "of Beta(alpha, alpha), which the share of the area that stays is drawn from",
          between(0.01, 1000))
        .words({"cutmix_alpha"});
  }
};

class Cutmix : public Mix {
 public:
  Cutmix(const Options& options, const MixContext&) : alpha_(options.alpha) {}

  Mixed mix(const Tensor& images, Draws& draws) override {
    const double share = drawn_share(alpha_, draws);
    const int64_t row = draws.integer(0, images.size(2) - 1);
    return cutmix(images, share, row, draws.integer(0, images.size(3) - 1));
  }

 private:
  double alpha_;
};

VITRINE_REGISTER(Mix, Cutmix, Options, "a rectangle of another image, pasted in")

}  // namespace
}  // namespace vitrine
