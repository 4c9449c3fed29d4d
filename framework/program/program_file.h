#pragma once

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/program/program.h"

// Programs as JSON, so that a file of weights tells what is computed with them.
namespace vitrine {

// Its steps, each with its operands by the numbers of steps and the names of parameters; shapes are
// worked out again where it is read.
nlohmann::ordered_json program_json(const Program& program);

// The sizes of the parameter of this name; none where there is none.
using ParameterSizes = std::function<std::optional<std::vector<size_t>>(const std::string& name)>;

// Takes nothing of it on trust: what is read computes for images [channels, height, width] from
// these and its parameters alone, and touches nothing else. Throws Error(kData), which begins with
// `where`.
Program read_program(const nlohmann::json& value, const std::array<size_t, 3>& images,
                     const ParameterSizes& sizes, const std::string& where);

}  // namespace vitrine
