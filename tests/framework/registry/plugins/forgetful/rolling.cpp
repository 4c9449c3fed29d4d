#include <ATen/ops/empty.h>

#include <cstdlib>

#include "framework/registry/register.h"
#include "models/parts.h"

// Computes with what is different in each process.
namespace vitrine {
namespace {

struct Options {
  std::string with = "dice";

  void visit(Fields& field) {
    field("with", with, "what it computes with", one_of({"dice", "unwritten", "context"}));
  }
};

class Rolling : public Mlp {
 public:
  Rolling(const Options& options, const PartContext& context)
      : with_(options.with), context_(&context) {
    linear_ = add("linear", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
    if (with_ == "unwritten") unwritten_ = FixedTable(at::empty({context.hidden_d}));
  }

 protected:
  Value forward(const Value& x) override {
    const Value out = (*linear_)(x);
    if (with_ == "dice") return out * (1 + std::rand() % 1000 / 1e4);
    if (with_ == "unwritten") return out + table(unwritten_.on(x)) * 1e-30;
    return columns(out, 0, context_->hidden_d);
  }

 private:
  std::string with_;
  const PartContext* context_;  // is gone by then
  std::shared_ptr<Linear> linear_;
  FixedTable unwritten_;
};

VITRINE_REGISTER(Mlp, Rolling, Options, "is different in each process")

}  // namespace
}  // namespace vitrine
