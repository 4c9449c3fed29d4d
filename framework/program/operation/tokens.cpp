// Some neighbouring tokens of the input. Nothing is copied.
#include <fmt/format.h>

#include "framework/program/operation.h"

namespace vitrine::tokens_operation {
namespace {

class Tokens : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"first", "count"}; }
  Shape shape(const Applied& a) const override {
    if (a.count(1) == 0 || a.count(0) + a.count(1) > a.inputs[0].tokens) {
      refuse_operands("tokens", fmt::format("{} from {} on, of {}", a.count(1), a.count(0),
                                            a.inputs[0].tokens));
    }
    return {a.count(1), a.inputs[0].columns};
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange tokens) const override {
    return {{a.count(0) + tokens.begin, a.count(0) + tokens.end}};
  }
  bool is_part() const override { return true; }
  std::vector<Offset> offsets(const Applied& a) const override { return {{a.count(0), 0}}; }
  void forward(const Call&) const override {}
};

VITRINE_OPERATION(tokens, Tokens)

}  // namespace
}  // namespace vitrine::tokens_operation
