// A part of a model, and a mark that its library was loaded: the file that a variable names.
#include <cstdlib>
#include <fstream>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options {
  int64_t ratio = 2;

  void visit(Fields& field) { field("ratio", ratio, "hidden width as a multiple of hidden_d"); }
};

class SquaredMlp : public Mlp {
 public:
  SquaredMlp(const Options& options, const PartContext& context)
      : up_(register_module("up",
                            torch::nn::Linear(context.hidden_d, options.ratio * context.hidden_d))),
        down_(register_module(
            "down", torch::nn::Linear(options.ratio * context.hidden_d, context.hidden_d))) {}

  Tensor forward(const Tensor& x) override {
    const Tensor hidden = up_->forward(x).relu();
    return down_->forward(hidden * hidden);
  }

 private:
  torch::nn::Linear up_, down_;
};

bool leave_mark() {
  if (const char* file = std::getenv("VITRINE_TEST_MARK")) std::ofstream(file) << "loaded";
  return true;
}

[[maybe_unused]] const bool marked = leave_mark();

VITRINE_REGISTER(Mlp, SquaredMlp, Options, "two linear layers with a squared ReLU between them")

}  // namespace
}  // namespace vitrine
