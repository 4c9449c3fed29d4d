#include "framework/kernel/plan.h"

#include <fmt/ranges.h>

#include <random>

#include "framework/kernel/allocation.h"
#include "framework/model/loss.h"
#include "framework/model/recording.h"
#include "framework/registry/registry.h"
#include "tests/component.h"
#include "tests/models/agreement.h"
#include "tests/models/random_model.h"
#include "tests/models/random_program.h"

// Plans of memory, by playing them through: whoever reads finds what was written for it.
namespace vitrine {
namespace {

// What lies in one vector of memory.
struct Content {
  enum class Kind { kNothing, kValue, kGradient, kSaved, kScratch };
  Kind kind = Kind::kNothing;
  size_t of = 0;       // a step for a value, else a buffer
  size_t element = 0;  // of the step's result

  bool operator==(const Content&) const = default;
};

// Who computes each element of each result: views and wholes have none of their own.
class Contents {
 public:
  explicit Contents(const Program& program) : program_(program) {
    for (size_t i = 0; i < program.steps.size(); ++i) {
      of_.emplace_back();
      const Shape& shape = program.steps[i].shape;
      for (size_t t = 0; t < shape.tokens; ++t) {
        for (size_t c = 0; c < shape.columns; ++c) of_[i].push_back(find(i, t, c));
      }
    }
  }
  const std::vector<Content>& operator[](size_t step) const { return of_[step]; }

 private:
  Content find(size_t step, size_t token, size_t column) const {
    const Operation& operation = find_operation(program_.steps[step].operation);
    const auto& inputs = program_.steps[step].inputs;
    if (!operation.is_part() && !operation.is_whole())
      return {Content::Kind::kValue, step, token * program_.steps[step].shape.columns + column};
    const auto offsets = operation.offsets(program_.applied(step));
    if (operation.is_part())
      return at(inputs[0], token + offsets[0].token, column + offsets[0].column);
    size_t k = inputs.size();
    while (k-- > 1) {
      if (token >= offsets[k].token && column >= offsets[k].column) break;
    }
    return at(inputs[k], token - offsets[k].token, column - offsets[k].column);
  }
  const Content& at(size_t step, size_t token, size_t column) const {
    return of_[step][token * program_.steps[step].shape.columns + column];
  }

  const Program& program_;
  std::vector<std::vector<Content>> of_;
};

class Player {
 public:
  Player(const Program& program, const Contents& contents, const ExecutionPlan& plan, Pass pass)
      : program_(program),
        contents_(contents),
        plan_(plan),
        pass_(pass),
        kept_(plan.kept),
        scratch_(plan.scratch) {}

  // What goes wrong first; empty where nothing does.
  std::string play() {
    for (const ExecutionPlan::Buffer& buffer : plan_.buffers) {
      // One that no action names has no place.
      const size_t piece = buffer.is_kept ? plan_.kept : plan_.scratch;
      if (buffer.offset > piece) fail("a buffer lies outside of its piece");
    }
    for (const Action& action : plan_.forward) forward(action);
    for (size_t k = 0; k < plan_.outputs.size(); ++k) {
      where_ = "output " + std::to_string(k);
      read_value(plan_.outputs[k], program_.outputs[k]);
    }
    if (pass_ == Pass::kForward) return problem_;
    // Other groups' forward passes run in between.
    if (pass_ == Pass::kSeparate) scratch_.assign(scratch_.size(), {});
    for (size_t k = 0; k < plan_.outputs.size(); ++k) {
      const Spot& spot = plan_.output_gradients[k];
      where_ = "gradient of output " + std::to_string(k);
      if (spot.exists()) write_gradient(spot, program_.steps[program_.outputs[k]].shape);
    }
    for (const Action& action : plan_.backward) backward(action);
    return problem_;
  }

 private:
  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = where_ + ": " + what;
  }
  const Operation& operation(size_t step) const {
    return find_operation(program_.steps[step].operation);
  }

  // Who computes an element of a result.
  const Content& value_at(size_t step, size_t token, size_t column) const {
    return contents_[step][token * program_.steps[step].shape.columns + column];
  }

