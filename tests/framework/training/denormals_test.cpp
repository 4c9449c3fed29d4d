#include "framework/denormals.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "framework/engine/engine.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

#if defined(__x86_64__)

constexpr uint32_t kMet = 2;  // of MXCSR, set by an operand that is denormal, until it is cleared

std::atomic<int> asked, met;

// Runs in the thread that is asked, and clears its flag.
void answer(int, siginfo_t*, void* context) {
  uint32_t& mxcsr = static_cast<ucontext_t*>(context)->uc_mcontext.fpregs->mxcsr;
  met += (mxcsr & kMet) != 0;
  mxcsr &= ~kMet;
  --asked;
}

// How many of this process's threads met a denormal number since this was last asked. Threads of
// OpenMP and oneTBB stay for the next work.
int threads_that_met_one() {
  struct sigaction action {};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGUSR2, &action, nullptr);
  met = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    ++asked;
    if (syscall(SYS_tgkill, getpid(), std::stoi(thread.path().filename()), SIGUSR2) != 0) --asked;
  }
  while (asked > 0) usleep(100);
  return met;
}

// A softmax under cross-entropy with a learning rate that soon has it say 1 and 0: its gradients
// fade below the smallest number.
nlohmann::json train_into_saturation(const std::string& backend) {
  const TemporaryFolder folder;
  write_plain(folder / "a.yaml",
              "threads: 2\ndevice: cpu\nbackend: " + backend +
                  "\n"
                  "dataset: {type: digits, train: 2048, test: 8}\n"
                  "model: {type: vit, n_patches: 4, n_blocks: 2, hidden_d: 32, n_heads: 2, head: "
                  "softmax}\n"
                  "optimizer: {type: adam, lr: 0.05}\n"
                  "training: {epochs: 1, batch_size: 128}\n");
  TrainRequest request;
  request.config = engine().resolve({folder / "a.yaml", {}, {}});
  request.run_dir = folder / "run";
  Quiet silent;
  REQUIRE(engine().train(request, silent).code == ExitCode::kDone);
  return nlohmann::json::parse(read_file(folder / "run" / "metrics.json", 1 << 20));
}

TEST_CASE("no thread meets a denormal number where training saturates a softmax") {
  engine();
  CHECK(flushes_denormals());
  for (const char* backend : {"fused", "layers"}) {
    INFO(backend);
    threads_that_met_one();
    const auto metrics = train_into_saturation(backend);
    CHECK(threads_that_met_one() == 0);
    CHECK(metrics.at("environment").at("denormals") == "flushed");
  }
}

// What the test above stands on: the same training meets some where nothing is flushed.
TEST_CASE("the saturated softmax has denormal numbers") {
  engine();
  const uint32_t flushing = __builtin_ia32_stmxcsr();
  for (const char* backend : {"fused", "layers"}) {
    INFO(backend);
    __builtin_ia32_ldmxcsr(flushing & ~0x8040U);
    threads_that_met_one();
    const auto metrics = train_into_saturation(backend);
    const int threads = threads_that_met_one();
    __builtin_ia32_ldmxcsr(flushing);
    CHECK(threads > 0);
    CHECK(metrics.at("environment").at("denormals") == "kept");
  }
}

#else

TEST_CASE("denormal numbers") { skip("denormal numbers: only x86 tells whether one was met"); }

#endif

}  // namespace
}  // namespace vitrine
