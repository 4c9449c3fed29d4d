#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t tokens = 2;

  void visit(Fields& field) {
    field("tokens", tokens, "special tokens of each task, whose mean is read", between(1, 100));
  }
};

// Several special tokens a task, averaged after the last block.
class ExamplePooling : public Pooling {
 public:
  ExamplePooling(const Options& options, const Geometry& context)
      : tokens_(options.tokens), n_tasks_(context.n_tasks) {}

  // How many the model is to put before its patches.
  int64_t special_tokens() const override { return tokens_ * n_tasks_; }

 protected:
  Value forward(const Value& x) override {  // [N, D] -> [n_tasks, D]
    std::vector<Value> means;
    for (int64_t task = 0; task < n_tasks_; ++task)
      means.push_back(mean_over_tokens(tokens(x, task * tokens_, tokens_)));
    return join_tokens(means);
  }

 private:
  int64_t tokens_, n_tasks_;
};

VITRINE_REGISTER(Pooling, ExamplePooling, Options, "the mean of several special tokens a task")

}  // namespace
}  // namespace vitrine
