#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/drawing/picture.h"

namespace vitrine {

// RUN/plots/NAME of a run; NAME, in the current folder, where `place` is no folder.
std::filesystem::path default_picture(const std::filesystem::path& place, const std::string& name);

// The end of a file's name that tells what is written: ".png", also of "A.PNG". Throws
// Error(kUsage) where it is none of these, or `file` is part of a run.
std::string picture_format(const std::filesystem::path& file,
                           const std::vector<std::string>& formats = {".png", ".svg", ".json"});

std::string encode_picture(const Picture& picture, const std::string& format);

// Makes the folder `plots` of a run, or of several, where the file belongs there.
void write_plot(const std::filesystem::path& file, const std::string& bytes);

}  // namespace vitrine
