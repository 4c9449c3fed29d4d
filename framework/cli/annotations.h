#pragma once

#include <string>
#include <vector>

#include "framework/comparing/runs.h"
#include "framework/runs/annotations.h"

// What the verbs note and tag share.
namespace vitrine {

// A command line of runs and, after them, words that are none: a text, or tags.
struct AnnotatedRuns {
  std::vector<RunRecord> runs;
  std::vector<std::string> words;
};

// A word is a place where it holds a run or a sweep, of which all trials are meant. The first must
// be one, and each before the last that is; with `all_places` every word. Throws Error(kUsage) for
// what is none (`hint` is added) and for a folder of several runs, Error(kData) for a run that
// cannot be read.
AnnotatedRuns annotated_runs(const std::vector<std::string>& words, bool all_places,
                             const std::string& hint);

// Changes all, and gives their labels before and after.
std::vector<Relabelled> annotate(const std::vector<RunRecord>& runs, const LabelChange& change);

// [{"run": ..., "note": ..., "tags": [...]}]
void print_labels_json(const std::vector<RunRecord>& runs, const std::vector<Labels>& labels);

// "12 runs", "1 run"
std::string counted_runs(size_t runs);

// Throws Error(kUsage) for a text that is no UTF-8, or of more than 64 KiB; `what` begins the
// message.
void require_text(const std::string& text, const std::string& what);

}  // namespace vitrine
