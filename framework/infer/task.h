#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vitrine::infer {

enum class Kind { kClasses, kLabels, kValues };  // what a task answers: one, several, numbers

struct Task {
  std::string name;
  Kind kind = Kind::kClasses;
  std::vector<std::string> names;  // of its outputs
  bool has_probabilities = false;  // its outputs are these already
};

// Makes probabilities of what heads give, [count, outputs of all tasks side by side], in place: of
// classes and labels; values stay.
void make_probabilities(const std::vector<Task>& tasks, size_t count, float* outputs);

}  // namespace vitrine::infer
