#pragma once

#include <string>
#include <vector>

#include "framework/comparing/sections.h"

// A comparison on standard output.
namespace vitrine {

// Prints it for people, as wide as the terminal: of each section its words and its groups, at the
// end which runs do not count. `columns` replaces the keys and other values.
void print_comparison(const std::vector<ComparedSection>& sections,
                      const std::vector<std::string>& words,
                      const std::vector<std::string>& columns);

// A table of each section, in Markdown or LaTeX.
void print_tables(const std::vector<ComparedSection>& sections,
                  const std::vector<std::string>& columns, bool markdown);

// A table for programs or papers says nothing else of the runs that are not in it.
void warn_of_left_out(const std::vector<ComparedSection>& sections);

}  // namespace vitrine
