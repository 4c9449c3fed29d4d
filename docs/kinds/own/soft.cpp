#include "framework/model/operations.h"
#include "framework/registry/register.h"
#include "gate.h"

namespace vitrine {
namespace {

struct Options {
  double sharpness = 1;

  void visit(Fields& field) {
    field("sharpness", sharpness, "what its input is multiplied by", above(0));
  }
};

class SoftGate : public Gate {
 public:
  SoftGate(const Options& options, const GateContext&) : sharpness_(options.sharpness) {}

 protected:
  Value forward(const Value& x) override { return sigmoid(x * sharpness_); }

 private:
  double sharpness_;
};

VITRINE_REGISTER(Gate, SoftGate, Options, "the sigmoid")

}  // namespace
}  // namespace vitrine
