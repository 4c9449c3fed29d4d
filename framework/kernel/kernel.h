#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "framework/kernel/chunk_sums.h"
#include "framework/kernel/memory.h"
#include "framework/kernel/plan.h"
#include "framework/kernel/sharing.h"
#include "framework/kernel/team.h"

// Executes programs on the CPU, for batches of images. Without torch.
namespace vitrine {

// Name of the instruction set that is used, such as "AVX3".
const char* instruction_set();

// Where a program's parameters lie.
struct Binding {
  std::vector<const float*> values;
  // The place where each one's gradient begins in a buffer of `gradient_count` floats; kFrozen:
  // none is wanted.
  static constexpr size_t kFrozen = ~size_t{0};
  std::vector<size_t> gradients;
  size_t gradient_count = 0;

  std::vector<bool> trained() const;
};

// Runs one program. A batch is cut into the same groups, and gradients are summed in the same
// order, whatever the number of threads, and of processes that share it: so are the bits.
class Kernel {
 public:
  explicit Kernel(Program program);
  ~Kernel();
  const Program& program() const { return program_; }
  // Instead of the one that is faster; only to be compared. The program must have it.
  void force_layout(MemoryLayout layout) { forced_ = layout; }
  // From now on each process computes a part of every batch, and has all outputs and gradients
  // afterwards. What is given is the whole batch, of which the images of other processes are not
  // read. `sharing` outlives it.
  void share(Sharing& sharing) { sharing_ = sharing.count() > 1 ? &sharing : nullptr; }

  // outputs: of each output of the program [B, tokens * columns], or null where it is not wanted.
  void forward(const Binding& binding, const Feed& feed, size_t batch, int threads,
               const std::vector<float*>& outputs);

  // Forward and backward. `seeds`: of each output the factor of its sum over the batch in what is
  // differentiated; 0 where it does not count. Writes the gradients' sums over the batch to
  // `gradients` (gradient_count floats).
  void train(const Binding& binding, const Feed& feed, size_t batch, int threads,
             const std::vector<float*>& outputs, const std::vector<float>& seeds, float* gradients);

  // Computes gradients in two calls; what backward needs is kept in between, so that several
  // batches may wait for it. `gradients_by` is of each output [B, tokens * columns], or null.
  struct Kept;
  std::shared_ptr<Kept> forward_and_keep(const Binding& binding, const Feed& feed, size_t batch,
                                         int threads, const std::vector<float*>& outputs,
                                         const std::vector<bool>& begins);
  void backward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                const Kept& kept, const std::vector<const float*>& gradients_by, float* gradients);

 private:
  struct Prepared;
  class Execution;
  struct Portions;
  MemoryLayout layout_for(size_t batch, size_t elements) const;
  Prepared& prepare(Pass pass, size_t batch, const Binding& binding,
                    const std::vector<bool>& begins);
  Portions portions_of(size_t batch, const Prepared& prepared) const;
  void gather(const Portions& portions, const std::vector<float*>& outputs);

  Program program_;
  bool has_columns_layout_ = false;
  size_t rows_ = 1;  // the most tokens of an image
  std::optional<MemoryLayout> forced_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
  Team team_;
  ChunkSums sums_{team_};
  Sharing* sharing_ = nullptr;
};

}  // namespace vitrine
