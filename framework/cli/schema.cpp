#include "framework/cli/known_words.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/editor_schema.h"

namespace vitrine {

Action schema_verb(CLI::App& app) {
  add_plugin_option(app);
  return [] {
    auto schema = schema_of_engine();
    schema["properties"]["sweep"]["description"] = "makes this a sweep file: runner sweep FILE";
    print_json(editor_schema(std::move(schema)));
    return ExitCode::kDone;
  };
}

}  // namespace vitrine
