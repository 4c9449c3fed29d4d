#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class MeanPooling : public Pooling {
 public:
  MeanPooling(const NoOptions&, const Geometry& context) : n_tasks_(context.n_tasks) {}

  int64_t special_tokens() const override { return 0; }

 protected:
  Value forward(const Value& x) override {
    named("shares", [&] {
      return table(at::full({n_tasks_, x.tokens()}, 1.0 / static_cast<double>(x.tokens())));
    });
    return join_tokens(std::vector<Value>(static_cast<size_t>(n_tasks_), mean_over_tokens(x)));
  }

 private:
  int64_t n_tasks_;
};

VITRINE_REGISTER(Pooling, MeanPooling, NoOptions, "the mean over all patches")

}  // namespace
}  // namespace vitrine
