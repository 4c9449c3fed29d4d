#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/comparing/runs.h"

namespace vitrine {

// Which keys count when runs are told apart, beyond what the runs themselves say of them.
struct KeyOptions {
  std::vector<std::string> over;    // they repeat an experiment; empty: those that the runs name
  std::vector<std::string> ignore;  // runs that differ in them are pooled
  std::vector<std::string> by;      // they count although they change no result
};

// The keys whose values repeat an experiment: of all runs, or those of `options`.
std::vector<std::string> replicate_keys(const std::vector<const RunRecord*>& runs,
                                        const KeyOptions& options = {});

// The keys that results depend on and that are not the same in all runs, in the order of the
// config; then what is beyond configs: data, code, changes on the way. What follows from another
// key alone (an option at its default that only one of two types has) is not among them.
std::vector<std::string> differing_keys(const std::vector<const RunRecord*>& runs,
                                        const KeyOptions& options = {});

// What runs are told apart by at such a key: of a place the digest of what lies there; none where
// the run has no such key.
std::optional<nlohmann::ordered_json> telling_value(const RunRecord& run, const std::string& key);

// The key under which a resume that changed a result tells its run from others.
inline constexpr const char* kChangesKey = "changes";

}  // namespace vitrine
