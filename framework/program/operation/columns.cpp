// Some neighbouring columns of the input. Nothing is copied.
#include <fmt/format.h>

#include "framework/program/operation.h"

namespace vitrine::columns_operation {
namespace {

class Columns : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"first", "count"}; }
  Shape shape(const Applied& a) const override {
    if (a.count(1) == 0 || a.count(0) + a.count(1) > a.inputs[0].columns) {
      refuse_operands("columns", fmt::format("{} from {} on, of {}", a.count(1), a.count(0),
                                             a.inputs[0].columns));
    }
    return {a.inputs[0].tokens, a.count(1)};
  }
  bool is_part() const override { return true; }
  std::vector<Offset> offsets(const Applied& a) const override { return {{0, a.count(0)}}; }
  void forward(const Call&) const override {}
};

VITRINE_OPERATION(columns, Columns)

}  // namespace
}  // namespace vitrine::columns_operation
