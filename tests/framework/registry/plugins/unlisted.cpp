// A component whose options cannot be listed: how is told by a variable.
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "framework/registry/register.h"
#include "tests/framework/registry/plugins/bird.h"

namespace vitrine {
namespace {

struct Options {
  void visit(Fields&) {
    const char* how = std::getenv("VITRINE_TEST_HOW");
    if (how == std::string_view("throw")) throw std::runtime_error("no options today");
    if (how == std::string_view("crash")) std::raise(SIGSEGV);
  }
};

class Unlisted : public Bird {
 public:
  Unlisted(const Options&, const Context&) {}
  std::string song() const override { return ""; }
};

VITRINE_REGISTER(Bird, Unlisted, Options, "cannot be listed")

}  // namespace
}  // namespace vitrine
