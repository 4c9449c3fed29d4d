#include "tests/framework/checking/all.h"

TEST_CASE("every model, part, layout and plot keeps what its kind promises") {
  vitrine::check_all(/*of_models=*/true);
}