  template <class Work>
  void for_each(const Spot& spot, const Shape& shape, const Work& work) {
    const ExecutionPlan::Buffer& buffer = plan_.buffers[spot.buffer];
    std::vector<Content>& piece = buffer.is_kept ? kept_ : scratch_;
    for (size_t t = 0; t < shape.tokens; ++t) {
      for (size_t c = 0; c < shape.columns; ++c) {
        const size_t place = spot.offset + t * spot.row + c;
        if (place >= buffer.size || buffer.offset + place >= piece.size())
          return fail("it lies outside of its buffer");
        work(piece[buffer.offset + place], t, c);
      }
    }
  }
  void read_value(const Spot& spot, size_t step) {
    if (!spot.exists()) return fail("a value has no place");
    for_each(spot, program_.steps[step].shape, [&](Content& found, size_t t, size_t c) {
      if (found != value_at(step, t, c))
        fail("the value of step " + std::to_string(step) + " is not there");
    });
  }
  void write_value(const Spot& spot, size_t step) {
    for_each(spot, program_.steps[step].shape,
             [&](Content& to, size_t t, size_t c) { to = value_at(step, t, c); });
  }
  void read_gradient(const Spot& spot, const Shape& shape) {
    for_each(spot, shape, [&](Content& found, size_t, size_t) {
      if (found != Content{Content::Kind::kGradient, spot.buffer, 0}) fail("no gradient is there");
    });
  }
  void write_gradient(const Spot& spot, const Shape& shape) {
    for_each(spot, shape, [&](Content& to, size_t, size_t) {
      to = {Content::Kind::kGradient, spot.buffer, 0};
    });
  }
  void mark(const Spot& spot, size_t size, Content::Kind kind) {
    if (!spot.exists()) return;
    for_each({spot.buffer, spot.offset, size}, {1, size}, [&](Content& to, size_t, size_t) {
      to = {kind, spot.buffer, 0};
    });
  }
  void read_saved(const Action& action) {
    if (!action.saved.exists()) return;
    const size_t size = operation(action.step).saved(program_.applied(action.step));
    for_each({action.saved.buffer, action.saved.offset, size}, {1, size},
             [&](Content& found, size_t, size_t) {
               if (found != Content{Content::Kind::kSaved, action.saved.buffer, 0})
                 fail("what was saved is not there");
             });
  }
  void mark_scratch(const Action& action) {
    const Applied applied = program_.applied(action.step);
    mark(action.scratch, operation(action.step).scratch(applied), Content::Kind::kScratch);
  }

  // The sum that an action with an addend computes.
  size_t result_of(const Action& action) const {
    if (!action.addend.exists()) return action.step;
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      const auto& inputs = program_.steps[i].inputs;
      if (std::find(inputs.begin(), inputs.end(), action.step) != inputs.end()) return i;
    }
    return action.step;
  }

  void forward(const Action& action) {
    const bool again = action.kind == Action::Kind::kAgain;
    where_ = (again ? "again " : "forward ") + program_.steps[action.step].operation + " " +
             std::to_string(action.step);
    const auto& inputs = program_.steps[action.step].inputs;
    for (size_t k = 0; k < inputs.size(); ++k) read_value(action.inputs[k].value, inputs[k]);
    const size_t result = result_of(action);
    if (action.addend.exists()) {
      const auto& terms = program_.steps[result].inputs;
      read_value(action.addend, terms[0] == action.step ? terms[1] : terms[0]);
    }
    mark_scratch(action);
    const size_t saved = operation(action.step).saved(program_.applied(action.step));
    again ? read_saved(action) : mark(action.saved, saved, Content::Kind::kSaved);
    write_value(action.output.value, result);
  }

  void backward(const Action& action) {
    where_ = "backward";
    if (action.kind == Action::Kind::kAgain) return forward(action);
    if (action.kind == Action::Kind::kZero)
      return write_gradient(action.output.gradient, action.output.shape);
    read_gradient(action.output.gradient, action.output.shape);
    if (action.kind == Action::Kind::kBackward) {
      where_ =
          "backward " + program_.steps[action.step].operation + " " + std::to_string(action.step);
      const Needs needs = operation(action.step).needs(program_.applied(action.step));
      const auto& inputs = program_.steps[action.step].inputs;
      for (size_t k = 0; k < inputs.size(); ++k) {
        if (needs.inputs >> k & 1) read_value(action.inputs[k].value, inputs[k]);
      }
      if (needs.output) read_value(action.output.value, action.step);
      read_saved(action);
      mark_scratch(action);
    }
    for (const Action::Operand& input : action.inputs) {
      if (!input.gradient.exists()) continue;
      if (input.adds) read_gradient(input.gradient, input.shape);
      write_gradient(input.gradient, input.shape);
    }
  }

  const Program& program_;
  const Contents& contents_;
  const ExecutionPlan& plan_;
  Pass pass_;
  std::vector<Content> kept_, scratch_;
  std::string where_, problem_;
};

std::string shown(const Program& program) {
  std::string out;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    out += fmt::format("{}: {}({}) {}\n", i, step.operation, fmt::join(step.inputs, ", "),
                       to_string(step.shape));
  }
  return out + fmt::format("outputs {}\n", fmt::join(program.outputs, ", "));
}

