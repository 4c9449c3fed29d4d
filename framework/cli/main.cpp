#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <new>

#include "framework/cli/completion.h"
#include "framework/cli/terminal.h"
#include "framework/cli/training.h"
#include "framework/cli/verbs.h"
#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/files/paths.h"
#include "framework/files/place.h"
#include "framework/ranks/ranks.h"
#include "framework/registry/crash.h"
#include "framework/registry/given_plugins.h"
#include "framework/registry/plugin.h"
#include "framework/runs/environment.h"

namespace vitrine {
namespace {

struct Verb {
  const char* name;
  const char* help;
  Action (*declare)(CLI::App&);
  bool shares_ranks = false;  // whether several processes, as mpirun starts them, do it together
};

constexpr Verb kVerbs[] = {
    {"train", "train, then test; the word may be left out", train_verb, true},
    {"resume", "go on exactly where a run or a sweep stopped", resume_verb, true},
    {"sweep", "many runs: variants of a config, and seeds", sweep_verb},
    {"status", "what is running, done, interrupted, failed", status_verb},
    {"watch", "follow runs while they go on: a table with curves", watch_verb},
    {"compare", "what differs between runs, and whether the difference is noise", compare_verb},
    {"test", "evaluate a run's checkpoint, or weights from a file", test_verb, true},
    {"predict", "class and probability of images", predict_verb},
    {"show", "the resolved config with the origin of every value, and the model", show_verb},
    {"list", "the registered components and their options", list_verb},
    {"check", "try a component, or all of a plug-in: does it keep what its kind promises?",
     check_verb},
    {"schema", "JSON Schema of configs, for completion in editors", schema_verb},
    {"report", "a page with tables and charts about runs", report_verb},
    {"plot", "pictures of a model", plot_verb},
    {"export", "weights for PyTorch, models as ONNX, what runs told for TensorBoard", export_verb},
    {"data", "what a data set holds: a table, or a page with its images", data_verb},
    {"pack", "the images of a data set in one file, which is read fast", pack_verb},
    {"note", "write a note about runs, or read it", note_verb},
    {"plugin", "start a component of one's own, in a library of its own", plugin_verb},
    {"tag", "give runs tags, or take them away", tag_verb},
    {"completion", "a script by which a shell completes words, for bash, zsh and fish",
     completion_verb},
};

std::vector<std::string> words;
bool trace = false;

constexpr const char* kOutOfMemory =
    "out of memory; a smaller training.batch_size or model needs less";

// A file that is opened later must not take the place of a stream that was closed.
void open_closed_streams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    // Read-only, so that what is written to it fails and is told.
    [[maybe_unused]] const int same = open("/dev/null", O_RDONLY);
  }
}

// An empty value, as of a variable of a script that is not set, is not taken for none.
void refuse_empty_values(CLI::App& app) {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("expected a value, got an empty text") : std::string();
  };
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() > 0) option->check(check);
  }
}

// Whether all that was printed has arrived.
bool flush_output() {
  std::cout.flush();
  const bool failed = !std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  std::fflush(stderr);
  return !failed;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> out;
  for (const Verb& verb : kVerbs) out.emplace_back(verb.name);
  return out;
}

// "runner a.yaml x=1" is "runner train a.yaml x=1"; a word that is neither a verb nor looks like a
// file is a mistake.
void insert_default_verb(std::vector<std::string>& arguments) {
  const auto first = std::find_if(arguments.begin(), arguments.end(), [](const std::string& word) {
    return !word.starts_with("-") || word == "-";
  });
  const auto is_own = [](const std::string& word) {
    return word == "-h" || word == "--help" || word == "--version" || word == "--trace";
  };
  if (const auto other = std::find_if_not(arguments.begin(), first, is_own); other != first) {
    throw Error(
        ExitCode::kUsage,
        fmt::format("{}: options follow the config or the verb; runner --help lists the verbs",
                    escape(*other)));
  }
  if (first == arguments.end()) return;
  const auto names = verb_names();
  if (std::find(names.begin(), names.end(), *first) != names.end()) return;
  const bool file =
      *first == "-" || first->find_first_of("./~") != std::string::npos || exists(*first);
  if (!file) {
    const std::string near = nearest_names(*first, names);
    throw Error(
        ExitCode::kUsage,
        fmt::format("\"{}\" is neither a config file nor a verb{}; runner --help lists the verbs",
                    escape(*first), near.empty() ? "" : " (did you mean " + near + "?)"));
  }
  arguments.insert(first, "train");
}

// Of what several processes would each do once more.
ExitCode refuse_ranks(const std::string& verb) {
  const Launched by = launched();
  join_ranks_quietly();
  throw Error(
      ExitCode::kUsage,
      fmt::format("{} has started {} processes, and runner {} is for one: train, resume and "
                  "test share their work among several",
                  by.by, by.count, verb));
}

