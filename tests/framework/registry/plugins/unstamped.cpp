// A shared library of some other program: loading it would end the tests.
#include <cstdlib>

[[maybe_unused]] static const bool loaded = (std::abort(), true);
