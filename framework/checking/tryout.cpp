#include "framework/checking/tryout.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "framework/checking/noise.h"
#include "framework/config/merge.h"
#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/config.h"
#include "framework/training/threads.h"
#include "framework/training/training.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

Checkpoint last_checkpoint(const fs::path& run) {
  const auto steps = checkpoint_steps(run / "checkpoints");
  if (steps.empty()) throw Error(ExitCode::kCheckpoint, "the run left no checkpoint");
  return load_checkpoint(checkpoint_file(run / "checkpoints", steps.back()));
}

std::map<std::string, std::string> tensors_of(const fs::path& run) {
  std::map<std::string, std::string> out;
  for (const OwnedTensor& tensor : last_checkpoint(run).tensors) out[tensor.name] = tensor.bytes;
  return out;
}

// What rows tell, but for times.
std::vector<Json> rows_of(const fs::path& run) {
  std::vector<Json> out;
  std::istringstream text(read_file(run / "metrics.jsonl", kMostBytes));
  for (std::string line; std::getline(text, line);) {
    Json row = Json::parse(line);
    for (const char* time : {"seconds", "images_per_second", "epoch_seconds", "time"})
      row.erase(time);
    out.push_back(std::move(row));
  }
  return out;
}

std::string difference_of_tensors(const fs::path& one, const fs::path& other) {
  const auto first = tensors_of(one), second = tensors_of(other);
  for (const auto& [name, bytes] : first) {
    const auto same = second.find(name);
    if (same == second.end()) return fmt::format("a checkpoint has {}, the other has not", name);
    if (same->second != bytes) return fmt::format("{} has other bits", name);
  }
  for (const auto& [name, bytes] : second) {
    if (!first.contains(name)) return fmt::format("a checkpoint has {}, the other has not", name);
  }
  return "";
}

std::string difference_of_rows(const fs::path& one, const fs::path& other) {
  const auto first = rows_of(one), second = rows_of(other);
  if (first.size() != second.size())
    return fmt::format("one has {} rows of metrics, the other {}", first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    for (const auto& [key, value] : first[i].items()) {
      const auto same = second[i].find(key);
      if (same != second[i].end() && *same == value) continue;
      return fmt::format("{} of step {} is {}, then {}", key, first[i].value("step", int64_t{0}),
                         value.dump(), same == second[i].end() ? "nothing" : same->dump());
    }
  }
  return "";
}

struct Listener : Nobody {
  void warning(const std::string& text) override { warnings.push_back(text); }

  std::vector<std::string> warnings;
};

std::vector<std::string> train_as_asked(const TrainRequest& request) {
  Listener listener;
  set_compute_threads(request.config->threads);
  train(request, listener);
  return listener.warnings;
}

}  // namespace

Node tryout_base(const std::string& labels) {
  return parse_yaml(fmt::format("device: cpu\nthreads: 1\nname: tryout\n"
                                "dataset: {{type: {}, validation: 8, labels: {}}}\n"
                                "training: {{epochs: 2, batch_size: 8, log_every: 1,\n"
                                "           checkpoint: {{keep: 1000}}}}\n",
                                kNoise, labels),
                    "tryout");
}

Tryout Tryout::with(const Node& change) const {
  return {merge_keys(config, change), where, folder};
}

std::shared_ptr<const ResolvedConfig> resolve_tryout(const Tryout& tryout) {
  return resolve(tryout.config, "tryout");
}

std::vector<std::string> train_tryout(const Tryout& tryout, const std::string& name,
                                      std::optional<int64_t> stop_after) {
  TrainRequest request;
  request.config = resolve_tryout(tryout);
  request.run_dir = tryout.run(name);
  request.stop_after = stop_after;
  return train_as_asked(request);
}

void resume_tryout(const Tryout& tryout, const std::string& name) {
  TrainRequest request;
  request.config = resolve_resumed(tryout.run(name), {});
  request.run_dir = tryout.run(name);
  request.resume = true;
  train_as_asked(request);
}

std::string difference(const fs::path& one, const fs::path& other) {
  const std::string rows = difference_of_rows(one, other);
  return rows.empty() ? difference_of_tensors(one, other) : rows;
}

}  // namespace vitrine
