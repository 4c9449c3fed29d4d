#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// What trials find around them, wherever and by whomever they are started: that of where their
// sweep was begun.
struct LaunchEnvironment {
  using Variables = std::map<std::string, std::string>;

  std::string directory;               // relative paths count from it
  std::optional<Variables> variables;  // none: an older version made the sweep, and kept none

  static LaunchEnvironment here();
  // Whether data, libraries or the bits of results depend on a variable of the environment.
  static bool matters(std::string_view name);
  // The variables as "NAME=value".
  std::vector<std::string> assignments() const;
  // Gives this process the variables, and takes away others that matter.
  void set_variables() const;
  // The variables as lines of bash.
  std::string script() const;
};

}  // namespace vitrine
