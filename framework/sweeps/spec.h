#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "framework/config/load.h"
#include "framework/sweeps/options.h"

namespace vitrine {

// A config that trials start from, merged from its bases.
struct BaseConfig {
  std::string file;
  Node written;
};

// What a sweep is to run: from a sweep file, or from configs and the command line.
struct SweepSpec {
  std::string name;  // its folder is runs/<name>/<id>
  std::vector<BaseConfig> configs;
  Node own = Node::mapping();      // what a file with sweep.configs sets in all of them
  Node written = Node::mapping();  // what stands under `sweep`, with its places
  SweepOptions options;

  // Where the first of these options that was given stands; else where `sweep` does, if anywhere.
  Location place_of(std::initializer_list<const char*> names) const;
};

// Reads configs, or one file that has a `sweep:` key. An assignment gives a key one value or
// several, seeds (seed=0..9), or an option of the sweep (sweep.trials=20); it replaces what the
// file says. `frozen`: the configs that a sweep began with, which are taken for those that its file
// names or holds. Throws Error(kUsage) with all problems at once.
SweepSpec read_spec(const std::vector<std::string>& files,
                    const std::vector<std::string>& assignments,
                    std::vector<BaseConfig> frozen = {});

// The sweep as a file that read_spec reads back.
std::string to_yaml(const SweepSpec& spec);

// Lets each config name the plug-ins that the command line names as well: trials are processes of
// their own.
void add_given_plugins(SweepSpec& spec);

}  // namespace vitrine
