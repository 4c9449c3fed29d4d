#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/reports/picture.h"

namespace vitrine {

// RUN/plots/NAME of a run; NAME, in the current folder, where `place` is no folder.
std::filesystem::path default_picture(const std::filesystem::path& place, const std::string& name);

// Throws Error(kUsage) where `file` has none of these extensions, or is part of a run.
void check_picture_file(const std::filesystem::path& file,
                        const std::vector<std::string>& extensions = {".png", ".svg"});

// As PNG or SVG, by the extension.
std::string encode_picture(const Picture& picture, const std::filesystem::path& file);

// Makes the folder `plots` of a run, or of several, where the file belongs there.
void write_plot(const std::filesystem::path& file, const std::string& bytes);

}  // namespace vitrine