// Of all passes, with all parameters trained and with some.
void check_plans(const Program& program) {
  INFO(shown(program));
  const Contents contents(program);
  for (const Pass pass : {Pass::kForward, Pass::kBoth, Pass::kSeparate}) {
    for (const size_t frozen : {0, 1, 2}) {
      PlanOptions options;
      options.pass = pass;
      for (size_t i = 0; i < program.parameters.size(); ++i)
        options.trained.push_back(frozen == 0 || (i + frozen) % 3 != 0);
      options.begins.assign(program.outputs.size(), true);
      const ExecutionPlan plan = make_plan(program, options);
      CAPTURE(pass, frozen);
      CHECK(Player(program, contents, plan, pass).play() == "");
      if (pass != Pass::kSeparate) CHECK(plan.kept == 0);
      if (pass == Pass::kForward) CHECK(plan.backward.empty());
      for (const size_t lanes : {4, 8, 16}) {
        CAPTURE(lanes);
        ExecutionPlan spaced = plan;
        space_rows(spaced, pass, lanes);
        CHECK(Player(program, contents, spaced, pass).play() == "");
      }
    }
  }
}

void check_plans_of(const std::shared_ptr<Model>& model, const ModelContext& images) {
  const std::vector<int64_t> sizes = {images.channels, images.height, images.width};
  Computation computation = outputs_of_tasks(model, sizes);
  if (!model->tasks().empty()) {
    const auto loss = make<Loss>("cross_entropy", {model->tasks()});
    computation = computation_of(model, {model->tasks(), loss, {}, at::kCPU}, sizes);
  }
  const Recording recording = record(computation);
  REQUIRE(recording.is_recorded());
  std::vector<size_t> outputs = recording.outputs;
  check_plans(pruned(recording.program, outputs));
  outputs.insert(outputs.end(), recording.losses.begin(), recording.losses.end());
  check_plans(pruned(recording.program, outputs));
  // And what can be asked for besides.
  for (const auto& [name, step] : recording.program.names) outputs.push_back(step);
  check_plans(pruned(recording.program, outputs));
}

}  // namespace

TEST_CASE("what is read in the plan of a model is what was written for it") {
  std::mt19937 generator(3);
  for (const std::string& type : Registry::instance().names(Model::kKind)) {
    for (int i = 0; i < 10; ++i) {
      RandomModel made(type, generator);
      made.compose("", "");
      INFO(made.yaml());
      const auto model = make_model(made.yaml(), made.images());
      for (const bool training : {true, false}) {
        model->train(training);
        check_plans_of(model, made.images());
      }
    }
  }
}

TEST_CASE("what is read in the plan of a random program is what was written for it") {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    const auto model = std::make_shared<OperationModel>(RandomProgram(seed));
    check_plans_of(model, OperationModel::images());
  }
}

TEST_CASE("memory is used again as soon as nobody reads it") {
  // A chain of wide layers needs room for two of them, however long it is.
  Program program;
  program.parameters = {{"x", {1, 96}}, {"w", {96, 96}}};
  size_t last = program.add({"table", {}, {{0, 0, 0}}, {0, 1}, {}, 0});
  for (int i = 0; i < 20; ++i) last = program.add({"linear", {last}, {{1, 0, 0}, {}}, {}, {}, 0});
  program.outputs = {last};
  PlanOptions options;
  options.trained = {true, true};
  options.begins = {true};
  CHECK(make_plan(program, options).scratch == 192);
  // Backward reads all of them.
  options.pass = Pass::kBoth;
  const ExecutionPlan both = make_plan(program, options);
  CHECK(both.kept == 0);
  CHECK(both.scratch >= 1900);
  CHECK(both.scratch <= 2400);
  options.pass = Pass::kSeparate;
  const ExecutionPlan separate = make_plan(program, options);
  CHECK(separate.kept == 19 * 96);
  CHECK(separate.scratch <= 300);
}

TEST_CASE("rows that would share few sets of the nearest cache are a line further apart") {
  Program program;
  program.parameters = {{"x", {3, 128}}, {"w", {12, 64}}, {"v", {24, 12}}};
  const size_t x = program.add({"table", {}, {{0, 0, 0}}, {0, 3}, {}, 0});
  const size_t part = program.add({"columns", {x}, {}, {64, 64}, {}, 0});
  const size_t narrow = program.add({"linear", {part}, {{1, 0, 0}, {}}, {}, {}, 0});
  program.outputs = {part, narrow, program.add({"linear", {narrow}, {{2, 0, 0}, {}}, {}, {}, 0})};
  const PlanOptions options{Pass::kForward, {true, true, true}, {true, true, true}};
  const auto rows = [&](size_t lanes) {
    ExecutionPlan plan = make_plan(program, options);
    space_rows(plan, options.pass, lanes);
    const Spot& wide = plan.outputs[0];
    return std::vector<size_t>{wide.row, wide.offset, plan.buffers[wide.buffer].size,
                               plan.outputs[1].row, plan.outputs[2].row};
  };
  CHECK(rows(16) == std::vector<size_t>{129, 64, 387, 12, 24});
  CHECK(rows(8) == std::vector<size_t>{130, 64, 390, 12, 24});
  CHECK(rows(4) == std::vector<size_t>{132, 64, 396, 12, 24});
  CHECK(rows(1) == std::vector<size_t>{144, 64, 432, 12, 24});
}

}  // namespace vitrine
