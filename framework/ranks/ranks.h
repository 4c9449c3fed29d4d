#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/kernel/sharing.h"

// One run in many processes ("ranks"), as MPI's launchers start them.
namespace vitrine {

// The processes of this run. All call the same functions in the same order, from one thread. What
// waits for others throws Error where one of them failed, hangs or is gone.
class Ranks : public Sharing {
 public:
  bool is_first() const { return index() == 0; }
  bool is_alone() const { return count() == 1; }
  virtual const std::vector<std::string>& hosts() const = 0;  // the machine of each rank
  // Where a rank's part of so many things begins, which all share out evenly.
  int64_t first_of(int64_t things, size_t rank) const;
  // How many of them are on this machine.
  int64_t on_this_host() const;
  // How many ranks before this one are.
  int64_t place_on_this_host() const;

  // The sum over all ranks; its order, and so its bits, depend on their number.
  virtual void sum(float* numbers, size_t count) = 0;
  // Of each number the largest that a rank has.
  virtual void largest(int64_t* numbers, size_t count) = 0;
  int64_t largest(int64_t number);
  // Each rank's text.
  std::vector<std::string> texts(const std::string& own);
  // The first one's text, for all.
  std::string from_first(std::string text);

  // Tells the others that this rank ends by an error, so that they end with it and its exit code.
  virtual void fail(ExitCode code, const std::string& message) = 0;
  // The last call, before the process ends with this exit code.
  virtual void leave(int code) = 0;
};

// What launched this process as one of several of one run.
struct Launched {
  std::string by;     // "mpirun"; empty where nothing did
  int64_t count = 1;  // of processes
};
Launched launched();

// This process alone, until join_ranks has found others.
Ranks& ranks();
// Joins the ranks that a launcher (mpirun, srun) has started, if the environment says that there
// are some. Throws Error(kUsage) where this build has no MPI.
void join_ranks();

// What an MPI library of this program provides.
using MakeRanks = Ranks* (*)();
inline constexpr const char* kMakeRanks = "vitrine_make_ranks";

// "rank 1 of 4 on node7"
std::string rank_name(const Ranks& ranks, size_t index);

}  // namespace vitrine
