#include "framework/model/loss.h"
#include "framework/registry/register.h"

// A loss that is not one number an image.
namespace vitrine {
namespace {

struct Options : LossOptions {
  std::string how = "of_each";

  void visit(Fields& field) {
    LossOptions::visit(field);
    field("how", how, "what it makes", one_of({"of_each", "of_all", "detached", "undefined"}));
  }
};

class Summed : public Loss {
 public:
  Summed(const Options& options, const LossContext&) : how_(options.how) {}

  Value forward(const Value& output, const Value& target, const Task&) override {
    if (how_ == "of_each") return square(output + target * -1);
    if (how_ == "undefined") return Tensor();
    const Tensor all = output.tensor().square().mean(-1, true);
    return how_ == "of_all" ? all.mean(0, true) : all.detach();
  }

 private:
  std::string how_;
};

VITRINE_REGISTER(Loss, Summed, Options, "is no loss of each image")

}  // namespace
}  // namespace vitrine
