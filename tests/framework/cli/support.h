#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "framework/files/file.h"
#include "framework/runs/checkpoint.h"
#include "tests/framework/files/support.h"

extern char** environ;

namespace vitrine {

using Json = nlohmann::ordered_json;

// What a process left: its exit code (128 + the signal's number where one ended it) and what it
// wrote.
struct Result {
  int code;
  std::string out, err;
};

// A process that was started and is not waited for yet; the destructor kills what still runs.
class Process {
 public:
  // Starts the program `arguments[0]` in `working_directory`, with this process's environment
  // changed by `environment`. Throws std::system_error.
  Process(std::vector<std::string> arguments, const std::filesystem::path& working_directory,
          std::map<std::string, std::string> environment) {
    environment.try_emplace("NO_COLOR", "1");
    std::vector<std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      std::string text = *entry;
      if (environment.count(text.substr(0, text.find('='))) == 0) variables.push_back(text);
    }
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    spawn(pointers(arguments), pointers(variables), working_directory);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (!running_) return;
    send(SIGKILL);
    wait();
  }

  pid_t id() const { return id_; }
  void send(int signal) const { kill(id_, signal); }

  Result wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    running_ = false;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read(streams_ / "out"), read(streams_ / "err")};
  }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  }

  void spawn(std::vector<char*> arguments, std::vector<char*> variables,
             const std::filesystem::path& working_directory) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, working_directory.c_str());
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, (streams_ / "out").c_str(), kFlags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (streams_ / "err").c_str(), kFlags, 0600);
    const int failure =
        posix_spawnp(&id_, arguments[0], &actions, nullptr, arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw std::system_error(failure, std::generic_category(), arguments[0]);
  }

  TemporaryFolder streams_;
  pid_t id_ = 0;
  bool running_ = true;
};

// Environment that keeps a test from finding data outside `folder`.
inline std::map<std::string, std::string> isolated(const std::filesystem::path& folder) {
  return {{"HOME", folder}, {"XDG_CACHE_HOME", folder / "cache"}, {"VITRINE_DATA", folder / "no"}};
}

// The command line of the built program.
inline std::vector<std::string> runner_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), VITRINE_BINARY_DIR "/runner");
  return arguments;
}

// Runs the built program to its end.
inline Result runner(std::vector<std::string> arguments,
                     const std::filesystem::path& working_directory,
                     std::map<std::string, std::string> environment = {}) {
  return Process(runner_command(std::move(arguments)), working_directory, std::move(environment))
      .wait();
}

// The command of a line of shell in which $RUNNER is the program.
inline std::vector<std::string> shell_command(const std::string& line) {
  return {"sh", "-c", "RUNNER='" VITRINE_BINARY_DIR "/runner'; " + line};
}
inline Result shell(const std::string& line, const std::filesystem::path& folder) {
  return Process(shell_command(line), folder, {}).wait();
}

// What messages say of a relative path that is not there, in a program started in `folder`.
inline std::string counted_from(const std::filesystem::path& folder, const std::string& name) {
  return " (" + (folder / name).string() + ": a relative path counts from the current folder)";
}

inline bool has_ended(const Process& process) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(process.id()), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid != 0;
}

// Sends the signal once the run has a checkpoint of `step` or a later one: at first it is in the
// midst of training.
inline Result signal_during(Process& process, const std::filesystem::path& run, int signal,
                            int64_t step = 1) {
  const auto reached = [&] {
    const auto steps = checkpoint_steps(run / "checkpoints");
    return !steps.empty() && steps.back() >= step;
  };
  while (!reached() && !has_ended(process)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  process.send(signal);
  return process.wait();
}

inline std::string bytes_of(const std::filesystem::path& file) {
  return read_file(file, uint64_t{1} << 30);
}
inline Json json_of(const std::filesystem::path& file) { return Json::parse(bytes_of(file)); }

// A folder with the config small.yaml, from which the program is started.
class ConfigFolder : public TemporaryFolder {
 public:
  explicit ConfigFolder(const char* config) { write_plain(*this / "small.yaml", config); }
  Result run(const std::vector<std::string>& arguments) const { return runner(arguments, path()); }
};

// 3 steps an epoch.
inline constexpr const char* kSmallConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 256, test: 64, validation: 64}
model:
  type: vit
  n_patches: 4
  hidden_d: 8
  n_heads: 2
  n_blocks: 1
training: {epochs: 1, batch_size: 64}
)";

// A folder with the config a.yaml, from which the program is started without any data at hand.
class Desk {
 public:
  Desk() { write("a.yaml", kSmallConfig); }

  void write(const std::string& name, const std::string& text) const {
    write_plain(folder_ / name, text);
  }
  Result run(std::vector<std::string> arguments) const {
    auto environment = isolated(folder_.path());
    environment["VITRINE_DATA"] = "no";
    return runner(std::move(arguments), folder_.path(), std::move(environment));
  }
  // What the program says when it ends with `code`.
  std::string error(ExitCode code, std::vector<std::string> arguments) const {
    const Result result = run(std::move(arguments));
    INFO(result.out << result.err);
    CHECK(result.code == static_cast<int>(code));
    return result.err;
  }
  // The same for a config with one override. Nothing may be left of such a start.
  std::string refused(const std::string& override) const {
    const std::string text = error(ExitCode::kUsage, {"a.yaml", override, "--run-dir", "run"});
    CHECK_FALSE(std::filesystem::exists(folder_ / "run"));
    return text;
  }
  // A finished run in `name`.
  void train(const std::string& name) const {
    REQUIRE(run({"a.yaml", "--run-dir", name}).err == "");
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::string counted(const std::string& name) const { return counted_from(folder_.path(), name); }

 private:
  TemporaryFolder folder_;
};

// Without the lines that a sanitizer of its own accord prints where memory is refused.
inline std::string without_sanitizer(const std::string& err) {
  static const std::regex line("==[0-9]+==WARNING: AddressSanitizer failed to allocate[^\n]*\n");
  return std::regex_replace(err, line, "");
}

}  // namespace vitrine
