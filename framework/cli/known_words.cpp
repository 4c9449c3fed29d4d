#include "framework/cli/known_words.h"

#include <filesystem>
#include <optional>

#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/registry/plugin.h"
#include "framework/registry/registry.h"
#include "framework/sweeps/options.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = uint64_t{64} << 20;

// Whether it was written behind the libraries that it tells of.
bool is_newest(const fs::path& file) {
  const auto written = fs::last_write_time(file);
  for (const char* library : {"libvitrine_core.so", "libvitrine_engine.so"}) {
    if (fs::last_write_time(file.parent_path() / library) > written) return false;
  }
  return true;
}

std::optional<Json> words_of_file() {
  try {
    const fs::path file = library_folder() / "completion.json";
    if (!is_newest(file)) return std::nullopt;
    Json out = parse_ordered_json(read_file(file, kMostBytes), file.string());
    if (out.contains("schema") && out.contains("components")) return out;
  } catch (const std::exception&) {  // one that cannot be read is none
  }
  return std::nullopt;
}

}  // namespace

Json schema_of_engine() {
  Json out = engine().schema();
  SweepOptions sweep;
  out["properties"]["sweep"] = schema_of_fields(fields_of(sweep));
  return out;
}

Json words_of_engine() {
  Json schema = schema_of_engine();  // loads the engine, which registers its components
  Json components = Json::object();
  for (const std::string& kind : Registry::instance().kinds()) {
    Json& names = components[kind] = Json::object();
    for (const std::string& name : Registry::instance().names(kind))
      names[name] = Registry::instance().find(kind, name)->description;
  }
  return {{"schema", std::move(schema)}, {"components", std::move(components)}};
}

const Json& known_words() {
  // Never destroyed: that would take as long as reading it.
  static const Json* const words = [] {
    auto found = words_of_file();
    return new Json(found ? std::move(*found) : words_of_engine());
  }();
  return *words;
}

}  // namespace vitrine
