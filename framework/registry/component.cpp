#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/registry/registry.h"

// What a component does, and how its failures are told.
namespace vitrine {
namespace {

// That of a component further in is kept by those around it.
struct ComponentError : Error {
  using Error::Error;
};

// libtorch's errors carry a stack trace behind the first lines.
std::string first_lines(const std::string& text) {
  return text.substr(0, std::min({text.find("\nException raised from"), text.size()}));
}

}  // namespace

Running::Running(const Component& component, const char* phase)
    : component_(component), phase_(phase), outer_(innermost()) {
  innermost() = this;
}

Running::~Running() { innermost() = outer_; }

const Running*& Running::innermost() {
  static thread_local const Running* innermost = nullptr;
  return innermost;
}

ExitCode code_of_failure(const Component& component) {
  return component.library.empty() ? ExitCode::kInternal : ExitCode::kPlugin;
}

void fail(const Component& component, const char* phase, const std::string& message) {
  throw ComponentError(code_of_failure(component),
                       fmt::format("{} \"{}\" ({}), {}: {}", component.kind, component.name,
                                   component.place, phase, message));
}

void rethrow_from(const Component& component, const char* phase) {
  try {
    throw;
  } catch (const NoFailure&) {
    throw;
  } catch (const ComponentError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInternal) throw;
    fail(component, phase, error.what());
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw;
    const std::string text = escape_lines(first_lines(error.what()));
    fail(component, phase, text.empty() ? "an exception without words" : text);
  } catch (...) {
    fail(component, phase, "an exception that is no std::exception");
  }
}

void Registered::breach(const char* phase, const std::string& message) const {
  if (component_) fail(*component_, phase, message);
  throw Error(ExitCode::kInternal, fmt::format("{}: {}", phase, message));
}

std::shared_ptr<void> make_options(const Component& component) {
  return in_component(&component, "options", component.make_options);
}

Fields fields_of(const Component& component, void* options) {
  Fields out;
  in_component(&component, "options", [&] { component.visit(options, out); });
  return out;
}

}  // namespace vitrine
