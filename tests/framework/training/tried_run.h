#pragma once

#include "framework/files/sha256.h"
#include "framework/runs/metrics.h"
#include "framework/runs/run_directory.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"

// A small run that something befalls, and what it comes to.
namespace vitrine {

// A run in `folder`/run.
class Training {
 public:
  explicit Training(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    write_plain(
        folder_ / "c.yaml",
        "name: c\n"
        "threads: 1\n"
        "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
        "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
        "training: {epochs: 2, batch_size: 10, log_every: 2, checkpoint: {every: 2 steps}}\n");
  }
  std::filesystem::path run() const { return folder_ / "run"; }

  ExitCode start(std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = engine().resolve({folder_ / "c.yaml", {}, {}});
    request.stop_after = stop_after;
    return perform(std::move(request));
  }
  ExitCode resume(const std::vector<std::string>& changes = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(run(), {{}, changes, {}});
    request.resume = true;
    return perform(std::move(request));
  }
  // What a job's script does: --run-dir RUN --resume.
  ExitCode start_or_resume() const { return holds_run(run()) ? resume() : start(); }

 private:
  ExitCode perform(TrainRequest request) const {
    request.run_dir = run();
    Quiet quiet;
    return engine().train(request, quiet).code;
  }

  std::filesystem::path folder_;
};

// What a run came to, without its times.
struct TriedResult {
  std::string model;  // SHA-256 of model.safetensors; empty: there is none
  std::string rows;
  std::string status;
  bool exact = false;

  bool operator==(const TriedResult&) const = default;
};

inline constexpr const char* kTimes[] = {"seconds", "images_per_second", "peak_memory_bytes"};

inline std::string without_times(std::vector<Metrics::Object> rows) {
  std::string out;
  for (Metrics::Object& row : rows) {
    for (const char* key : kTimes) row.erase(key);
    out += row.dump() + "\n";
  }
  return out;
}

inline TriedResult result_of(const std::filesystem::path& run) {
  TriedResult out;
  if (std::filesystem::exists(run / "model.safetensors"))
    out.model = sha256_of_file(run / "model.safetensors");
  if (std::filesystem::exists(run / "metrics.jsonl"))
    out.rows = without_times(read_rows(run / "metrics.jsonl"));
  if (!std::filesystem::exists(run / "metrics.json")) return out;
  const Metrics metrics = Metrics::read(run / "metrics.json");
  out.status = to_string(metrics.status);
  out.exact = metrics.exact;
  return out;
}

// Throws an Error where a run did not do what it was to do.
inline void must(ExitCode code) {
  if (code != ExitCode::kDone && code != ExitCode::kStopped) throw Error(code, "it was stopped");
}

}  // namespace vitrine
