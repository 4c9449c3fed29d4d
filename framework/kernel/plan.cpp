#include "framework/kernel/plan.h"

#include <algorithm>

#include "framework/kernel/allocation.h"

namespace vitrine {
namespace {

constexpr size_t kNone = Spot::kNone;

// The steps with what is asked of them again and again.
class ExecutionPlanner {
 public:
  ExecutionPlanner(const Program& program, const PlanOptions& options)
      : program_(program), options_(options), count_(program.steps.size()) {
    for (const Step& step : program_.steps) {
      operations_.push_back(&find_operation(step.operation));
      applied_.push_back(program_.applied(step));
    }
    find_readers();
    find_trained();
    fuse_additions();
    find_needed();
    place_values();
  }

  ExecutionPlan result() {
    plan_forward();
    if (options_.pass != Pass::kForward) plan_backward();
    for (size_t k = 0; k < program_.outputs.size(); ++k) {
      const size_t output = program_.outputs[k];
      plan_.outputs.push_back(values_[output]);
      plan_.output_gradients.push_back(begins_backward(k) ? seeds_[k] : Spot());
    }
    allocate(plan_, options_.pass);
    return std::move(plan_);
  }

 private:
  const Operation& operation(size_t step) const { return *operations_[step]; }
  const Step& step(size_t i) const { return program_.steps[i]; }
  bool is_view(size_t i) const { return operation(i).is_part(); }
  bool has_backward() const { return options_.pass != Pass::kForward; }

  bool begins_backward(size_t output) const {
    return has_backward() && options_.begins[output] && trains_[program_.outputs[output]];
  }

  void find_readers() {
    readers_.resize(count_);
    for (size_t i = 0; i < count_; ++i) {
      for (const size_t input : step(i).inputs) readers_[input].push_back(i);
    }
    is_output_.resize(count_);
    for (const size_t output : program_.outputs) is_output_[output] = true;
  }

  // Whether a gradient by a step's result leads to a parameter.
  void find_trained() {
    trains_.resize(count_);
    for (size_t i = 0; i < count_ && has_backward(); ++i) {
      if (!operation(i).has_gradient()) continue;
      for (const size_t input : step(i).inputs) trains_[i] = trains_[i] || trains_[input];
      for (const ParameterUse& use : step(i).parameters)
        trains_[i] =
            trains_[i] || (use.index != ParameterUse::kNone && options_.trained[use.index]);
    }
  }

  bool is_trained(const ParameterUse& use) const {
    return use.index != ParameterUse::kNone && options_.trained[use.index];
  }

  // A sum of two results of which one can be added by who computes it.
  void fuse_additions() {
    fused_into_.assign(count_, kNone);
    addend_.assign(count_, kNone);
    for (size_t i = 0; i < count_; ++i) {
      if (!is_sum(i)) continue;
      const auto& inputs = step(i).inputs;
      for (const size_t k : {size_t{1}, size_t{0}}) {
        const size_t term = inputs[k], other = inputs[1 - k];
        const bool fits = term != other && operation(term).adds() && readers_[term].size() == 1 &&
                          !is_output_[term] && addend_[term] == kNone;
        if (!fits) continue;
        fused_into_[term] = i;
        addend_[i] = k;
        break;
      }
    }
  }
  // Of two operands of its own shape, whose gradients are its own.
  bool is_sum(size_t i) const {
    if (step(i).inputs.size() != 2 || is_view(i) || operation(i).is_whole()) return false;
    return operation(i).passes(applied_[i], 0) && operation(i).passes(applied_[i], 1);
  }
  // What computes the result of a step, and what it computes it from.
  size_t computed_by(size_t i) const {
    return addend_[i] == kNone ? i : step(i).inputs[addend_[i]];
  }
  size_t addend_of(size_t i) const { return step(i).inputs[1 - addend_[i]]; }

