#include <ATen/ops/rand_like.h>

#include "framework/data/transform.h"
#include "framework/registry/register.h"

// Draws from the global generator, or looks at the batch.
namespace vitrine {
namespace {

struct Options {
  bool of_batch = false;

  void visit(Fields& field) { field("of_batch", of_batch, "whether it centres the batch"); }
};

class Wandering : public Transform {
 public:
  Wandering(const Options& options, const TransformContext&) : of_batch_(options.of_batch) {}
  bool is_random() const override { return true; }
  Tensor forward(const Tensor& images, const BatchPosition&) override {
    if (of_batch_) return images - images.mean();
    return images + at::rand_like(images);
  }

 private:
  bool of_batch_;
};

VITRINE_REGISTER(Transform, Wandering, Options, "draws as it likes")

}  // namespace
}  // namespace vitrine
