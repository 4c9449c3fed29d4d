#include "framework/engine/engine.h"

#include "framework/engine/libtorch.h"
#include "framework/registry/given_plugins.h"
#include "framework/registry/plugin.h"

namespace vitrine {
namespace {
Engine* provided = nullptr;
}

void provide_engine(Engine& engine) { provided = &engine; }

Engine& engine() {
  if (!provided) {
    load_libtorch();
    load_plugin(library_folder() / "libvitrine_engine.so");
  }
  load_given_plugins();
  if (!provided)
    throw Error(ExitCode::kPlugin, "libvitrine_engine.so holds no engine; build it again");
  return *provided;
}

KnownKeys known_keys_of_engine(const Node& written) {
  try {
    return engine().known_keys(written);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace vitrine
