#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "framework/files/safetensors.h"
#include "tests/framework/cli/support.h"

// Signals outside of training, and those that end no run; resume_test.cpp has those that stop one.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 64, test: 64}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 1, batch_size: 32}
)";

// A server that takes connections and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    REQUIRE(bind(socket_, generic, size) == 0);
    REQUIRE(listen(socket_, 8) == 0);
    REQUIRE(getsockname(socket_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  ~SilentServer() {
    if (client_ >= 0) close(client_);
    close(socket_);
  }

  std::string address() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }
  void wait_for_client(const Process& process) {
    pollfd waiting{socket_, POLLIN, 0};
    while (poll(&waiting, 1, 20) == 0) REQUIRE_FALSE(has_ended(process));
    client_ = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  }

 private:
  int socket_, client_ = -1;
  int port_ = 0;
};

// Whether the process has a handler of its own for the signal.
bool handles(const Process& process, int signal) {
  std::ifstream status("/proc/" + std::to_string(process.id()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1)) & 1;
  }
  return false;
}

class Folder : public ConfigFolder {
 public:
  Folder() : ConfigFolder(kConfig) {}
};

TEST_CASE("a signal during a download ends the program before there is a run") {
  const std::vector<std::pair<int, int>> signals = {{SIGINT, 130}, {SIGTERM, 143}, {SIGUSR1, 75}};
  for (const auto& [signal, code] : signals) {
    const Folder folder;
    SilentServer server;
    const std::string mnist = "dataset={type: mnist, mirrors: ['" + server.address() + "']}";
    Process process(runner_command({"small.yaml", mnist, "--run-dir", "run"}), folder.path(),
                    isolated(folder.path()));
    server.wait_for_client(process);
    process.send(signal);
    const Result result = process.wait();
    INFO(result.err);
    CHECK(result.code == code);
    CHECK(result.err == "");
    CHECK_THAT(result.out, EndsWith("\nstopped before the run was made\n"));
    CHECK_FALSE(fs::exists(folder / "run"));
  }
}

TEST_CASE("a signal during the download for a test ends it") {
  const Folder folder;
  SilentServer server;
  const std::string mnist = "dataset={type: mnist, mirrors: ['" + server.address() + "']}";
  write_plain(folder / "w.safetensors", write_safetensors({}, {}));
  Process process(runner_command({"test", "small.yaml", mnist, "model.weights=w.safetensors"}),
                  folder.path(), isolated(folder.path()));
  server.wait_for_client(process);
  process.send(SIGINT);
  const Result result = process.wait();
  CHECK(result.code == 130);
  CHECK(result.err == "");
  CHECK_THAT(result.out, EndsWith("\nstopped before the test was done\n"));
}

TEST_CASE("a signal ends a test under way") {
  const Folder folder;
  // Large enough that its test takes seconds.
  REQUIRE(runner({"small.yaml", "--run-dir", "run", "model.hidden_d=64", "model.n_blocks=12",
                  "training.max_steps=1"},
                 folder.path())
              .code == 0);
  Process process(runner_command({"test", "run", "dataset.test=60000", "backend=layers"}),
                  folder.path(), {});
  while (!handles(process, SIGTERM)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  process.send(SIGTERM);
  const Result result = process.wait();
  INFO(result.err);
  CHECK(result.code == 143);
  CHECK(result.out == "stopped before the test was done\n");
}

TEST_CASE("a run that nohup started outlives its terminal") {
  const Folder folder;
  Process process(
      shell_command("trap '' HUP; exec $RUNNER small.yaml --run-dir run training.epochs=100"),
      folder.path(), {});
  const Result result = signal_during(process, folder / "run", SIGHUP);
  CHECK(result.code == 0);
  CHECK(json_of(folder / "run/metrics.json").at("status") == "finished");
}

TEST_CASE("a reader of the output that goes away does not end a run") {
  const Folder folder;
  const Result result =
      shell("{ $RUNNER small.yaml --run-dir run training.epochs=20; echo $? >code; } | true",
            folder.path());
  CHECK(bytes_of(folder / "code") == "1\n");
  CHECK(result.err == "error: what was printed could not be written to standard output\n");
  CHECK(json_of(folder / "run/metrics.json").at("status") == "finished");
}

TEST_CASE("a limit of the size of files ends a run, which can go on without it") {
  const Folder folder;
  REQUIRE(runner({"small.yaml", "--run-dir", "run", "--stop-after", "1"}, folder.path()).code ==
          75);
  // Blocks of 512 bytes: room for metrics.json, not for a checkpoint.
  REQUIRE(fs::file_size(folder / "run/metrics.json") < 30 * 512);
  REQUIRE(fs::file_size(folder / "run/checkpoints/step-00000001.safetensors") > 40 * 512);
  const Result result = shell("ulimit -f 40; $RUNNER resume run", folder.path());
  CHECK(result.code == 1);
  CHECK(result.err ==
        "error: cannot write run/checkpoints/step-00000002.safetensors: File too large\n");
  CHECK(json_of(folder / "run/metrics.json").at("status") == "failed");
  CHECK(checkpoint_steps(folder / "run/checkpoints") == std::vector<int64_t>{1});
  CHECK(runner({"resume", "run"}, folder.path()).code == 0);
  CHECK(json_of(folder / "run/metrics.json").at("status") == "finished");
}

}  // namespace
}  // namespace vitrine
