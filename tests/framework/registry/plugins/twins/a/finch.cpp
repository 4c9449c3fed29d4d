#include "framework/registry/register.h"
#include "tests/framework/registry/plugins/bird.h"

namespace vitrine {
namespace {

class Finch : public Bird {
 public:
  Finch(const NoOptions&, const Context& context) : end_(context.end) {}
  std::string song() const override { return "tweet" + end_; }

 private:
  std::string end_;
};
VITRINE_REGISTER(Bird, Finch, NoOptions, "one of two")

}  // namespace
}  // namespace vitrine