  // The results that backward reads.
  void find_needed() {
    needed_.resize(count_);
    again_.resize(count_);
    if (!has_backward()) return;
    for (size_t i = 0; i < count_; ++i) {
      if (!trains_[i] || fused_into_[i] != kNone || is_view(i)) continue;
      const size_t by = computed_by(i);
      const Needs needs = operation(by).needs(applied_[by]);
      if (needs.output) needed_[i] = true;
      for (size_t k = 0; k < step(by).inputs.size(); ++k) {
        if (needs.inputs >> k & 1) needed_[step(by).inputs[k]] = true;
      }
    }
  }

  // --- where results lie

  size_t new_buffer(size_t size) {
    plan_.buffers.push_back({std::max<size_t>(size, 1)});
    return plan_.buffers.size() - 1;
  }
  Spot new_spot(const Shape& shape) { return {new_buffer(shape.size()), 0, shape.columns}; }

  void place_values() {
    values_.resize(count_);
    // Results are computed where the whole that they are a part of lies.
    for (size_t i = count_; i-- > 0;) {
      if (fused_into_[i] != kNone) continue;
      if (!values_[i].exists() && !is_view(i)) values_[i] = new_spot(step(i).shape);
      if (operation(i).is_whole()) place_parts_of(i);
    }
    for (size_t i = 0; i < count_; ++i) {
      if (is_view(i)) values_[i] = part_of(values_[step(i).inputs[0]], i);
    }
    for (size_t i = 0; i < count_; ++i) {
      if (in_place(i)) move(values_[i].buffer, values_[step(i).inputs[0]].buffer);
    }
    keep_needed();
  }

  void place_parts_of(size_t whole) {
    const auto offsets = operation(whole).offsets(applied_[whole]);
    for (size_t k = 0; k < step(whole).inputs.size(); ++k) {
      const size_t input = step(whole).inputs[k];
      if (values_[input].exists() || is_view(input) || fused_into_[input] != kNone) continue;
      values_[input] = at(values_[whole], offsets[k]);
      placed_.push_back(input);
    }
  }
  static Spot at(const Spot& whole, const Operation::Offset& offset) {
    return {whole.buffer, whole.offset + offset.token * whole.row + offset.column, whole.row};
  }
  Spot part_of(const Spot& input, size_t part) const {
    return at(input, operation(part).offsets(applied_[part])[0]);
  }
  bool fills_buffer(const Spot& spot, const Shape& shape) const {
    return spot.offset == 0 && spot.row == shape.columns &&
           plan_.buffers[spot.buffer].size == std::max<size_t>(shape.size(), 1);
  }

  // Nothing else reads the first input, not even backward.
  bool in_place(size_t i) const {
    if (is_view(i) || addend_[i] != kNone || fused_into_[i] != kNone) return false;
    if (step(i).inputs.empty() || !operation(i).in_place(applied_[i])) return false;
    const size_t input = step(i).inputs[0];
    return !is_view(input) && !needed_[input] && readers_[input].size() == 1 &&
           !is_output_[input] && fills_buffer(values_[input], step(input).shape) &&
           fills_buffer(values_[i], step(i).shape) && are_parts_done(values_[input].buffer);
  }
  // Of the results in the place of a whole: nobody reads them but wholes there.
  bool are_parts_done(size_t buffer) const {
    return std::all_of(placed_.begin(), placed_.end(), [&](size_t part) {
      if (values_[part].buffer != buffer) return true;
      const auto is_done = [&](size_t reader) {
        return operation(reader).is_whole() && values_[reader].buffer == buffer;
      };
      return !needed_[part] && !is_output_[part] &&
             std::all_of(readers_[part].begin(), readers_[part].end(), is_done);
    });
  }
  void move(size_t from, size_t to) {
    for (Spot& spot : values_) {
      if (spot.buffer == from) spot.buffer = to;
    }
  }

