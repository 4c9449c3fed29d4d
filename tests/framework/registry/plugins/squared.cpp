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
  SquaredMlp(const Options& options, const PartContext& context) {
    const int64_t d = context.hidden_d;
    up_ = add("up", std::make_shared<Linear>(d, options.ratio * d));
    down_ = add("down", std::make_shared<Linear>(options.ratio * d, d));
  }

 protected:
  Value forward(const Value& x) override { return (*down_)(square(relu((*up_)(x)))); }

 private:
  std::shared_ptr<Linear> up_, down_;
};

bool leave_mark() {
  if (const char* file = std::getenv("VITRINE_TEST_MARK")) std::ofstream(file) << "loaded";
  return true;
}

[[maybe_unused]] const bool marked = leave_mark();

VITRINE_REGISTER(Mlp, SquaredMlp, Options, "two linear layers with a squared ReLU between them")

}  // namespace
}  // namespace vitrine