ExitCode run(std::vector<std::string> arguments) {
  CLI::App app(
      "Vitrine: experiments in C++ on libtorch, driven by YAML configs.\n\n  runner CONFIG "
      "[key=value ...]");
  app.name("runner");
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version",
                       [] { return "vitrine " + describe_environment().value("vitrine", ""); });
  app.add_flag("--trace", trace, "show where an internal error came from");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  Action action;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    sub->set_help_flag("-h,--help", "print this help");
    sub->add_flag("--trace", trace, "show where an internal error came from");
    Action declared = verb.declare(*sub);
    refuse_empty_values(*sub);
    sub->callback([&action, declared, &verb] {
      action = verb.shares_ranks || launched().count == 1 ? declared : [&verb] {
        return refuse_ranks(verb.name);
      };
    });
  }
  if (arguments.empty()) {
    throw Error(
        ExitCode::kUsage,
        "give a config, such as configs/vit_digits.yaml, or a verb; runner --help lists the verbs");
  }
  if (asks_for_completion(arguments)) return print_completion(app, arguments);
  insert_default_verb(arguments);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* verb = &app;
    std::string before;
    for (; !verb->get_subcommands().empty(); verb = verb->get_subcommands()[0])
      before += (before.empty() ? "" : " ") + verb->get_name();
    std::cout << verb->help(before);
    return ExitCode::kDone;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << "\n";
    return ExitCode::kDone;
  } catch (const CLI::ParseError& error) {
    const auto used = app.get_subcommands();
    const std::string verb = used.empty() ? "" : " " + used[0]->get_name();
    throw Error(ExitCode::kUsage,
                fmt::format("{}; runner{} --help tells what it takes", escape(error.what()), verb));
  }
  return action();
}

}  // namespace

CLI::Validator at_least_one() {
  const auto check = [](std::string& text) {
    const auto number = parse_integer(text);
    if (!number || *number < 1)
      return fmt::format("expected a whole number at least 1, got \"{}\"", text);
    text = std::to_string(*number);  // CLI11 itself reads neither 1e4 nor 1_000
    return std::string();
  };
  return CLI::Validator(check, "AT LEAST 1");
}

void add_plugin_option(CLI::App& app) {
  app.add_option("--plugin", given_plugins(),
                 "a shared library with more components, beside those of the config or the run; "
                 "may be given again")
      ->transform(path_option())
      ->allow_extra_args(false);
}

CLI::Validator path_option() {
  const auto expand = [](std::string& text) {
    Node path = Node::string(text);
    note_references(path);
    if (path.refers.empty()) {
      text = expand_home(text);
      return std::string();
    }
    path.location.source = std::make_shared<Source>(Source{"command line", {text}});
    path = with_environment(path);
    if (!path.refers.empty()) return text + ": only ${env:NAME} can stand in a path here";
    text = expand_home(path.scalar);
    return std::string();
  };
  return CLI::Validator(expand, "");
}

const std::vector<std::string>& command_line() { return words; }

int main_of(int argc, char** argv) {
  words.assign(argv, argv + argc);
  tell_of_loading({print_aside, print_warning});
  const auto fail = [](ExitCode code, const std::string& text) {
    print_error(text);
    ranks().fail(code, text);
    return static_cast<int>(code);
  };
  try {
    std::error_code error;
    if (std::filesystem::current_path(error).empty())
      throw Error(ExitCode::kFailed, "the current directory does not exist");
    return static_cast<int>(run({argv + 1, argv + argc}));
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(ExitCode::kFailed,
                fmt::format("{}: {}", escape(error.path1().string()), error.code().message()));
  } catch (const std::exception& error) {
    const std::string text = error.what();
    if (!trace && is_out_of_memory(error)) return fail(ExitCode::kFailed, kOutOfMemory);
    // libtorch's errors carry a stack trace behind the first lines.
    const size_t end = trace ? text.npos
                             : std::min({text.find("\nException raised from"),
                                         text.find("\nframe #0"), text.find('\n', 2000)});
    return fail(ExitCode::kInternal, "internal error: " + text.substr(0, end) +
                                         (trace ? "" : "\n       (--trace shows where)"));
  } catch (...) {
    return fail(ExitCode::kInternal, "internal error: an exception that is no std::exception");
  }
}

}  // namespace vitrine

int main(int argc, char** argv) {
  vitrine::open_closed_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // beyond a limit of a file's size, writing fails with a message
  vitrine::tell_crashes(STDERR_FILENO,
                        vitrine::is_terminal(STDERR_FILENO) ? "\r\033[Kerror: " : "error: ", "\n");
  vitrine::end_with_parent();
  int code = vitrine::main_of(argc, argv);
  if (!vitrine::flush_output() && code == 0) {
    vitrine::print_error("what was printed could not be written to standard output");
    code = static_cast<int>(vitrine::ExitCode::kFailed);
  }
  vitrine::ranks().leave(code);
  // Libraries that hold components stay loaded and need no teardown; libtorch's takes time.
  std::_Exit(code);
}
