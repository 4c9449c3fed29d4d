#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/training/engine.h"

namespace vitrine {

Action schema_verb(CLI::App&) {
  return [] {
    print(engine().schema().dump(2));
    return ExitCode::kDone;
  };
}

}  // namespace vitrine
