#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "framework/cli/compare_view.h"
#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/comparing/comparison_formats.h"
#include "framework/comparing/comparison_text.h"

namespace vitrine {

namespace {

struct CompareOptions {
  std::vector<std::string> places, where, baseline, tags, columns, pareto;
  KeyOptions keys;
  std::string metric, sort;
  bool json = false, csv = false, markdown = false, latex = false;
};

std::vector<Condition> conditions_of(const std::vector<std::string>& texts, const char* option) {
  std::vector<Condition> out;
  for (const std::string& text : texts) out.emplace_back(text, option);
  return out;
}

// Around a name.
std::string without_spaces(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// Says what is left.
std::string keep_front(Comparison& comparison, const std::vector<std::string>& names) {
  const size_t before = comparison.groups.size();
  const size_t gone = keep_pareto_front(comparison, names);
  if (gone == before)
    return fmt::format("no group has numbers for all of {}", fmt::join(names, ", "));
  std::vector<std::string> words;
  for (const std::string& name : names) {
    const bool larger = comparison.info(name).goal == "max";
    words.push_back(fmt::format("{} ({} is better)", name, larger ? "larger" : "smaller"));
  }
  return fmt::format("on the Pareto front of {}: {} of {} groups", fmt::join(words, " and "),
                     before - gone, before);
}

// What is said of each section, which is sorted and cut down to what was asked for.
std::vector<std::string> conclude(std::vector<ComparedSection>& sections,
                                  const CompareOptions& options) {
  const bool reversed = options.sort.starts_with('-');
  const std::string sort = options.sort.substr(reversed ? 1 : 0);
  std::vector<std::string> out;
  bool any_left = false;
  for (ComparedSection& section : sections) {
    Comparison& comparison = section.comparison;
    out.push_back(headline(comparison));
    if (!sort.empty() || comparison.groups.size() > 2)
      sort_groups(comparison, sort.empty() ? comparison.metric : sort, reversed);
    if (!options.pareto.empty()) out.back() += "\n" + keep_front(comparison, options.pareto);
    any_left = any_left || !comparison.groups.empty();
  }
  if (!any_left) {
    throw Error(ExitCode::kUsage, escape(fmt::format("--pareto: no group has numbers for all of {}",
                                                     fmt::join(options.pareto, ", "))));
  }
  return out;
}

ExitCode compare(const CompareOptions& options) {
  PassedOver passed_over;
  const auto& records = kept_runs(options.places, passed_over);
  std::vector<const RunRecord*> runs;
  for (const RunRecord& record : records) runs.push_back(&record);
  runs = select_runs(runs, conditions_of(options.where, "--where"), options.tags);
  for (const std::string& name : options.columns) require_name(runs, name, "--columns");
  for (const std::string& name : options.pareto) require_name(runs, name, "--pareto");
  if (!options.sort.empty()) {
    require_name(runs, options.sort.substr(options.sort.starts_with('-') ? 1 : 0), "--sort");
  }
  std::vector<ComparedSection> sections = compare_sections(
      runs, {options.metric, conditions_of(options.baseline, "--baseline"), options.keys});
  const std::vector<std::string> words = conclude(sections, options);
  if (options.csv || options.markdown || options.latex) warn_of_left_out(sections);
  if (options.json) {
    auto json = comparison_json(sections);
    json["passed_over"] = passed_over.json();
    print_json(json);
  } else if (options.csv) {
    print(comparison_csv(sections, options.columns));
  } else if (options.markdown || options.latex) {
    print_tables(sections, options.columns, options.markdown);
  } else {
    print_comparison(sections, words, options.columns);
  }
  return tell_passed_over(passed_over);
}

}  // namespace

Action compare_verb(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* help) {
    return app.add_option(name, values, help)->allow_extra_args(false);
  };
  const auto names = [&](const char* name, std::vector<std::string>& values, const char* help) {
    list(name, values, help)->delimiter(',')->transform(without_spaces);
  };
  app.add_option("RUN-OR-FOLDER", options->places, "runs, or folders of runs or sweeps")
      ->transform(path_option())
      ->required();
  app.add_option(
      "--metric", options->metric,
      "the metric that decides; default that of the test which best checkpoints are chosen by");
  list("--where", options->where, "only runs with, such as model.hidden_d=8,16; or != < <= > >=");
  list("--tag", options->tags, "only runs with this tag");
  list("--baseline", options->baseline,
       "what the others are compared with, such as model.mlp=gelu; default: of two the first, of "
       "more the best");
  app.add_option("--sort", options->sort,
                 "a metric (best first) or key, after - the other way round; default: the metric");
  names("--columns", options->columns, "keys and metrics to show, such as model.mlp,test/loss");
  names("--pareto", options->pareto,
        "only what nothing beats in all of, such as test/accuracy,model.parameters");
  names("--over", options->keys.over,
        "keys that repeat an experiment instead of the seed, such as dataset.split_seed");
  names("--ignore", options->keys.ignore,
        "pool runs that differ in these, such as environment.git; marked");
  names("--by", options->keys.by,
        "tell runs apart by these too, which change no result, such as threads");
  std::vector<CLI::Option*> formats = {
      app.add_flag("--json", options->json, "print JSON"),
      app.add_flag("--csv", options->csv, "print CSV, numbers in full"),
      app.add_flag("--markdown", options->markdown, "print a table in Markdown"),
      app.add_flag("--latex", options->latex, "print a table in LaTeX")};
  for (CLI::Option* format : formats) {
    for (CLI::Option* other : formats) {
      if (format != other) format->excludes(other);
    }
  }
  return [options] { return compare(*options); };
}

}  // namespace vitrine