  // What backward reads is kept, or computed again from what is kept.
  void keep_needed() {
    std::vector<std::vector<size_t>> residents(plan_.buffers.size());  // computed in each buffer
    for (size_t i = 0; i < count_; ++i) {
      if (!is_view(i) && values_[i].exists()) residents[values_[i].buffer].push_back(i);
    }
    const auto root = [&](size_t i) {
      while (is_view(i)) i = step(i).inputs[0];
      return i;
    };
    for (size_t i = 0; i < count_; ++i) {
      if (!needed_[i]) continue;
      const size_t buffer = values_[i].buffer;
      const size_t owner = root(i);
      const bool alone = residents[buffer].size() == 1 && addend_[owner] == kNone;
      if (alone && operation(owner).is_cheap() && !is_output_[owner]) {
        again_[owner] = true;
      } else {
        plan_.buffers[buffer].is_needed = true;
      }
    }
    // What is computed again needs its inputs; those are cheap too, or kept.
    for (size_t i = count_; i-- > 0;) {
      if (!again_[i]) continue;
      for (const size_t input : step(i).inputs) {
        const size_t owner = root(input);
        if (!again_[owner]) plan_.buffers[values_[input].buffer].is_needed = true;
      }
    }
    for (size_t i = 0; i < count_; ++i) {
      if (again_[i] && plan_.buffers[values_[i].buffer].is_needed) again_[i] = false;
    }
  }

  // --- forward

  Action action_of(Action::Kind kind, size_t i) {
    const size_t by = computed_by(i);
    Action out{kind, by, {}, {}, {}, {}, {}};
    const bool is_backward = kind == Action::Kind::kBackward;
    const Needs needs = operation(by).needs(applied_[by]);
    for (size_t k = 0; k < step(by).inputs.size(); ++k) {
      const size_t input = step(by).inputs[k];
      const bool is_read = !is_backward || (needs.inputs >> k & 1);
      out.inputs.push_back({step(input).shape, is_read ? values_[input] : Spot(), {}, false});
    }
    out.output = {step(i).shape, !is_backward || needs.output ? values_[i] : Spot(), {}, false};
    if (addend_[i] != kNone && !is_backward) out.addend = values_[addend_of(i)];
    return out;
  }

  void plan_forward() {
    saved_.resize(count_);
    for (size_t i = 0; i < count_; ++i) {
      if (is_view(i) || fused_into_[i] != kNone) continue;
      Action action = action_of(Action::Kind::kForward, i);
      const size_t by = action.step;
      if (has_backward() && (trains_[i] || again_[i])) {
        if (const size_t saved = operation(by).saved(applied_[by])) {
          saved_[by] = {new_buffer(saved), 0, 0};
          plan_.buffers.back().is_needed = true;
          action.saved = saved_[by];
        }
      }
      add_scratch(action);
      if (!is_assembled(action)) plan_.forward.push_back(std::move(action));
    }
  }
  void add_scratch(Action& action) {
    const size_t size = operation(action.step).scratch(applied_[action.step]);
    if (size > 0) action.scratch = {new_buffer(size), 0, 0};
  }
  // A whole all of whose parts are where they should be.
  bool is_assembled(const Action& action) const {
    if (!operation(action.step).is_whole()) return false;
    const auto offsets = operation(action.step).offsets(applied_[action.step]);
    for (size_t k = 0; k < action.inputs.size(); ++k) {
      const Spot wanted = at(action.output.value, offsets[k]);
      const Spot& is = action.inputs[k].value;
      if (is.buffer != wanted.buffer || is.offset != wanted.offset || is.row != wanted.row)
        return false;
    }
    return true;
  }

  // --- backward

  void plan_backward() {
    gradients_.resize(count_);
    written_.resize(plan_.buffers.size());
    lent_.resize(count_);
    seeds_.resize(program_.outputs.size());
    for (size_t k = 0; k < program_.outputs.size(); ++k) {
      if (!begins_backward(k)) continue;
      const size_t output = program_.outputs[k];
      bool begins = false;
      const Spot spot = gradient_of(output, begins);
      if (begins && fills_buffer(spot, step(output).shape)) {
        seeds_[k] = spot;
        mark_written(spot);
      } else {
        // It is a part of a gradient, or that of another output too: it is added to that.
        seeds_[k] = new_spot(step(output).shape);
        pass_to(seeds_[k], output);
      }
    }
    for (size_t i = count_; i-- > 0;) {
      if (!trains_[i] || is_view(i) || fused_into_[i] != kNone) continue;
      if (gradients_[i].exists() && is_written(gradients_[i])) step_backward(i);
    }
  }

