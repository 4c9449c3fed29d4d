#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/reports/comparison.h"
#include "framework/reports/comparison_table.h"
#include "framework/reports/comparison_text.h"

namespace vitrine {

namespace {

using Rows = std::vector<std::vector<std::string>>;

struct CompareOptions {
  std::vector<std::string> places, where, baseline, tags, columns, pareto;
  KeyOptions keys;
  std::string metric, sort;
  bool json = false, csv = false, markdown = false, latex = false;
};

// Up to this many groups stand beside each other, more of them below each other.
constexpr size_t kMostBeside = 3;
constexpr size_t kMostNotes = 20;

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

Rows escaped(Rows rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = escape(cell);
  }
  return rows;
}

Rows transposed(const Rows& rows) {
  Rows out(rows.at(0).size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) out[i].push_back(row[i]);
  }
  return out;
}

// Takes out columns that do not fit the terminal; returns their names.
std::vector<std::string> fit(ComparisonTable& columns) {
  std::vector<std::string> gone;
  for (size_t i = columns.columns.size(); i-- > 0;) {
    if (width_of_lines(table(escaped(columns.rows()))) <= output_width()) break;
    if (!columns.columns[i].may_go) continue;
    gone.insert(gone.begin(), columns.columns[i].cells[0]);
    columns.columns.erase(columns.columns.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return gone;
}

std::string beside(const ComparisonTable& columns) {
  return table(escaped(transposed(columns.rows())), false);
}

// A group a row; beside each other where that alone fits the terminal.
std::string below(ComparisonTable columns) {
  const std::string other = beside(columns);
  const std::vector<std::string> gone = fit(columns);
  const std::string text = table(escaped(columns.rows()));
  if (width_of_lines(text) > output_width() && width_of_lines(other) <= output_width()) {
    return other;
  }
  if (gone.empty()) return text;
  return fmt::format("{}\nleft out for the terminal's width: {} (--columns chooses)", text,
                     escape(fmt::format("{}", fmt::join(gone, ", "))));
}

std::vector<std::string> left_out_of(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const auto& [run, reason] : comparison.left_out) {
    const std::string path = run->path.string();
    out.push_back(reason.starts_with(path) ? reason : fmt::format("{}: {}", path, reason));
  }
  return out;
}

// Which runs are not counted or are with care, and which are left out.
std::vector<std::string> notes_of(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const Group& group : comparison.groups) {
    for (const auto& [run, reason] : group.remarks) {
      const bool counted = std::count(group.counted.begin(), group.counted.end(), run) > 0;
      out.push_back(
          fmt::format("{}: {}{}", run->path.string(), reason, counted ? "" : ", not counted"));
    }
  }
  const std::vector<std::string> left_out = left_out_of(comparison);
  out.insert(out.end(), left_out.begin(), left_out.end());
  return out;
}

// Escaped, and of many the first.
std::vector<std::string> shortened(std::vector<std::string> notes) {
  const size_t more = notes.size() - std::min(notes.size(), kMostNotes);
  notes.resize(notes.size() - more);
  for (std::string& note : notes) note = escape(note);
  if (more > 0) notes.push_back(fmt::format("and {} more, which --json lists", more));
  return notes;
}

std::string shown_notes(const Comparison& comparison) {
  const std::vector<std::string> notes = shortened(notes_of(comparison));
  return notes.empty() ? "" : fmt::format("\n\n{}", fmt::join(notes, "\n"));
}

// A table for programs or papers says nothing else of the runs that are not in it.
void warn_of_left_out(const Comparison& comparison) {
  for (const std::string& note : shortened(left_out_of(comparison))) print_warning(note);
}

std::string shown_comparison(const Comparison& comparison, const CompareOptions& options) {
  const bool few = comparison.groups.size() <= kMostBeside;
  const ComparisonTable columns = table_of(comparison, options.columns, few);
  return few ? beside(columns) : below(columns);
}

// Says what is left.
std::string keep_front(Comparison& comparison, const std::vector<std::string>& names) {
  const size_t before = comparison.groups.size();
  const size_t gone = keep_pareto_front(comparison, names);
  if (gone == before) {
    throw Error(ExitCode::kUsage, escape(fmt::format("--pareto: no group has numbers for all of {}",
                                                     fmt::join(names, ", "))));
  }
  std::vector<std::string> words;
  for (const std::string& name : names) {
    const bool larger = comparison.info(name).goal == "max";
    words.push_back(fmt::format("{} ({} is better)", name, larger ? "larger" : "smaller"));
  }
  return fmt::format("on the Pareto front of {}: {} of {} groups", fmt::join(words, " and "),
                     before - gone, before);
}

ExitCode compare(const CompareOptions& options) {
  const auto records = read_runs(options.places, std::thread::hardware_concurrency());
  std::vector<const RunRecord*> runs;
  for (const RunRecord& record : records) runs.push_back(&record);
  runs = select_runs(runs, conditions_of(options.where, "--where"), options.tags);
  for (const std::string& name : options.columns) require_name(runs, name, "--columns");
  for (const std::string& name : options.pareto) require_name(runs, name, "--pareto");
  const bool reversed = options.sort.starts_with('-');
  const std::string sort = options.sort.substr(reversed ? 1 : 0);
  if (!options.sort.empty()) require_name(runs, sort, "--sort");

  Comparison comparison =
      compare_runs(runs, {options.metric, conditions_of(options.baseline, "--baseline"),
                          options.keys});
  std::string words = headline(comparison);
  if (!options.sort.empty() || comparison.groups.size() > 2) {
    sort_groups(comparison, options.sort.empty() ? comparison.metric : sort, reversed);
  }
  if (!options.pareto.empty()) words += "\n" + keep_front(comparison, options.pareto);
  if (options.csv || options.markdown || options.latex) warn_of_left_out(comparison);
  if (options.json) {
    print_json(comparison_json(comparison));
  } else if (options.csv) {
    print(comparison_csv(comparison, options.columns));
  } else if (options.markdown || options.latex) {
    const Rows rows = escaped(table_of(comparison, options.columns).rows());
    print(options.markdown ? to_markdown(rows) : to_latex(rows));
  } else {
    print(escape_lines(words) + "\n\n" + shown_comparison(comparison, options) +
          shown_notes(comparison));
  }
  return ExitCode::kDone;
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
      ->required();
  app.add_option("--metric", options->metric, "the metric that decides; default test/accuracy");
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
