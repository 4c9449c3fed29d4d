#define CATCH_CONFIG_RUNNER
#include <iostream>

#include "tests/catch.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt
bool any_skipped = false;

}  // namespace

void skip(const std::string& reason) {
  any_skipped = true;
  std::cout << "SKIPPED: " << reason << std::endl;
}

}  // namespace vitrine

int main(int argc, char** argv) {
  const int failed = Catch::Session().run(argc, argv);
  return failed == 0 && vitrine::any_skipped ? vitrine::kSkipped : failed;
}
