#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  double dropout = 0.1;

  void visit(Fields& field) {
    field("dropout", dropout, "probability that a feature is zeroed in training", from_below(0, 1));
  }
};

// A linear layer on features of which some are dropped.
class ExampleHead : public Head {
 public:
  // A task's head; `outputs` is how many numbers it is to make, whatever its type.
  ExampleHead(const Options& options, const HeadContext& context) : dropout_(options.dropout) {
    fc_ = add("fc", std::make_shared<Linear>(context.hidden_d, context.outputs));
  }

 protected:
  // Logits; a head of probabilities says so in gives_probabilities().
  Value forward(const Value& x) override {  // [1, D] -> [1, outputs]
    // What is random draws by the image's number, so that neither order nor threads matter.
    const bool drops = dropout_ > 0 && is_training();
    return (*fc_)(drops ? dropout(x, dropout_) : x);
  }

 private:
  double dropout_;
  std::shared_ptr<Linear> fc_;
};

VITRINE_REGISTER(Head, ExampleHead, Options, "dropout, then a linear layer; gives logits")

}  // namespace
}  // namespace vitrine
