#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t ratio = 4;
  double dropout = 0;

  void visit(Fields& field) {
    field("ratio", ratio, "hidden width as a multiple of hidden_d", between(1, 10'000))
        .words({"expansion"});
    field("dropout", dropout, "probability that a hidden value is zeroed", from_below(0, 1))
        .words({"drop"});
  }
};

// So et al. 2021, "Primer: searching for efficient transformers for language modeling".
class SquaredReluMlp : public Mlp {
 public:
  SquaredReluMlp(const Options& options, const PartContext& context) : dropout_(options.dropout) {
    const int64_t d = context.hidden_d;
    fc1_ = add("fc1", std::make_shared<Linear>(d, options.ratio * d));
    fc2_ = add("fc2", std::make_shared<Linear>(options.ratio * d, d));
  }

 protected:
  Value forward(const Value& x) override {
    Value hidden = square(relu((*fc1_)(x)));
    if (dropout_ > 0 && is_training()) hidden = dropout(hidden, dropout_);
    return (*fc2_)(hidden);
  }

 private:
  double dropout_;
  std::shared_ptr<Linear> fc1_, fc2_;
};

VITRINE_REGISTER(Mlp, SquaredReluMlp, Options,
                 "two linear layers with the square of a ReLU between them")

}  // namespace
}  // namespace vitrine
