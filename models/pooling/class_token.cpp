#include <ATen/ops/eye.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class ClassTokenPooling : public Pooling {
 public:
  ClassTokenPooling(const NoOptions&, const Geometry& context) : n_tasks_(context.n_tasks) {}

  int64_t special_tokens() const override { return n_tasks_; }

 protected:
  Value forward(const Value& x) override {
    named("shares", [&] { return table(at::eye(n_tasks_, x.tokens())); });
    return tokens(x, 0, n_tasks_);
  }

 private:
  int64_t n_tasks_;
};

VITRINE_REGISTER(Pooling, ClassTokenPooling, NoOptions,
                 "a learned special token for each task, read after the last block")

}  // namespace
}  // namespace vitrine
