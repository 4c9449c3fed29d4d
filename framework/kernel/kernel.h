#pragma once

#include <memory>
#include <vector>

#include "framework/kernel/memory.h"
#include "framework/kernel/plan.h"
#include "framework/kernel/team.h"

// Executes programs on the CPU, for batches of images. Without torch.
namespace vitrine {

// Name of the instruction set that is used, such as "AVX3".
const char* instruction_set();

// Where a program's parameters lie.
struct Binding {
  std::vector<const float*> values;
  // Of each, where its gradient begins in a buffer of `gradient_count` floats; kFrozen: none is
  // wanted.
  static constexpr size_t kFrozen = ~size_t{0};
  std::vector<size_t> gradients;
  size_t gradient_count = 0;

  std::vector<bool> trained() const;
};

// Runs one program. A batch is cut into the same groups, and gradients are summed in the same
// order, whatever the number of threads: so are the bits.
class Kernel {
 public:
  explicit Kernel(Program program);
  ~Kernel();
  const Program& program() const { return program_; }

  // outputs: of each output of the program [B, tokens * columns], or null where it is not wanted.
  void forward(const Binding& binding, const Feed& feed, size_t batch, int threads,
               const std::vector<float*>& outputs);

  // Forward and backward. `seeds`: of each output the factor of its sum over the batch in what is
  // differentiated; 0 where it does not count. Writes the gradients' sums over the batch to
  // `gradients` (gradient_count floats).
  void train(const Binding& binding, const Feed& feed, size_t batch, int threads,
             const std::vector<float*>& outputs, const std::vector<float>& seeds,
             float* gradients);

  // The same in two calls; what backward needs is kept in between, so that several batches may
  // wait for it. `gradients_by` is of each output [B, tokens * columns], or null.
  struct Kept;
  std::shared_ptr<Kept> forward_and_keep(const Binding& binding, const Feed& feed, size_t batch,
                                         int threads, const std::vector<float*>& outputs,
                                         const std::vector<bool>& begins);
  void backward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                const Kept& kept, const std::vector<const float*>& gradients_by,
                float* gradients);

 private:
  struct Prepared;
  class Run;
  Prepared& prepare(Pass pass, const Binding& binding, const std::vector<bool>& begins);
  void sum_chunks(size_t chunks, size_t count, int threads, float* gradients);

  Program program_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
  VectorMemory partial_;
  Team team_;
};

}  // namespace vitrine
