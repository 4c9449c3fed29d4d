#pragma once

#include <cstdlib>
#include <string>

#include "tests/catch.h"

namespace vitrine {

// A Python that can validate JSON Schemas, of those that scripts/setup.sh asks.
inline std::string schema_python() {
  for (const std::string python : {"python3", "/usr/bin/python3"}) {
    const std::string asked =
        python + " -c 'from jsonschema import Draft202012Validator' 2> /dev/null";
    if (std::system(asked.c_str()) == 0) return python;
  }
  FAIL("no Python has the package jsonschema; scripts/setup.sh installs python3-jsonschema");
  return "";
}

}  // namespace vitrine
