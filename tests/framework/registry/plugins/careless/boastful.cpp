#include "framework/data/transform.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class Boastful : public Transform {
 public:
  Boastful(const NoOptions&, const TransformContext&) {}
  Tensor forward(const Tensor& images, const BatchPosition&) override { return images - 0.25; }
  std::optional<Normalization> normalization() const override { return Normalization{{0.5}, {1}}; }
};

VITRINE_REGISTER(Transform, Boastful, NoOptions, "does less than it says")

}  // namespace
}  // namespace vitrine
