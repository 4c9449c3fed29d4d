#include <csignal>
#include <cstdlib>

#include "framework/registry/register.h"
#include "models/parts.h"

// Ends the process where it is told to.
namespace vitrine {
namespace {

struct Options {
  std::string where = "nowhere", how = "crash";

  void visit(Fields& field) {
    field("where", where, "when it does so",
          one_of({"nowhere", "constructor", "forward", "training", "destructor"}));
    field("how", how, "what it does", one_of({"crash", "abort", "exit", "recurse"}));
  }
};

int recurse(volatile int depth) {
  if (depth < 0) return 0;
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return recurse(depth + 1) + room[0];
}

class Crasher : public Mlp {
 public:
  Crasher(const Options& options, const PartContext& context) : options_(options) {
    linear_ = add("linear", std::make_shared<Linear>(context.hidden_d, context.hidden_d));
    end_in("constructor");
  }
  ~Crasher() override { end_in("destructor"); }

 protected:
  Value forward(const Value& x) override {
    end_in("forward");
    if (is_training()) end_in("training");
    return (*linear_)(x);
  }

 private:
  void end_in(const char* place) const {
    if (options_.where != place) return;
    if (options_.how == "crash") std::raise(SIGSEGV);
    if (options_.how == "abort") std::abort();
    if (options_.how == "exit") std::exit(3);
    recurse(0);
  }

  Options options_;
  std::shared_ptr<Linear> linear_;
};

VITRINE_REGISTER(Mlp, Crasher, Options, "ends the process")

}  // namespace
}  // namespace vitrine
