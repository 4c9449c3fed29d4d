#pragma once

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

namespace vitrine {

// A folder with a config, and commands of Slurm that write down what they were asked:
//   arguments  of sbatch, one a line; it prints `id`, or fails with what `refusal` holds
//   queue      what squeue prints of the array jobs; `state` what it says of a job under way
//   requeued   the arguments of scontrol
class FakeSlurm : public TemporaryFolder {
 public:
  FakeSlurm() {
    write_plain(*this / "small.yaml", R"(name: small
dataset: {type: digits, train: 180, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 3, batch_size: 16}
)");
    make("sbatch", R"(if [[ -e $at/refusal ]]; then cat "$at/refusal" >&2; exit 1; fi
printf '%s\n' "$@" >"$at/arguments"
cat "$at/id")");
    make("squeue", R"(if [[ -e $at/deaf ]]; then echo 'squeue: no answer' >&2; exit 1; fi
case $* in *--jobs=*) cat "$at/state" ;; *) cat "$at/queue" ;; esac)");
    make("scontrol", R"(echo "$*" >>"$at/requeued")");
    set("id", "12\n");
    set("queue", "");
    set("state", "RUNNING\n");
  }

  void set(const std::string& file, const std::string& text) const {
    write_plain(*this / file, text);
  }
  std::string get(const std::string& file) const { return Process::read(*this / file); }

  Result run(const std::vector<std::string>& arguments) const {
    return runner(arguments, path(), environment());
  }
  Result sweep(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"sweep", "small.yaml", "--run-dir", "sweep", "--launcher", "slurm"});
    return run(arguments);
  }
  std::string refused(const std::vector<std::string>& arguments, int code) const {
    const Result result = run(arguments);
    CHECK(result.code == code);
    return result.err;
  }
  std::filesystem::path trial(const std::string& name) const {
    return *this / "sweep" / "trials" / name;
  }

  // Task `index` of job 12, whose script is `script`, as Slurm starts it.
  Process task(int index, const std::string& script = "0001.sh") const {
    auto variables = environment();
    variables["SLURM_JOB_ID"] = "13";
    variables["SLURM_ARRAY_JOB_ID"] = "12";
    variables["SLURM_ARRAY_TASK_ID"] = std::to_string(index);
    const auto folder = *this / "sweep" / "slurm";
    return Process({"bash", "-c", R"(exec bash "$1" "$2" >>"$3" 2>&1)", "task", folder / script,
                    *this / "sweep", folder / ("12_" + std::to_string(index) + ".txt")},
                   path(), variables);
  }
  std::string log(int index) const {
    return get("sweep/slurm/12_" + std::to_string(index) + ".txt");
  }

 private:
  std::map<std::string, std::string> environment() const {
    return {{"PATH", (*this / "bin").string() + ":" + std::getenv("PATH")}};
  }
  void make(const std::string& name, const std::string& body) const {
    std::filesystem::create_directories(*this / "bin");
    const auto file = *this / "bin" / name;
    write_plain(file, "#!/bin/bash\nat=" + path().string() +
                          "\nif [[ $1 == --version ]]; then echo slurm 22.05.8; exit; fi\n" + body +
                          "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
};

inline void wait_for_checkpoint(const std::filesystem::path& run) {
  while (checkpoint_steps(run / "checkpoints").empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

// The trial's process that a task has started.
inline pid_t child_of(const Process& task) {
  const std::string id = std::to_string(task.id());
  return std::stoi(Process::read("/proc/" + id + "/task/" + id + "/children"));
}

inline std::string counts(const FakeSlurm& slurm) {
  const std::string text = slurm.run({"status", "sweep"}).out;
  const size_t begin = text.rfind("\nsweep: ") + 8;
  return text.substr(begin, text.find(';', begin) - begin);
}

}  // namespace vitrine
