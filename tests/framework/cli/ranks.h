#pragma once

#include <sstream>

#include "tests/framework/cli/resumed_run.h"
#include "tests/skip.h"

// Runs in several processes, by the MPI of this machine.
namespace vitrine {

// Skips the test where there is none.
inline void need_mpi() {
  const bool is_built = std::filesystem::exists(VITRINE_BINARY_DIR "/libvitrine_mpi.so");
  if (!is_built) skip("this build has no MPI: scripts/setup.sh --with-mpi");
  const Result version = Process({"sh", "-c", "mpirun --version"}, ".", {}).wait();
  if (version.out.find("Open MPI") == std::string::npos) skip("mpirun is not that of Open MPI");
}

// `words` in so many processes.
inline std::vector<std::string> ranks_command(int count, std::vector<std::string> words) {
  std::vector<std::string> out = {"mpirun", "--oversubscribe",    "--bind-to", "none",
                                  "-n",     std::to_string(count)};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

inline const std::map<std::string, std::string> kAsRoot = {{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                                                           {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};

inline Result runner_in_ranks(int count, std::vector<std::string> arguments,
                              const std::filesystem::path& folder) {
  return Process(ranks_command(count, runner_command(std::move(arguments))), folder, kAsRoot)
      .wait();
}

// The lines that are the program's, not the launcher's.
inline std::string errors_of(const Result& result) {
  std::string out;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("error: ")) out += line + "\n";
  }
  return out;
}

// A line of shell in each rank, in which $RANK is its number.
inline Result shell_in_ranks(int count, const std::string& line,
                             const std::filesystem::path& folder, const std::string& before = "") {
  const std::string text =
      "RANK=$OMPI_COMM_WORLD_RANK; " + before + "exec '" VITRINE_BINARY_DIR "/runner' " + line;
  return Process(ranks_command(count, {"sh", "-c", text}), folder, kAsRoot).wait();
}

// The process that is this rank of a run in `folder`; 0: there is none.
inline pid_t process_of(const std::filesystem::path& folder, int rank) {
  const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path() / "cwd", error) !=
        std::filesystem::canonical(folder))
      continue;
    const std::string variables = Process::read(entry.path() / "environ");
    if (variables.find(wanted + '\0') != std::string::npos) return std::stoi(name);
  }
  return 0;
}

}  // namespace vitrine
