#include "framework/cli/annotations.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/cpus.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostTextBytes = 64 << 10;

bool is_place(const std::string& word) { return holds_run(word) || holds_sweep(word); }

void require_place(const std::string& word, const std::string& hint) {
  if (is_place(word)) return;
  const size_t below = find_runs(word).runs.size();
  if (below > 0) {
    throw Error(ExitCode::kUsage,
                fmt::format("{} is a folder of {}: name the runs that are meant, or a sweep",
                            escape(word), counted_runs(below)));
  }
  try {
    RunDirectory::open(word);
  } catch (const Error& error) {
    throw Error(error.code(), error.what() + hint);
  }
}

}  // namespace

AnnotatedRuns annotated_runs(const std::vector<std::string>& words, bool all_places,
                             const std::string& hint) {
  const auto last = std::find_if(words.rbegin(), words.rend(), is_place).base();
  const auto end = all_places ? words.end() : std::max(last, words.begin() + 1);
  const std::vector<std::string> places(words.begin(), end);
  for (const std::string& place : places) require_place(place, hint);
  AnnotatedRuns out;
  out.words.assign(end, words.end());
  PassedOver passed_over;
  out.runs = read_runs(places, allowed_cpus(), &passed_over);
  // Of a sweep all trials are meant: none that cannot be read is left out.
  if (!passed_over.unreadable.empty()) throw Error(ExitCode::kFailed, passed_over.text());
  tell_passed_over(passed_over);
  for (const RunRecord& run : out.runs) {
    if (!run.is_readable()) throw Error(ExitCode::kData, run.error);
  }
  return out;
}

std::vector<Relabelled> annotate(const std::vector<RunRecord>& runs, const LabelChange& change) {
  std::vector<Relabelled> out;
  for (const RunRecord& run : runs) out.push_back(annotate(run.path, run.own, change));
  return out;
}

void print_labels_json(const std::vector<RunRecord>& runs, const std::vector<Labels>& labels) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    out.push_back(
        {{"run", runs[i].path.string()}, {"note", labels[i].note}, {"tags", labels[i].tags}});
  }
  print_json(out);
}

std::string counted_runs(size_t runs) { return runs == 1 ? "1 run" : fmt::format("{} runs", runs); }

void require_text(const std::string& text, const std::string& what) {
  if (!is_utf8(text)) throw Error(ExitCode::kUsage, what + " is no UTF-8");
  if (text.size() <= kMostTextBytes) return;
  throw Error(ExitCode::kUsage,
              fmt::format("{} has {} bytes; {} are allowed", what, text.size(), kMostTextBytes));
}

}  // namespace vitrine
