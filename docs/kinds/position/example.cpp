#include <ATen/ops/empty.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double std = 0.02;

  void visit(Fields& field) {
    field("std", std, "standard deviation of the first values", above(0));
  }
};

// A learned vector for each row of patches and one for each column; special tokens have their own.
class ExamplePosition : public Position {
 public:
  ExamplePosition(const Options& options, const PartContext& context) : context_(context) {
    const auto drawn = [&](const char* name, int64_t count) {
      return register_parameter(name, at::empty({count, context.hidden_d}).normal_(0, options.std));
    };
    rows_ = drawn("rows", context.rows);
    columns_ = drawn("columns", context.columns);
    if (context.special_tokens > 0) special_ = drawn("special", context.special_tokens);
  }

  // These are not meant to be drawn to zero by weight decay.
  std::vector<std::string> no_weight_decay() const override {
    return {"rows", "columns", "special"};
  }

 protected:
  Value forward(const Value& x) override {  // [N, D] -> the same, the special tokens first
    std::vector<Value> parts;
    if (context_.special_tokens > 0) parts.push_back(table(special_));
    for (int64_t row = 0; row < context_.rows; ++row)
      parts.push_back(table(columns_) + tokens(table(rows_), row, 1));
    const Value added = join_tokens(parts);
    // `plot positions` asks for the value of this name.
    named("table", [&] { return added; });
    return x + added;
  }

 private:
  PartContext context_;
  Tensor rows_, columns_, special_;  // [count, D]
};

VITRINE_REGISTER(Position, ExamplePosition, Options, "a learned vector for each row and column")

}  // namespace
}  // namespace vitrine
