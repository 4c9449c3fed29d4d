#pragma once

#include <optional>

#include "framework/runs/lock.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/support.h"

namespace vitrine {

// A run whose course a test decides: as training does it holds the folder's lock, appends rows and
// replaces metrics.json.
class LiveRun {
 public:
  explicit LiveRun(const std::filesystem::path& folder) : folder_(folder) {
    std::filesystem::create_directories(folder);
    write_plain(folder / "config.yaml", "name: small\n");
    metrics_.name = "small";
    metrics_.run = folder.filename();
    metrics_.started = "2026-12-01T10:00:00Z";
    metrics_.config = {{"name", "small"}, {"training", {{"epochs", 4}, {"batch_size", 10}}}};
    metrics_.dataset = {{"type", "digits"}, {"train", 100}};
    metrics_.metrics = {{"train/loss", {"min", "nats"}},
                        {"validation/accuracy", {"max", "fraction"}}};
    metrics_.best_by = "validation/accuracy";
    lock_.emplace(folder);
    metrics_.write(folder / "metrics.json");
  }

  const std::filesystem::path& folder() const { return folder_; }
  void step(int64_t step, double loss) const {
    append(
        Json{{"kind", "step"}, {"epoch", (step - 1) / 10 + 1}, {"step", step}, {"train/loss", loss}}
            .dump() +
        "\n");
  }
  // Ten steps of half a second.
  void epoch(int64_t epoch, double loss, double accuracy) {
    Json row = {{"epoch", epoch},     {"step", epoch * 10},
                {"train/loss", loss}, {"validation/accuracy", accuracy},
                {"seconds", 5.0},     {"images_per_second", 20.0}};
    metrics_.add_epoch(row);
    row["kind"] = "epoch";
    append(row.dump() + "\n");
  }
  void append(const std::string& text) const {
    std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << text;
  }
  void end(RunStatus status) {
    metrics_.set_status(status);
    metrics_.finished = "2026-12-01T10:00:20Z";
    metrics_.stopped_by = status == RunStatus::kFinished ? "epochs" : "error";
    metrics_.write(folder_ / "metrics.json");
    lock_.reset();
  }
  void vanish() {
    lock_.reset();
    std::filesystem::remove_all(folder_);
  }

 private:
  std::filesystem::path folder_;
  Metrics metrics_;
  std::optional<RunLock> lock_;
};

// A program whose output is read while it goes on.
class Following {
 public:
  Following(std::vector<std::string> arguments, const std::filesystem::path& folder,
            const std::string& name = "shown")
      : file_(folder / name) {
    std::string line = "exec \"$0\" \"$@\" > " + name + " 2>&1";
    arguments.insert(arguments.begin(), {"sh", "-c", line, VITRINE_BINARY_DIR "/runner"});
    process_.emplace(std::move(arguments), folder, std::map<std::string, std::string>());
  }

  // Waits until it has said so; false where it ended without.
  bool says(const std::string& text) {
    for (;;) {
      const bool ended = has_ended(*process_);
      if (shown().find(text) != std::string::npos) return true;
      if (ended) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::string shown() const { return Process::read(file_); }
  void send(int signal) { process_->send(signal); }
  int code() { return process_->wait().code; }

 private:
  std::filesystem::path file_;
  std::optional<Process> process_;
};

}  // namespace vitrine
