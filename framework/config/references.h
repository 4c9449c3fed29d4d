#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/config/known_keys.h"
#include "framework/config/node.h"
#include "framework/config/problems.h"

// Texts of a config that refer to other values: "${model.hidden_d}" is the value of that key,
// "${env:HOME}" that of an environment variable, and "$${" a literal "${". Alone it stands for the
// whole value, which keeps its type; within a text it is put in as a text.
namespace vitrine {

// Whether a text refers to one of `keys`, or to what is above or below it.
bool refers_to_any(const std::string& text, const std::vector<std::string>& keys);

// Marks a scalar that refers to values; of others "$${" becomes "${".
void note_references(Node& scalar);

// `config` with the values of environment variables. Throws Error(kUsage), with the place, where
// one is not set or a reference is no such thing.
Node with_environment(Node config);

// `config` with the values of its own keys, as far as it says them itself; the rest goes on
// referring.
Node with_own_values(const Node& config);

// What resolving may need to know beyond the config.
struct ReferenceContext {
  // A config, in which some texts may go on referring, with every default; asked at most once.
  std::function<Node(const Node& config)> completed;
  std::function<KnownKeys(const Node& config)> known;  // for those who misspelled a key
};
// `config` with the values of all keys that its texts refer to. Unknown keys and cycles go to
// `problems`, and what refers to them is left out.
Node with_values(const Node& config, const ReferenceContext& context, Problems& problems);

// `config`, which has every value, with those anew that `written` makes of the values of `keys`,
// such as {dataset: {split_seed: "${seed}"}} of the seed.
Node with_followers(Node config, const Node& written, const std::vector<std::string>& keys);

}  // namespace vitrine
