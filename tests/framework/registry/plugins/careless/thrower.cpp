#include <stdexcept>

#include "framework/registry/register.h"
#include "models/parts.h"

// Throws where it is told to.
namespace vitrine {
namespace {

struct Options {
  std::string where = "nowhere";

  void visit(Fields& field) {
    field("where", where, "when it throws",
          one_of({"nowhere", "constructor", "forward", "training", "number", "user", "shape"}));
  }
};

class Thrower : public Mlp {
 public:
  Thrower(const Options& options, const PartContext& context) : where_(options.where) {
    linear_ = add("linear", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
    if (where_ == "constructor") throw std::runtime_error("cannot be made");
  }

 protected:
  Value forward(const Value& x) override {
    if (where_ == "forward") throw std::out_of_range("vector::_M_range_check");
    if (where_ == "training" && is_training()) throw std::runtime_error("not while it learns");
    if (where_ == "number") throw 42;
    if (where_ == "user") throw Error(ExitCode::kUsage, "thrower: not with these images");
    if (where_ == "shape") return columns((*linear_)(x), 0, 3);
    return (*linear_)(x);
  }

 private:
  std::string where_;
  std::shared_ptr<Linear> linear_;
};

VITRINE_REGISTER(Mlp, Thrower, Options, "throws")

}  // namespace
}  // namespace vitrine
