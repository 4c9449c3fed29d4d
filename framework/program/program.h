#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/program/operation.h"

// What a model computes for an image, written down: one step after the other, each an operation on
// the results of earlier steps. Without torch.
namespace vitrine {

struct Step {
  std::string operation;
  std::vector<size_t> inputs;  // steps whose results it takes
  std::vector<ParameterUse> parameters;
  std::vector<double> numbers;
  Shape shape;       // of its result
  size_t scope = 0;  // of the program's scopes
};

// The operations that take a part of their input: `numbers` say where it begins and how many there
// are.
constexpr const char* kTokensPart = "tokens";
constexpr const char* kColumnsPart = "columns";

class Program {
 public:
  struct Parameter {
    std::string name;
    std::vector<size_t> sizes;
  };
  // What a model is made of, as it is shown: "blocks.0", of the type "pre_norm".
  struct Scope {
    std::string name, type;
  };

  std::vector<Step> steps;
  std::vector<Parameter> parameters;
  std::vector<Scope> scopes;
  std::map<std::string, size_t> names;  // results that someone may ask for
  std::vector<size_t> outputs;          // what it is computed for

  // Appends a step; returns its number. Throws Error(kInternal) where its operands do not fit.
  size_t add(Step step);
  Applied applied(const Step& step) const;
  Applied applied(size_t step) const { return applied(steps[step]); }
  // Operations of one image's forward pass.
  double flops(size_t step) const;
};

// A program that gives the same results for these outputs, by as little work as gives exactly them:
// steps and tokens that no output needs fall away, and, with `columns_apart`, what is only read by
// columns is computed by columns. Names that are left out with their steps are dropped.
Program pruned(const Program& program, const std::vector<size_t>& outputs,
               bool columns_apart = true);

}  // namespace vitrine
