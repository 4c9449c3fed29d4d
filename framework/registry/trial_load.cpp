#include "framework/registry/trial_load.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "framework/config/yaml.h"
#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/files/forked.h"
#include "framework/registry/foreign_definition.h"
#include "framework/registry/registry.h"

namespace vitrine {
namespace {

constexpr const char* kSound = "+";  // what the child says where nothing is wrong
constexpr char kDoing = ':';         // begins a line that names what runs now
constexpr int kMostSeconds = 60;

int report = -1;                         // where the child tells its parent
std::string doing = "its constructors";  // what runs now; a plural

[[noreturn]] void tell(const std::string& words) {
  write_all(report, words);
  _exit(0);
}

[[noreturn]] void tell_exception() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    tell(doing + " throw: " + escape(std::string(error.what()).substr(0, 2000)));
  } catch (...) {
    tell(doing + " throw what is no std::exception");
  }
  tell(doing + " call std::terminate");
}

void tell_exit(int code, void*) {
  tell(fmt::format("{} end the process with exit code {}", doing, code));
}

// Whoever lists a component, or reads a config that could choose it, does so, and tells what that
// throws.
void list_options(const Component& component) try {
  doing = fmt::format("the options of its {} \"{}\"", component.kind, escape(component.name));
  write_all(report, kDoing + doing + "\n");
  const auto options = component.make_options();
  Fields fields;
  component.visit(options.get(), fields);
  Problems ignored;
  for (const Field& field : fields.list()) {
    field.value->read_default(field.name, ignored);
    to_flow_yaml(field.value->write());
  }
  schema_of_fields(fields);
} catch (...) {
}

[[noreturn]] void load_in_child(const std::vector<std::filesystem::path>& libraries, int mode) {
  on_exit(tell_exit, nullptr);  // before what other libraries do at the end
  std::set_terminate(tell_exception);
  const Registry& registry = Registry::instance();
  const size_t before = registry.size();
  // It is declared not to throw, and constructors that it calls do so all the same.
  void* (*volatile load)(const char*, int) = dlopen;
  try {
    const bool is_loaded =
        std::all_of(libraries.begin(), libraries.end(),
                    [&](const auto& library) { return load(library.c_str(), mode) != nullptr; });
    if (!is_loaded) tell(kSound);
    const std::string foreign = definition_of_vitrine(libraries.back());
    if (!foreign.empty())
      tell(
          fmt::format("defines {}, which Vitrine defines as well: what is a file's own stands in "
                      "an unnamed namespace",
                      escape(foreign)));
    for (size_t i = before; i < registry.size(); ++i) list_options(*registry.components()[i]);
  } catch (...) {
    tell_exception();
  }
  tell(kSound);
}

}  // namespace

std::string failure_of_loading(const std::vector<std::filesystem::path>& libraries, int mode) {
  const std::string name = escape(libraries.back().string());
  const Forked left = run_forked("cannot try the plug-in " + name, kMostSeconds, [&](int to) {
    report = to;
    load_in_child(libraries, mode);
  });
  std::string words = left.text, what = doing;
  while (words.starts_with(kDoing)) {
    const size_t end = std::min(words.find('\n'), words.size() - 1);
    what = words.substr(1, end - 1);
    words.erase(0, end + 1);
  }
  if (words == kSound) return "";
  return words.empty() ? what + " " + left.ending(/*is_plural=*/true) : words;
}

}  // namespace vitrine
