#include "framework/infer/task.h"

#include <algorithm>
#include <cmath>

namespace vitrine::infer {
namespace {

void softmax(float* begin, float* end) {
  const float most = *std::max_element(begin, end);
  double sum = 0;
  for (float* x = begin; x < end; ++x) sum += * x = std::exp(*x - most);
  for (float* x = begin; x < end; ++x) *x = static_cast<float>(*x / sum);
}

}  // namespace

void make_probabilities(const std::vector<Task>& tasks, size_t count, float* outputs) {
  for (size_t image = 0; image < count; ++image) {
    for (const Task& task : tasks) {
      float* end = outputs + task.names.size();
      if (task.kind == Kind::kClasses && !task.has_probabilities) softmax(outputs, end);
      if (task.kind == Kind::kLabels) {
        for (float* x = outputs; x < end; ++x) *x = 1 / (1 + std::exp(-*x));
      }
      outputs = end;
    }
  }
}

}  // namespace vitrine::infer
