#include "framework/error.h"
#include "framework/registry/register.h"
#include "tests/framework/registry/plugins/bird.h"

namespace vitrine {
namespace {

struct Options {
  int64_t chirps = 1;

  void visit(Fields& field) { field("chirps", chirps, "how often it chirps", at_least(1)); }
};

class Sparrow : public Bird {
 public:
  Sparrow(const Options& options, const Context& context)
      : end_(context.end), chirps_(options.chirps) {
    if (end_.empty()) throw Error(ExitCode::kData, "a sparrow sings at the top of its voice");
  }
  std::string song() const override {
    std::string out = "chirp";
    for (int64_t i = 1; i < chirps_; ++i) out += " chirp";
    return out + end_;
  }

 private:
  std::string end_;
  int64_t chirps_;
};

VITRINE_REGISTER(Bird, Sparrow, Options, "small and brown")

}  // namespace
}  // namespace vitrine