  // The spot of a result's gradient. `begins`: nothing has been written there yet.
  Spot gradient_of(size_t i, bool& begins) {
    if (!gradients_[i].exists()) {
      if (is_view(i)) {
        const size_t input = step(i).inputs[0];
        gradients_[i] = part_of(gradient_of(input, begins), i);
      } else if (const size_t whole = whole_of(i); whole != kNone) {
        const Spot of_whole = gradient_of(whole, begins);
        gradients_[i] = {of_whole.buffer,
                         values_[i].offset - values_[whole].offset + of_whole.offset, of_whole.row};
      } else {
        gradients_[i] = new_spot(step(i).shape);
      }
    }
    begins = !is_written(gradients_[i]);
    return gradients_[i];
  }
  // The whole in whose place a result is computed; its gradient is a part of that one's.
  size_t whole_of(size_t i) const {
    if (std::find(placed_.begin(), placed_.end(), i) == placed_.end()) return kNone;
    for (const size_t reader : readers_[i]) {
      if (operation(reader).is_whole() && values_[reader].buffer == values_[i].buffer)
        return reader;
    }
    return kNone;
  }
  bool is_written(const Spot& spot) const {
    return spot.buffer < written_.size() && written_[spot.buffer];
  }
  void mark_written(const Spot& spot) {
    written_.resize(std::max(written_.size(), spot.buffer + 1));
    written_[spot.buffer] = true;
  }
  void zero(size_t buffer) {
    Action action{Action::Kind::kZero, 0, {}, {}, {}, {}, {}};
    action.output.shape = {1, plan_.buffers[buffer].size};
    action.output.gradient = {buffer, 0, plan_.buffers[buffer].size};
    plan_.backward.push_back(std::move(action));
  }

  // Gives an operand of backward the place of its gradient.
  void want_gradient(size_t input, Action::Operand& operand) {
    bool begins = false;
    operand.gradient = gradient_of(input, begins);
    const bool whole = fills_buffer(operand.gradient, step(input).shape);
    if (begins && !whole) zero(operand.gradient.buffer);
    operand.adds = !begins || !whole;
    mark_written(operand.gradient);
  }

  void step_backward(size_t i) {
    const size_t by = computed_by(i);
    Action action = action_of(Action::Kind::kBackward, i);
    action.output.gradient = gradients_[i];
    action.saved = saved_[by];
    compute_again(action);
    std::vector<size_t> passed;
    if (addend_[i] != kNone && trains_[addend_of(i)]) passed.push_back(addend_of(i));
    bool has_work = false;
    for (const ParameterUse& use : step(by).parameters) has_work = has_work || is_trained(use);
    for (size_t k = 0; k < step(by).inputs.size(); ++k) {
      const size_t input = step(by).inputs[k];
      if (!trains_[input] || operation(by).is_whole()) continue;
      if (operation(by).passes(applied_[by], k)) {
        passed.push_back(input);
      } else {
        take_gradient_in_place(i, by, k);
        want_gradient(input, action.inputs[k]);
        has_work = true;
      }
    }
    if (operation(by).is_whole()) pass_parts(i);
    if (has_work) {
      add_scratch(action);
      plan_.backward.push_back(std::move(action));
    }
    pass(i, passed);
  }

  // The gradient of an operation that works in place may take the place of its output's.
  void take_gradient_in_place(size_t i, size_t by, size_t k) {
    const size_t input = step(by).inputs[k];
    const bool may = k == 0 && by == i && operation(by).in_place(applied_[by]) && !lent_[i] &&
                     may_take(input, i) && step(by).inputs.size() == 1;
    if (!may) return;
    gradients_[input] = gradients_[i];
    written_[gradients_[i].buffer] = false;
  }
  bool may_take(size_t input, size_t i) const {
    return !is_view(input) && whole_of(input) == kNone && !gradients_[input].exists() &&
           step(input).shape == step(i).shape && fills_buffer(gradients_[i], step(i).shape);
  }

