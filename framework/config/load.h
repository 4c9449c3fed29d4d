#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/config/known_keys.h"
#include "framework/config/merge.h"
#include "framework/config/node.h"

namespace vitrine {

// Tells which keys a config may have, for those who wrote one that it has not.
using KeysOf = std::function<KnownKeys(const Node& config)>;

// Where a config comes from: a file, what the command line sets ("optimizer.lr=0.01") and what it
// takes back ("model.mlp").
struct ConfigSource {
  std::filesystem::path file;
  std::vector<std::string> overrides;
  std::vector<std::string> unset;
};

// The config as written: the file over its bases, overrides over the file, each value with its own
// place; texts may refer to other keys still (see references.h). `base` and `unset` are gone. The
// file may be missing, a pipe, or "-" for standard input, whose bases count from the current
// folder. Throws Error(kUsage) with the place: unreadable files, a cycle of bases (with the chain),
// malformed overrides.
Node load_config(const ConfigSource& source, const KeysOf& keys_of = {});

// An argument "a.b=value", or "a.b+=value" for more items of a list. Commas outside brackets and
// quotes part several values, which a sweep takes one after the other.
class Assignment {
 public:
  // Throws Error(kUsage) with the place for what is none.
  explicit Assignment(const std::string& text);

  const std::string& path() const { return path_; }
  bool appends() const { return appends_; }
  size_t size() const { return pieces_.size(); }
  std::string text(size_t i) const;   // of the value
  Node value(size_t i) const;         // see parse_value; a list where it appends
  Location place(size_t byte) const;  // in the argument
  Location value_place(size_t i) const { return place(pieces_[i].begin); }

 private:
  struct Piece {
    size_t begin, end;
  };
  std::shared_ptr<Source> source_;
  std::string path_;
  bool appends_ = false;
  std::vector<Piece> pieces_;
};

// Sets the value at a dotted path, which stands where the value has its key, else at the start of
// its argument; list items are addressed by number.
void set_value(Node& config, const std::string& path, Node value);

// Where relative bases of a config count from; the current folder for a pipe.
std::filesystem::path folder_of(const std::filesystem::path& config);

// The name of an experiment whose config does not say it: "vit_mnist" of "configs/vit_mnist.yaml",
// "stdin" of standard input, "config" of other pipes.
std::string default_name(const std::filesystem::path& file);

// Sets what "a.b=value" says. Throws Error(kUsage) for several values.
void apply_override(Node& config, const std::string& assignment, const KeysOf& keys_of = {});

// How deep the value at `path` lies; `a.type` chooses `a` itself. Values are set in this order, so
// that `optimizer=sgd` does not drop an `optimizer.lr` that was given before it.
ptrdiff_t depth_of(const std::string& path);

// The last part of `path`, if no other of `paths` has the same; else all of it.
std::string short_name(const std::string& path, const std::vector<std::string>& paths);

// "a.yaml:7:13", "command line", or "default": where the value at `path` of the resolved config
// came from; behind it the text with "${...}" that it was made of, if any.
std::string origin_of(const Node& written, const std::string& path);

// `resolved` as YAML; `comment` (if any) is asked for a remark behind each value, by its path.
std::string to_commented_yaml(const Node& resolved,
                              const std::function<std::string(const std::string& path)>& comment);

}  // namespace vitrine
