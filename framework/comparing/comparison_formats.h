#pragma once

#include <string>
#include <vector>

#include "framework/comparing/sections.h"

// Comparisons for programs, papers and pages.
namespace vitrine {

// A row for each group: numbers in full, all keys that differ, a column of its own for each
// statistic; `columns` replaces the keys and other values. Of several sections the first column is
// the section's label.
std::string comparison_csv(const std::vector<ComparedSection>& sections,
                           const std::vector<std::string>& columns);

// All of it; members that each section has of its own are those of the first.
nlohmann::ordered_json comparison_json(const std::vector<ComparedSection>& sections);

// A table of rows of text, the heading first.
std::string to_markdown(const std::vector<std::vector<std::string>>& rows);
std::string to_latex(const std::vector<std::vector<std::string>>& rows);
std::string latex_text(const std::string& text);

}  // namespace vitrine
