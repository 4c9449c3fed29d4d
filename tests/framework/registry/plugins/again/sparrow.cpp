#include "framework/registry/register.h"
#include "tests/framework/registry/plugins/bird.h"

namespace vitrine {
namespace {

class Sparrow : public Bird {
 public:
  Sparrow(const NoOptions&, const Context& context) : end_(context.end) {}
  std::string song() const override { return "chirp" + end_; }

 private:
  std::string end_;
};
VITRINE_REGISTER(Bird, Sparrow, NoOptions, "of a name that exists")

}  // namespace
}  // namespace vitrine
