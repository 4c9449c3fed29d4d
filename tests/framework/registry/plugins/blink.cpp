// A transform that is random, so that a trained model needs it no more.
#include "framework/data/transform.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class Blink : public Transform {
 public:
  Blink(const NoOptions&, const TransformContext&) {}
  bool is_random() const override { return true; }
  Tensor forward(const Tensor& images, const BatchPosition&) override { return images; }
};

VITRINE_REGISTER(Transform, Blink, NoOptions, "changes nothing")

}  // namespace
}  // namespace vitrine
