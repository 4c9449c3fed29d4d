#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/editor_schema.h"
#include "framework/engine/engine.h"
#include "framework/sweeps/options.h"

namespace vitrine {

Action schema_verb(CLI::App& app) {
  add_plugin_option(app);
  return [] {
    auto schema = engine().schema();
    SweepOptions sweep;
    schema["properties"]["sweep"] = schema_of_fields(fields_of(sweep));
    schema["properties"]["sweep"]["description"] = "makes this a sweep file: runner sweep FILE";
    print_json(editor_schema(std::move(schema)));
    return ExitCode::kDone;
  };
}

}  // namespace vitrine
