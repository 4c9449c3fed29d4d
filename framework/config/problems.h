#pragma once

#include <string>
#include <vector>

#include "framework/config/node.h"
#include "framework/error.h"

namespace vitrine {

// Everything that is wrong with a config, gathered so that it can be shown at once.
class Problems {
 public:
  // `message` says what is wrong, `hint` what is allowed. `place` may be a default's, without a
  // source.
  void add(const Location& place, const std::string& message, const std::string& hint = "");
  // Nothing is wrong, but it may not be what was meant: one line.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  const std::vector<std::string>& notes() const { return notes_; }
  bool empty() const { return problems_.empty(); }
  size_t size() const { return problems_.size(); }
  std::vector<std::string> messages() const;  // without places and hints
  // All of them in the order of their places, at most three lines each; `config` names the file for
  // those without a place. Of a file that was never meant to be a config the first hundred are
  // enough.
  std::string text(const std::string& config) const;

 private:
  struct Problem {
    Location place;
    std::string message, hint;
  };
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

// A config that was read and found wrong.
class ConfigError : public Error {
 public:
  // `impossible`: each value for itself could be read, but they do not go together.
  ConfigError(const Problems& problems, const std::string& config, bool impossible);
  ~ConfigError() override;

  bool impossible() const { return impossible_; }
  const std::vector<std::string>& messages() const { return messages_; }

 private:
  bool impossible_;
  std::vector<std::string> messages_;
};

// Throws Error(kUsage) with this one problem, where reading cannot go on.
[[noreturn]] void refuse(const Location& place, const std::string& message,
                         const std::string& hint = "");

}  // namespace vitrine
