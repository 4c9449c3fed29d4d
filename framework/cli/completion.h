#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "framework/error.h"

namespace vitrine {

// The words behind the program's name by which a shell's script asks for the words that may follow:
// `completion --complete WORD...`. The last one is begun, or empty; options are among them, so that
// they are no command line to parse.
bool asks_for_completion(const std::vector<std::string>& arguments);

// Prints them, a line each, with a tab and a few words of help behind it; nothing where there is
// none. Runs no code of a plug-in, and tells of no mistake: a prompt is not the place for it.
ExitCode print_completion(const CLI::App& program, const std::vector<std::string>& arguments);

}  // namespace vitrine
