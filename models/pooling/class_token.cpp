#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class ClassTokenPooling : public Pooling {
 public:
  ClassTokenPooling(const NoOptions&, const PartContext& context) : n_tasks_(context.n_tasks) {}

  int64_t special_tokens() const override { return n_tasks_; }
  int64_t needed_tokens(int64_t) const override { return n_tasks_; }
  Tensor forward(const Tensor& x) override { return x.narrow(1, 0, n_tasks_); }
  Tensor shares(const Tensor& x) override {
    return at::eye(n_tasks_, x.size(1), x.options()).expand({x.size(0), -1, -1});
  }

 private:
  int64_t n_tasks_;
};

VITRINE_REGISTER(Pooling, ClassTokenPooling, NoOptions,
                 "a learned special token for each task, read after the last block")

}  // namespace
}  // namespace vitrine
