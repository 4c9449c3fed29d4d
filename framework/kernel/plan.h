#pragma once

#include <limits>
#include <vector>

#include "framework/program/program.h"

// What is done for one group of images, in which order and in which memory, worked out once.
// Without torch.
namespace vitrine {

// A matrix in a buffer; counted in elements.
struct Spot {
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
  size_t buffer = kNone, offset = 0, row = 0;

  bool exists() const { return buffer != kNone; }
};

struct Action {
  enum class Kind {
    kForward,   // of a step
    kAgain,     // forward of a cheap step once more, for the backward pass
    kBackward,  // of a step
    kZero,      // output.gradient becomes 0
    kPass       // inputs[0].gradient becomes output.gradient, or that is added to it
  };
  struct Operand {
    Shape shape;
    Spot value, gradient;
    bool adds = false;  // the gradient is added to what is there
  };

  Kind kind;
  size_t step = 0;
  std::vector<Operand> inputs;
  Operand output;
  Spot addend, saved, scratch;
};

enum class Pass {
  kForward,   // outputs alone
  kBoth,      // forward and backward of a group at once
  kSeparate,  // forward of all groups, then backward of all
};

struct PlanOptions {
  Pass pass = Pass::kForward;
  std::vector<bool> trained;  // of each parameter: whether its gradient is wanted
  std::vector<bool> begins;   // of each output: whether backward is given a gradient by it
};

struct ExecutionPlan {
  // All that an image needs lies in two pieces: what backward needs of forward, and the rest, which
  // the next group may use.
  struct Buffer {
    size_t size = 0;         // elements
    bool is_needed = false;  // by backward, as forward left it
    bool is_kept = false;    // lies in the first piece
    size_t offset = 0;       // in its piece
  };

  std::vector<Action> forward, backward;
  std::vector<Buffer> buffers;
  size_t kept = 0, scratch = 0;        // elements of each piece
  std::vector<Spot> outputs;           // of each output of the program
  std::vector<Spot> output_gradients;  // that backward begins with; none where none is wanted
};

ExecutionPlan make_plan(const Program& program, const PlanOptions& options);

}  // namespace vitrine
