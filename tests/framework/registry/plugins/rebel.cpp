#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "framework/registry/register.h"
#include "framework/training/callback.h"

// Does something in one process of a run alone.
namespace vitrine {
namespace {

struct Options {
  int64_t rank = 1, at = 2;
  std::string how = "throw";

  void visit(Fields& field) {
    field("rank", rank, "the one that does so", at_least(0));
    field("at", at, "which step; 0: before the first", at_least(0));
    field("how", how, "what it does",
          one_of({"throw", "crash", "exit", "end", "drift", "draw", "hang", "slow"}));
  }
};

class Rebel : public Callback {
 public:
  Rebel(const Options& options, const CallbackContext&) : options_(options) {
    const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
    is_it_ = rank && std::to_string(options.rank) == rank;
  }
  void started(const RunView& run) override { act(run); }
  void step(const RunView& run) override { act(run); }
  std::string reason_to_end(const RunView& run) const override {
    return is_it_ && options_.how == "end" && run.step >= options_.at ? "enough" : "";
  }

 private:
  void act(const RunView& run) const {
    if (!is_it_ || run.step != options_.at) return;
    if (options_.how == "throw") throw std::runtime_error("not in this rank");
    if (options_.how == "crash") std::raise(SIGSEGV);
    if (options_.how == "exit") std::exit(3);
    if (options_.how == "drift") run.parameters.values()[0] += 1;
    if (options_.how == "draw") at::rand({1});
    if (options_.how == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (options_.how == "slow") std::this_thread::sleep_for(std::chrono::seconds(20));
  }

  Options options_;
  bool is_it_ = false;
};

VITRINE_REGISTER(Callback, Rebel, Options, "does something in one rank")

}  // namespace
}  // namespace vitrine
