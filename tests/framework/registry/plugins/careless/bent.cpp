#include "framework/registry/register.h"
#include "models/parts.h"

// A position that goes wrong where attentions ask it.
namespace vitrine {
namespace {

struct Options {
  bool throws = false;

  void visit(Fields& field) { field("throws", throws, "instead of another shape"); }
};

class Bent : public Position {
 public:
  Bent(const Options& options, const PartContext&) : throws_(options.throws) {}
  Value turned(const Value& x, int64_t) const override {
    if (throws_) throw 42;
    return join_columns({x, x});
  }

 protected:
  Value forward(const Value& x) override { return x; }

 private:
  bool throws_;
};

VITRINE_REGISTER(Position, Bent, Options, "is asked in vain")

}  // namespace
}  // namespace vitrine
