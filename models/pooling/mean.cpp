#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class MeanPooling : public Pooling {
 public:
  MeanPooling(const NoOptions&, const PartContext& context) : n_tasks_(context.n_tasks) {}

  int64_t special_tokens() const override { return 0; }
  int64_t needed_tokens(int64_t n_tokens) const override { return n_tokens; }
  Tensor forward(const Tensor& x) override { return x.mean(1, true).expand({-1, n_tasks_, -1}); }
  Tensor shares(const Tensor& x) override {
    return at::full({x.size(0), n_tasks_, x.size(1)}, 1.0 / static_cast<double>(x.size(1)),
                    x.options());
  }

 private:
  int64_t n_tasks_;
};

VITRINE_REGISTER(Pooling, MeanPooling, NoOptions, "the mean over all patches")

}  // namespace
}  // namespace vitrine
