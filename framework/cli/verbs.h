#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "framework/error.h"

namespace vitrine {

using Action = std::function<ExitCode()>;

// One file a verb: declares its options on `app` and returns what it does once they are parsed.
Action train_verb(CLI::App& app);
Action resume_verb(CLI::App& app);
Action sweep_verb(CLI::App& app);
Action status_verb(CLI::App& app);
Action watch_verb(CLI::App& app);
Action compare_verb(CLI::App& app);
Action test_verb(CLI::App& app);
Action predict_verb(CLI::App& app);
Action show_verb(CLI::App& app);
Action list_verb(CLI::App& app);
Action check_verb(CLI::App& app);
Action schema_verb(CLI::App& app);
Action plot_verb(CLI::App& app);
Action plot_curves_verb(CLI::App& app);  // a subcommand of plot
Action report_verb(CLI::App& app);
Action export_verb(CLI::App& app);
Action pack_verb(CLI::App& app);
Action data_verb(CLI::App& app);
Action note_verb(CLI::App& app);
Action tag_verb(CLI::App& app);
Action plugin_verb(CLI::App& app);
Action completion_verb(CLI::App& app);

// Refuses, for an option, what is no whole number above 0.
CLI::Validator at_least_one();

// Puts the home folder for "~" and environment variables for "${env:NAME}" in a path. Shells do so
// themselves, except within --option=~/x.
CLI::Validator path_option();

// --plugin FILE, for a verb that builds something.
void add_plugin_option(CLI::App& app);

// The words that this process was started with.
const std::vector<std::string>& command_line();

}  // namespace vitrine
