#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/node.h"
#include "framework/error.h"

namespace vitrine {

class KnownKeys;

// Everything that is wrong with a config, gathered so that it can be shown at once.
class Problems {
 public:
  // `message` says what is wrong, `hint` what is allowed. `place` may be a default's, without a
  // source.
  void add(const Location& place, const std::string& message, const std::string& hint = "");
  // The hint of the last one.
  std::string& last_hint() { return problems_.back().hint; }
  // Those of `others` that are not there yet.
  void add_new(const Problems& others);
  // Nothing is wrong, but it may not be what was meant: one line.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  const std::vector<std::string>& notes() const { return notes_; }
  // The last so many are no mistakes of single values: each could be read, but they do not go
  // together.
  void note_broken_rules(size_t count) { broken_rules_ += count; }
  bool are_all_broken_rules() const { return broken_rules_ == problems_.size(); }
  bool empty() const { return problems_.empty(); }
  size_t size() const { return problems_.size(); }
  std::vector<std::string> messages() const;  // without places and hints
  // All of them in the order of their places, at most three lines each; `config` names the file for
  // those without a place. Of a file that was never meant to be a config the first hundred are
  // enough.
  std::string text(const std::string& config) const;

  // Tells which keys there are, wherever they may stand.
  using KeyLister = std::function<void(KnownKeys&)>;
  // While it lives, `list` is asked for the keys that are known, unless one of whoever reads
  // further out is.
  class KeyScope {
   public:
    KeyScope(Problems& problems, KeyLister list);
    KeyScope(const KeyScope&) = delete;
    KeyScope& operator=(const KeyScope&) = delete;
    ~KeyScope();

   private:
    Problems* problems_;  // nullptr: not asked
  };
  // `list` tells of more keys, which stand elsewhere than in what is read.
  void also_known(KeyLister list) { more_keys_ = std::move(list); }
  // What a key may be that is not known where it stands; listed when first asked for.
  const KnownKeys& known_keys();

 private:
  struct Problem {
    Location place;
    std::string message, hint;

    bool is_like(const Problem& other) const;
  };
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
  size_t broken_rules_ = 0;
  KeyLister keys_, more_keys_;
  std::shared_ptr<const KnownKeys> known_keys_;
};

// A config that was read and found wrong.
class ConfigError : public Error {
 public:
  // `impossible`: each value for itself could be read, but they do not go together.
  ConfigError(const Problems& problems, const std::string& config, bool impossible);
  ~ConfigError() override;

  bool impossible() const { return impossible_; }
  const Problems& problems() const { return problems_; }
  std::vector<std::string> messages() const { return problems_.messages(); }

 private:
  bool impossible_;
  Problems problems_;
};

// Throws Error(kUsage) with this one problem, where reading cannot go on.
[[noreturn]] void refuse(const Location& place, const std::string& message,
                         const std::string& hint = "");

}  // namespace vitrine
