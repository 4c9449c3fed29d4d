#include "tests/framework/checking/all.h"

TEST_CASE("every component of data, training and measuring keeps what its kind promises") {
  vitrine::check_all(/*of_models=*/false);
}