  // Where parts do not lie in their whole, they get their gradients from it.
  void pass_parts(size_t whole) {
    const auto offsets = operation(whole).offsets(applied_[whole]);
    for (size_t k = 0; k < step(whole).inputs.size(); ++k) {
      const size_t input = step(whole).inputs[k];
      if (!trains_[input]) continue;
      const Spot place = at(values_[whole], offsets[k]);
      if (whole_of(input) == whole && values_[input].offset == place.offset) {
        bool begins = false;
        gradient_of(input, begins);
      } else {
        pass_to(at(gradients_[whole], offsets[k]), input);
      }
    }
  }

  // To inputs whose gradients are the output's own. The first may take its place: nobody reads the
  // output's any more. Others read it there where what computed them is done before anything is
  // added to it, else they get a copy.
  void pass(size_t i, const std::vector<size_t>& inputs) {
    size_t owner = kNone;
    for (const size_t input : inputs) {
      if (lent_[i] || !may_take(input, i)) continue;
      if (owner == kNone || readers_[input].size() > readers_[owner].size()) owner = input;
    }
    bool is_taken = false;
    for (const size_t input : inputs) {
      if (input == owner && !is_taken) {
        gradients_[input] = gradients_[i];
        is_taken = true;
      } else if (may_borrow(input, owner, i)) {
        gradients_[input] = gradients_[i];
        lent_[input] = true;
      } else {
        pass_to(gradients_[i], input);
      }
    }
  }
  bool may_borrow(size_t input, size_t owner, size_t i) const {
    if (owner == kNone || input == owner || readers_[input].size() != 1 || is_output_[input] ||
        !may_take(input, i)) {
      return false;
    }
    for (const size_t reader : readers_[owner]) {
      if (reader == i) continue;
      const size_t time = fused_into_[reader] == kNone ? reader : fused_into_[reader];
      if (is_view(reader) || operation(reader).is_whole() || time > input) return false;
      // It adds to the owner's what it makes of its own: number by number, or not at all.
      if (time == input && !operation(reader).in_place(applied_[reader])) return false;
    }
    return true;
  }
  void pass_to(const Spot& from, size_t input) {
    Action action{Action::Kind::kPass, 0, {}, {}, {}, {}, {}};
    action.inputs.push_back({step(input).shape, {}, {}, false});
    want_gradient(input, action.inputs[0]);
    action.output = {step(input).shape, {}, from, false};
    plan_.backward.push_back(std::move(action));
  }

  // What the action reads and was not kept.
  void compute_again(const Action& action) {
    const size_t by = action.step;
    const Needs needs = operation(by).needs(applied_[by]);
    for (size_t k = 0; k < step(by).inputs.size(); ++k) {
      if (needs.inputs >> k & 1) compute_again(step(by).inputs[k]);
    }
    for (size_t i = 0; i < count_; ++i) {
      if (needs.output && again_[i] && computed_by(i) == by) compute_again(i);
    }
  }
  void compute_again(size_t i) {
    while (is_view(i)) i = step(i).inputs[0];
    if (!again_[i]) return;
    again_[i] = false;
    for (const size_t input : step(i).inputs) compute_again(input);
    // In memory of its own: what was there in forward is long overwritten.
    Action action = action_of(Action::Kind::kAgain, i);
    action.saved = saved_[i];
    add_scratch(action);
    plan_.backward.push_back(std::move(action));
  }

  const Program& program_;
  const PlanOptions& options_;
  size_t count_;
  ExecutionPlan plan_;
  std::vector<const Operation*> operations_;
  std::vector<Applied> applied_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<bool> is_output_, trains_, needed_, again_, written_, lent_;
  std::vector<size_t> fused_into_;  // of a term: the sum
  std::vector<size_t> addend_;      // of a sum: which of its inputs computes it
  std::vector<size_t> placed_;      // computed in the place of a whole
  std::vector<Spot> values_, gradients_, saved_;
  std::vector<Spot> seeds_;  // of each output: where its gradient is set
};

}  // namespace

ExecutionPlan make_plan(const Program& program, const PlanOptions& options) {
  return ExecutionPlanner(program, options).result();
}

}  // namespace vitrine
