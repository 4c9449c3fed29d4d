#include <algorithm>

#include "framework/program/program.h"

namespace vitrine {
namespace {

constexpr size_t kUnknown = ~size_t{0};

TokenRange hull(TokenRange a, TokenRange b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

bool takes_columns(const Step& step) { return step.operation == kColumnsPart; }

// The step that gives the columns that `step` takes, from what its input is computed from. False
// where they cannot be computed by themselves.
bool make_part(const Program& program, const Step& step, Step& part) {
  part = program.steps[step.inputs[0]];
  const auto first = static_cast<size_t>(step.numbers[0]);
  const Applied applied = program.applied(step.inputs[0]);
  part.scope = step.scope;
  part.shape = step.shape;
  return find_operation(part.operation)
      .take_columns(applied, first, step.shape.columns, part.parameters);
}

// The same program, in which a step that is only read by columns is a step for each of them, where
// its columns are computed apart.
Program with_columns_apart(const Program& program) {
  std::vector<bool> apart(program.steps.size(), true);
  std::vector<Step> parts(program.steps.size());  // what a step becomes that takes columns
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    for (const size_t input : step.inputs) {
      if (apart[input]) apart[input] = takes_columns(step) && make_part(program, step, parts[i]);
    }
  }
  for (const size_t output : program.outputs) apart[output] = false;
  for (const auto& [name, step] : program.names) apart[step] = false;

  Program out = program;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (takes_columns(program.steps[i]) && apart[program.steps[i].inputs[0]])
      out.steps[i] = parts[i];
  }
  return out;
}

class Pruning {
 public:
  Pruning(const Program& program) : from_(program), needed_(program.steps.size()) {
    for (const size_t output : from_.outputs)
      needed_[output] = {0, from_.steps[output].shape.tokens};
    for (size_t i = from_.steps.size(); i-- > 0;) need_inputs_of(i);
  }

  Program result() {
    out_.parameters = from_.parameters;
    out_.scopes = from_.scopes;
    made_.assign(from_.steps.size(), kUnknown);
    for (size_t i = 0; i < from_.steps.size(); ++i) {
      if (!needed_[i].empty()) made_[i] = make(i);
    }
    for (const auto& [name, step] : from_.names) {
      const bool is_whole = needed_[step] == TokenRange{0, from_.steps[step].shape.tokens};
      if (is_whole) out_.names[name] = made_[step];
    }
    for (const size_t output : from_.outputs) out_.outputs.push_back(made_[output]);
    return std::move(out_);
  }

 private:
  const Operation& operation(size_t step) const {
    return find_operation(from_.steps[step].operation);
  }

  void need_inputs_of(size_t i) {
    TokenRange& tokens = needed_[i];
    if (tokens.empty()) return;
    const Step& step = from_.steps[i];
    if (!operation(i).narrows()) tokens = {0, step.shape.tokens};
    const auto reads = operation(i).reads(from_.applied(i), tokens);
    for (size_t k = 0; k < step.inputs.size(); ++k)
      needed_[step.inputs[k]] = hull(needed_[step.inputs[k]], reads[k]);
  }

  // The tokens of an old step, of the new program.
  size_t tokens_of(size_t old, TokenRange tokens, size_t scope) {
    if (tokens == needed_[old]) return made_[old];
    const auto begin = static_cast<double>(tokens.begin - needed_[old].begin);
    return out_.add(
        {kTokensPart, {made_[old]}, {}, {begin, static_cast<double>(tokens.size())}, {}, scope});
  }

  size_t make(size_t i) {
    const Step& old = from_.steps[i];
    const Applied applied = from_.applied(i);
    const auto reads = operation(i).reads(applied, needed_[i]);
    if (old.operation == kTokensPart) return tokens_of(old.inputs[0], reads[0], old.scope);
    Step step = old;
    step.inputs.clear();
    for (size_t k = 0; k < old.inputs.size(); ++k) {
      if (!reads[k].empty()) step.inputs.push_back(tokens_of(old.inputs[k], reads[k], old.scope));
    }
    if (operation(i).is_whole() && step.inputs.size() == 1) return step.inputs[0];
    if (needed_[i] != TokenRange{0, old.shape.tokens})
      step.numbers = operation(i).narrowed(applied, needed_[i]);
    return out_.add(std::move(step));
  }

  const Program& from_;
  std::vector<TokenRange> needed_;
  std::vector<size_t> made_;
  Program out_;
};

}  // namespace

Program pruned(const Program& program, const std::vector<size_t>& outputs, bool columns_apart) {
  Program wanted = program;
  wanted.outputs = outputs;
  if (columns_apart) wanted = with_columns_apart(wanted);
  return Pruning(wanted).result();
}

}  // namespace vitrine
