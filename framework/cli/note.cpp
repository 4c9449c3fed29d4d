#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/annotations.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"

namespace vitrine {

namespace {

struct NoteOptions {
  std::vector<std::string> words;
  std::string text;
  bool append = false, clear = false, json = false;
};

std::vector<Labels> labels_of(const std::vector<RunRecord>& runs) {
  std::vector<Labels> out;
  for (const RunRecord& run : runs) out.push_back({run.metrics.note, run.metrics.tags});
  return out;
}

void print_notes(const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs) {
    const std::string& note = run.metrics.note;
    const std::string shown = note.empty() ? "no note" : escape_lines(note);
    print(runs.size() == 1 ? shown : escape(run.path.string()) + ": " + shown);
  }
}

// What was replaced is said, so that it can be put back.
void print_changes(const std::vector<RunRecord>& runs, const std::vector<Relabelled>& changes,
                   const NoteOptions& options) {
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string& before = changes[i].before.note;
    if (options.append || before.empty() || before == changes[i].after.note) continue;
    print(fmt::format("{}: the note was: {}", escape(runs[i].path.string()), escape_lines(before)));
  }
  print(fmt::format("{}: {}",
                    runs.size() == 1 ? escape(runs[0].path.string()) : counted_runs(runs.size()),
                    options.clear ? "no note any more" : "noted"));
}

ExitCode note(const NoteOptions& options) {
  const bool given = !options.text.empty() || options.clear;
  const AnnotatedRuns annotated =
      annotated_runs(options.words, given, "; a note of several words stands in quotes");
  if (annotated.words.size() > 1) {
    throw Error(ExitCode::kUsage,
                fmt::format("a note is one text: put \"{}\" in quotes",
                            escape(fmt::format("{}", fmt::join(annotated.words, " ")))));
  }
  LabelChange change;
  if (options.clear) change.note = "";
  if (!options.text.empty()) change.note = options.text;
  if (!annotated.words.empty()) change.note = annotated.words[0];
  change.appends = options.append;
  if (!change.note) {
    if (options.append) throw Error(ExitCode::kUsage, "--append: give the text to append");
    options.json ? print_labels_json(annotated.runs, labels_of(annotated.runs))
                 : print_notes(annotated.runs);
    return ExitCode::kDone;
  }
  require_text(*change.note, "the note");
  const std::vector<Relabelled> changes = annotate(annotated.runs, change);
  if (!options.json) {
    print_changes(annotated.runs, changes, options);
    return ExitCode::kDone;
  }
  std::vector<Labels> after;
  for (const Relabelled& one : changes) after.push_back(one.after);
  print_labels_json(annotated.runs, after);
  return ExitCode::kDone;
}

}  // namespace

Action note_verb(CLI::App& app) {
  auto options = std::make_shared<NoteOptions>();
  app.add_option(
         "RUN", options->words,
         "runs, or sweeps, of which all trials are meant; then the text, in quotes. Without "
         "a text their notes are printed")
      ->required();
  auto* text = app.add_option("--text", options->text, "the text, also where a run has its name");
  auto* append = app.add_flag("--append", options->append, "add the text to the note, as a line");
  app.add_flag("--clear", options->clear, "take the note away")->excludes(text)->excludes(append);
  app.add_flag("--json", options->json, "print JSON");
  return [options] { return note(*options); };
}

}  // namespace vitrine
