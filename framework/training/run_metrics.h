#pragma once

#include <string>

#include "framework/runs/metrics.h"
#include "framework/training/evaluation.h"
#include "framework/training/setup.h"
#include "framework/training/state.h"

// What a run tells of itself in metrics.json, in metrics.jsonl and in words.
namespace vitrine {

// Fills in all that is known before the first step.
void describe(Metrics& metrics, const ResolvedConfig& config, const Data& data, Learner& learner);

// The paths of the places in a config that results depend on: data sets and libraries have digests
// of their own, and loggers only write.
std::vector<std::string> places_of_results(const Config& config);

// SHA-256 of what lies at each of these, a file, the model of a run or a folder (folder_digest), by
// its path; what is not there has none. And what the experiment depends on besides.
nlohmann::ordered_json contents_of(const ResolvedConfig& config, const Experiment& experiment);

// What the bits of the results depend on besides config, data and steps.
nlohmann::json exactness_of(const Config& config);

// What the sums tell: "train/loss" and the other measures, "train/grad_norm".
Metrics::Object row_of(const Sums& sums, const std::vector<Measure>& measures);

// One line for people about an epoch's row.
std::string epoch_line(const Metrics::Object& row, const std::vector<Measure>& measures,
                       int64_t epochs);

// What test.json holds.
nlohmann::ordered_json test_json(const Data& data, const std::string& checkpoint,
                                 const Evaluation& test);

// What tables show of a finished run: the test's values, training's of the last epoch, and
// validation's of the checkpoint that was tested.
Metrics::Object summary_of(const Metrics& metrics, const Metrics::Object& test, double seconds);

}  // namespace vitrine
