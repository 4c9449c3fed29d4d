#pragma once

#include <filesystem>
#include <string>

#include "framework/config/node.h"

// What the files of Sweep share.
namespace vitrine {

// Six digits that nobody else has.
std::string random_id();

// Throws Error(kFailed).
void make_folder(const std::filesystem::path& folder);

// Without the places of its values, and how they were written.
Node plain(const Node& value);

}  // namespace vitrine
