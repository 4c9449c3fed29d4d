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
//   arguments  of sbatch, one a line; it prints `id`, or fails with what `refusal` holds; with
//              `lost` it takes the job and fails all the same, with `falls_silent` squeue is deaf
//              from then on
//   queue      the array jobs in the queue: "12 0", or "12 0 PENDING Resources"; `state` what
//   squeue
//              says of a job under way, `left` its time; where `deaf` is there, nothing
//   requeued   the arguments of scontrol requeue, which fails as many times as `busy` has lines;
//              `updated` those of scontrol update; `config` and `partition` what it shows
// squeue shows nothing to those who do not ask for all, or whose environment filters.
class FakeSlurm : public TemporaryFolder {
 public:
  FakeSlurm() {
    write_plain(*this / "small.yaml", R"(name: small
dataset: {type: digits, train: 180, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 3, batch_size: 16}
)");
    make("sbatch", R"(for word; do
  case $word in --comment=*) comment=${word#*=} ;; --array=*) array=${word#*=} ;; esac
done
printf '%s\n' "$@" >"$at/arguments"
env | grep -E '^(SBATCH|SLURM|SQUEUE)_' >"$at/environment"
if [[ -e $at/lost ]]; then echo "77 0" >>"$at/queue"; echo "$comment" >"$at/comment-77"; fi
if [[ -e $at/falls_silent ]]; then touch "$at/deaf"; fi
if [[ -e $at/refusal ]]; then cat "$at/refusal" >&2; exit 1; fi
id=$(grep -Eo '[0-9]+' "$at/id" | head -n 1)
echo "$comment" >"$at/comment-$id"
cat "$at/id")");
    make("squeue", R"(if [[ -e $at/deaf ]]; then echo 'squeue: no answer' >&2; exit 1; fi
if [[ $* != *--all* || $(compgen -v SQUEUE_) ]]; then exit; fi
for word; do
  case $word in --jobs=*) jobs=,${word#*=}, ;; --format=*) format=${word#*=} ;; esac
done
case $format in
  %T) cat "$at/state" ;;
  %L) cat "$at/left" ;;
  '%T|%r') cat "$at/ended" 2>/dev/null ;;
  *) if [[ $jobs =~ ^,[0-9]+,$ ]] && ! grep -q "^${jobs//,/} " "$at/queue"; then
      echo 'slurm_load_jobs error: Invalid job id specified' >&2
      exit 1
    fi
    while read -r job task state reason; do
      if [[ $jobs && $jobs != *,$job,* ]]; then continue; fi
      echo "$job|$task|${state:-PENDING}|${reason:-None}|$(cat "$at/comment-$job" 2>/dev/null)|"
    done <"$at/queue" ;;
esac)");
    make("scontrol", R"(case $* in
  requeue*)
    echo "$*" >>"$at/requeued"
    if [[ -s $at/busy ]]; then sed -i 1d "$at/busy"; echo 'no answer' >&2; exit 1; fi ;;
  update*) echo "$*" >>"$at/updated" ;;
  *config*) cat "$at/config" ;;
  *partition*) cat "$at/partition" ;;
esac)");
    set("id", "12\n");
    set("queue", "");
    set("state", "RUNNING\n");
    set("left", "UNLIMITED\n");
    set("config", "");
    set("partition", "");
  }

  // Another of Slurm's commands, whose folder `$at` is.
  void make(const std::string& name, const std::string& body) const {
    std::filesystem::create_directories(*this / "bin");
    const auto file = *this / "bin" / name;
    write_plain(file, "#!/bin/bash\nat=" + path().string() +
                          "\nif [[ $1 == --version ]]; then echo slurm 22.05.8; exit; fi\n" + body +
                          "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  void set(const std::string& file, const std::string& text) const {
    write_plain(*this / file, text);
  }
  std::string get(const std::string& file) const { return Process::read(*this / file); }

  Result run(const std::vector<std::string>& arguments,
             const std::map<std::string, std::string>& more = {}) const {
    auto variables = environment();
    variables.insert(more.begin(), more.end());
    return runner(arguments, path(), variables);
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

  // That of the sweep's job `number`, from 1.
  std::string mark(int number, const std::string& sweep = "sweep") const {
    const std::string id = json_of(*this / sweep / "plan.json").at("id");
    return "vitrine:" + id + ":" + std::to_string(number);
  }

  // Task `index` of job 12, whose script is `script`, as Slurm starts it.
  Process task(int index, const std::string& script = "0001.sh",
               const std::map<std::string, std::string>& more = {},
               const std::string& directory = "") const {
    auto variables = environment();
    variables.insert(more.begin(), more.end());
    variables["SLURM_JOB_ID"] = "13";
    variables["SLURM_ARRAY_JOB_ID"] = "12";
    variables["SLURM_ARRAY_TASK_ID"] = std::to_string(index);
    const auto folder = *this / "sweep" / "slurm";
    return Process({"bash", "-c", R"(exec bash "$1" "$2" >>"$3" 2>&1)", "task", folder / script,
                    *this / "sweep", folder / ("12_" + std::to_string(index) + ".txt")},
                   path() / directory, variables);
  }
  // Without the line that each start of a task begins with.
  std::string log(int index) const {
    static const std::regex kStart("task 12_[^\n]*\n");
    return std::regex_replace(get("sweep/slurm/12_" + std::to_string(index) + ".txt"), kStart, "");
  }

 private:
  std::map<std::string, std::string> environment() const {
    return {{"PATH", (*this / "bin").string() + ":" + std::getenv("PATH")}};
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
