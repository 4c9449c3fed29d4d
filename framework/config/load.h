#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/config/node.h"

namespace vitrine {

// Where a config comes from: a file, what the command line sets ("optimizer.lr=0.01") and what it
// takes back ("model.mlp").
struct ConfigSource {
  std::filesystem::path file;
  std::vector<std::string> overrides;
  std::vector<std::string> unset;
};

// The config as written: the file over its bases, overrides over the file, each value with its own
// place. `base` is gone. Throws Error(kUsage) with the place: unreadable files, a cycle of bases
// (with the chain), malformed overrides.
Node load_config(const ConfigSource& source);

// `over` on top of `base`: mappings merge, everything else replaces. A component's shorthand (`mlp:
// gelu`) counts as {type: gelu}, and where `type` changes the base's options of that component are
// dropped.
Node merge(Node base, Node over);

// Sets what "a.b=value" says; list items are addressed by number.
void apply_override(Node& config, const std::string& assignment);

// "a.yaml:7:13", "command line", or "default": where the value at `path` of the resolved config
// came from.
std::string origin_of(const Node& written, const std::string& path);

// `resolved` as YAML; `comment` (if any) is asked for a remark behind each value, by its path.
std::string to_commented_yaml(const Node& resolved,
                              const std::function<std::string(const std::string& path)>& comment);

}  // namespace vitrine
