#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/cli/annotations.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

struct TagOptions {
  std::vector<std::string> words, add, remove;
  bool json = false;
};

constexpr size_t kMostLines = 20;

bool has(const std::vector<std::string>& tags, const std::string& tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::string joined(const std::vector<std::string>& tags) {
  return tags.empty() ? "no tags" : escape(fmt::format("{}", fmt::join(tags, ", ")));
}

void require_tags(const TagOptions& options) {
  for (const auto* tags : {&options.add, &options.remove}) {
    for (const std::string& tag : *tags) {
      require_text(tag, "a tag");
      if (tag.find_first_not_of(" \t\n") == tag.npos)
        throw Error(ExitCode::kUsage, "a tag is a word, not blanks alone");
      if (tag != kConfirmingTag) continue;
      throw Error(ExitCode::kUsage,
                  fmt::format("the tag {} is a sweep's: it parts runs that try a winner again from "
                              "those that chose it",
                              tag));
    }
  }
  for (const std::string& tag : options.add) {
    if (!has(options.remove, tag)) continue;
    throw Error(ExitCode::kUsage, fmt::format("the tag {} is both given and removed", escape(tag)));
  }
}

// A tag that none of them has is a mistake, not one that is gone already.
void require_present(const std::vector<RunRecord>& runs, const std::vector<std::string>& removed) {
  std::vector<std::string> all;
  for (const RunRecord& run : runs) {
    for (const std::string& tag : run.metrics.tags) {
      if (!has(all, tag)) all.push_back(tag);
    }
  }
  for (const std::string& tag : removed) {
    if (has(all, tag)) continue;
    throw Error(ExitCode::kUsage,
                fmt::format("--remove {}: {} {}", escape(tag),
                            runs.size() == 1 ? "the run does not have this tag; it has"
                                             : "no run has this tag; they have",
                            joined(all)));
  }
}

void print_tags(const std::vector<RunRecord>& runs, const std::vector<Labels>& labels) {
  for (size_t i = 0; i < std::min(runs.size(), kMostLines); ++i)
    print(escape(runs[i].path.string()) + ": " + joined(labels[i].tags));
  if (runs.size() > kMostLines) print(fmt::format("... {} in all", counted_runs(runs.size())));
}

ExitCode tag(TagOptions options) {
  const AnnotatedRuns annotated = annotated_runs(options.words, false, "; tags follow the runs");
  for (const std::string& word : annotated.words) {
    if (word.find('/') != word.npos)
      annotated_runs({word}, true, "; a tag with a slash is given by --add");
    options.add.push_back(word);
  }
  require_tags(options);
  require_present(annotated.runs, options.remove);
  const bool changes = !options.add.empty() || !options.remove.empty();
  std::vector<Labels> labels;
  for (const RunRecord& run : annotated.runs) {
    labels.push_back(
        changes ? annotate(run.path, run.own, {{}, false, options.add, options.remove}).after
                : Labels{run.metrics.note, run.metrics.tags});
  }
  options.json ? print_labels_json(annotated.runs, labels) : print_tags(annotated.runs, labels);
  return ExitCode::kDone;
}

}  // namespace

Action tag_verb(CLI::App& app) {
  auto options = std::make_shared<TagOptions>();
  app.add_option(
         "RUN", options->words,
         "runs, or sweeps, of which all trials are meant; then the tags. Without tags those "
         "that they have are printed")
      ->required();
  app.add_option("--add", options->add, "a tag, also where a run has its name")
      ->allow_extra_args(false);
  app.add_option("--remove", options->remove, "a tag to take away")->allow_extra_args(false);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return tag(*options); };
}

}  // namespace vitrine
