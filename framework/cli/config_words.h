#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/node.h"

// What may follow on a command line, told from the JSON Schema of configs.
namespace vitrine {

// What a word may become. It goes on behind one that ends in "=", "." or "/".
struct Candidate {
  std::string word;
  std::string help = {};
};

// "model.hidden_d=", "training." for what begins like `word`: the keys one level further. Of a
// component that `config` chooses, or that is its default, the options; where neither tells, those
// of all. `ending` stands behind a key that takes a value.
std::vector<Candidate> complete_key(const nlohmann::ordered_json& schema, const Node& config,
                                    const std::string& word, std::string_view ending = "=");

// The same of "key=", "key+=" and what is begun behind it: components, choices, true and false. Of
// a list in brackets, and of the values of a sweep, which commas part, the last one is completed.
std::vector<Candidate> complete_value(const nlohmann::ordered_json& schema, const Node& config,
                                      const std::string& word, bool sweeps);

}  // namespace vitrine
