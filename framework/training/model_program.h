#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/data/transform.h"
#include "framework/model/model.h"
#include "framework/runs/checkpoint.h"

namespace vitrine {

inline constexpr const char* kProgram = "program";  // in the metadata
// What begins the names of tensors that a file holds for its program alone.
inline constexpr const char* kProgramPrefix = "program.";

// Adds what a model computes, as a program (docs/inference.md), to what a file of its weights is to
// hold; of a model that has none, why. `transforms` stand before it.
void add_program(const Model& model, const std::vector<int64_t>& images,
                 const std::vector<std::shared_ptr<Transform>>& transforms,
                 std::vector<OwnedTensor>& tensors, std::map<std::string, std::string>& metadata);

}  // namespace vitrine
