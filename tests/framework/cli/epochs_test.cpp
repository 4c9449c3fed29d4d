#include <sys/inotify.h>

#include "framework/runs/metrics.h"
#include "tests/catch.h"
#include "tests/framework/cli/support.h"

// A run of many short epochs: each costs the same, and each is seen at once.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManyEpochs = R"(name: small
threads: 1
dataset: {type: digits, train: 64, test: 32, validation: 32}
model: {type: vit, n_patches: 4, hidden_d: 8, n_heads: 2, n_blocks: 1}
training: {epochs: 100000, batch_size: 32, checkpoint: {every: 20 epochs}}
)";

// How often a file of this name took its place in a folder since this was made.
class Renames {
 public:
  explicit Renames(const fs::path& folder) : events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    inotify_add_watch(events_, folder.c_str(), IN_MOVED_TO);
  }
  ~Renames() { close(events_); }

  int of(const std::string& name) {
    int out = 0;
    alignas(inotify_event) char buffer[65536];
    for (ssize_t size; (size = read(events_, buffer, sizeof buffer)) > 0;) {
      for (char* at = buffer; at < buffer + size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        out += event->len > 0 && name == event->name;
        at += sizeof(inotify_event) + event->len;
      }
    }
    return out;
  }

 private:
  int events_;
};

// The epochs that metrics.jsonl tells of.
int64_t epochs_in_rows(const fs::path& run) {
  const auto rows = epochs_after(run / "metrics.jsonl", 0);
  return rows.empty() ? 0 : rows.back().at("epoch").get<int64_t>();
}

Json status_of(const ConfigFolder& folder, const std::string& run) {
  return Json::parse(folder.run({"status", run, "--json"}).out).at(0);
}

TEST_CASE("metrics.json is not written at each epoch, and has all of them at the end") {
  const ConfigFolder folder(kManyEpochs);
  fs::create_directory(folder / "run");
  Renames renames(folder / "run");
  REQUIRE(folder.run({"small.yaml", "training.epochs=400", "--run-dir", "run"}).code == 0);
  CHECK(renames.of("metrics.json") < 400);
  const Metrics metrics = Metrics::read(folder / "run/metrics.json");
  CHECK(metrics.history.size() == 400);
  CHECK(metrics.history.back().at("epoch") == 400);
}

TEST_CASE("a run that was killed shows every epoch that it ended") {
  const ConfigFolder folder(kManyEpochs);
  const fs::path run = folder / "run";
  Process process(runner_command({"small.yaml", "--run-dir", "run"}), folder.path(), {});
  signal_during(process, run, SIGKILL, 100);
  const int64_t epochs = epochs_in_rows(run);
  REQUIRE(epochs >= 100);
  const Json row = status_of(folder, "run");
  CHECK(row.at("status") == "interrupted");
  CHECK(row.at("epoch") == epochs);
  REQUIRE(folder.run({"plot", "curves", "run", "--metric", "train/loss", "-o", "a.csv"}).code == 0);
  const std::string csv = bytes_of(folder / "a.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + epochs);

  // It goes on from a checkpoint, and stops with all that it has done since.
  const int64_t next = checkpoint_steps(run / "checkpoints").back() + 1;
  REQUIRE(folder.run({"resume", "run", "--stop-after", std::to_string(next)}).code == 75);
  CHECK(Metrics::read(run / "metrics.json").history.size() == static_cast<size_t>(next));
}

// As a run may leave it that is killed: with a metrics.json of its first epoch.
void forget_epochs(const fs::path& run) {
  Json metrics = json_of(run / "metrics.json");
  metrics["status"] = "running";
  metrics["finished"] = nullptr;
  metrics["history"].erase(metrics["history"].begin() + 1, metrics["history"].end());
  metrics["test"] = metrics["summary"] = Json::object();
  metrics["checkpoints"] = {{"last", "step-00000001"}, {"best", "step-00000001"}};
  write_plain(run / "metrics.json", metrics.dump());
}

TEST_CASE("whoever reads a run under way has its newest epochs and its best checkpoint") {
  const ConfigFolder folder(kManyEpochs);
  const fs::path run = folder / "run";
  REQUIRE(folder.run({"small.yaml", "training.epochs=45", "optimizer.lr=0.01", "--run-dir", "run"})
              .code == 0);
  const Json before = json_of(run / "metrics.json");
  forget_epochs(run);
  CHECK(status_of(folder, "run").at("epoch") == 45);
  CHECK(status_of(folder, "run").at("train/loss") == before.at("history").at(44).at("train/loss"));
  const std::string best = before.at("checkpoints").at("best");
  REQUIRE(best != "step-00000001");
  CHECK(Json::parse(folder.run({"test", "run", "--json"}).out).at("checkpoint") == best);
  REQUIRE(folder.run({"plot", "curves", "run", "--metric", "train/loss", "-o", "a.csv"}).code == 0);
  const std::string csv = bytes_of(folder / "a.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 45);
  REQUIRE(folder.run({"resume", "run"}).code == 0);
  const Json after = json_of(run / "metrics.json");
  CHECK(after.at("history") == before.at("history"));
  CHECK(after.at("checkpoints") == before.at("checkpoints"));
}

}  // namespace
}  // namespace vitrine
