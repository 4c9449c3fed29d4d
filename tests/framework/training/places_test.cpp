#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <cstring>

#include "framework/config/load.h"
#include "framework/config/yaml.h"
#include "framework/data/dataset.h"
#include "framework/engine/engine.h"
#include "framework/registry/register.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/callback.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// What a run under way takes of options that name files, and of options that it did not have.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

namespace raw {

struct Options : DatasetOptions {
  Path folder;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("folder", folder, "holds train and test, whose bytes are pixels");
  }
};

// Images of 8 x 8 pixels, their classes in turn.
class Raw : public Dataset {
 public:
  Raw(const Options& options, const DataContext&) : folder_(options.folder.value) {}
  DatasetInfo info() const override {
    return {1, 8, 8, class_column({"a", "b"}), images("train").size(0), images("test").size(0)};
  }
  Split load_train() override { return train_ = split("train"); }
  Split load_test() override { return test_ = split("test"); }
  std::string fingerprint() override { return fingerprint_of(train_, test_); }

 private:
  Tensor images(const char* name) const {
    const std::string bytes = read_file(folder_ / name, 1 << 20);
    Tensor out = at::empty({static_cast<int64_t>(bytes.size() / 64), 1, 8, 8}, at::kByte);
    std::memcpy(out.data_ptr(), bytes.data(), out.nbytes());
    return out;
  }
  Split split(const char* name) const {
    Split out;
    out.images = images(name);
    out.labels = {at::arange(out.images.size(0), at::kLong).remainder(2)};
    return out;
  }

  fs::path folder_;
  Split train_, test_;
};

VITRINE_REGISTER(Dataset, Raw, Options, "for a test")

}  // namespace raw

namespace told {

struct Options {
  Path from, to;
  double share = 0.5;
  std::optional<int64_t> last;

  void visit(Fields& field) {
    field("from", from, "what it reads");
    field("to", to, "what it writes").is(Role::kBookkeeping);
    field("share", share, "of nothing");
    field("last", last, "of nothing");
  }
};

class Told : public Callback {
 public:
  Told(const Options& options, const CallbackContext&) : to_(options.to.value) {}
  void step(const RunView& run) override {
    if (!to_.empty()) write_plain(to_, fmt::format("{}", run.step));
  }

 private:
  fs::path to_;
};

VITRINE_REGISTER(Callback, Told, Options, "for a test")

}  // namespace told

// Hears what is said.
struct Listener : Quiet {
  void message(const std::string& text) override { said += text + "\n"; }
  void warning(const std::string& text) override { said += "warning: " + text + "\n"; }
  std::string said;
};

struct Desk {
  Desk() {
    fs::create_directories(folder / "raw");
    std::string pixels;
    for (int i = 0; i < 60 * 64; ++i) pixels += static_cast<char>(i * i % 251);
    write_plain(folder / "raw/train", pixels);
    write_plain(folder / "raw/test", pixels.substr(0, 20 * 64));
    write_plain(folder / "told", "first");
    fs::create_directories(folder / "many");
    write_plain(folder / "many/one", "1");
    write_plain(folder / "c.yaml",
                fmt::format("name: c\n"
                            "threads: 1\n"
                            "dataset: {{type: places_test, folder: {0}/raw, validation: 20}}\n"
                            "model: {{type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: "
                            "1, mlp: {{type: gelu, ratio: 4}}}}\n"
                            "callbacks: [{{type: places_test, from: {0}/told, to: {0}/out}}, "
                            "{{type: places_test, from: {0}/many}}]\n"
                            "training: {{epochs: 2, batch_size: 10, log_every: 2}}\n",
                            folder.path().string()));
  }
  std::string start(const std::string& name, std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = engine().resolve({folder / "c.yaml", {}, {}});
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  std::string resume(const std::string& name, std::vector<std::string> overrides = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(folder / name, {{}, std::move(overrides), {}});
    request.resume = true;
    return perform(name, std::move(request));
  }
  std::string perform(const std::string& name, TrainRequest request) const {
    request.run_dir = folder / name;
    Listener listener;
    engine().train(request, listener);
    return listener.said;
  }
  std::string place(const std::string& name) const { return (folder / name).string(); }
  bool is_exact(const std::string& run) const {
    return Metrics::read(folder / run / "metrics.json").exact;
  }

  TemporaryFolder folder;
};

TEST_CASE("what options name may be moved, and the run stays exact") {
  const Desk desk;
  desk.start("whole");
  desk.start("run", 3);
  const Metrics metrics = Metrics::read(desk.folder / "run/metrics.json");
  CHECK(metrics.contents.at("callbacks.0.from") == sha256_hex("first"));
  CHECK(metrics.contents.at("callbacks.1.from").get<std::string>().size() == 64);
  CHECK(metrics.contents.size() == 2);  // data have a digest of their own
  fs::rename(desk.folder / "raw", desk.folder / "raw2");
  fs::rename(desk.folder / "told", desk.folder / "told2");
  fs::rename(desk.folder / "many", desk.folder / "many2");
  desk.resume("run",
              {"dataset.folder=" + desk.place("raw2"), "callbacks.0.from=" + desk.place("told2"),
               "callbacks.1.from=" + desk.place("many2")});
  CHECK(desk.is_exact("run"));
  CHECK(result_of(desk.folder / "run") == result_of(desk.folder / "whole"));
}

TEST_CASE("a file that was replaced, or another folder, is refused") {
  const Desk desk;
  desk.start("run", 3);
  write_plain(desk.folder / "told", "other");
  CHECK_THROWS_WITH(desk.resume("run"),
                    Contains("callbacks.0.from is not what this run began with (SHA-256 " +
                             sha256_hex("other").substr(0, 12) + ", was " +
                             sha256_hex("first").substr(0, 12) + "); start a new run for it"));
  write_plain(desk.folder / "told", "first");
  write_plain(desk.folder / "many/two", "2");
  CHECK_THROWS_WITH(desk.resume("run"),
                    Contains("callbacks.1.from is not what this run began with"));
  fs::remove(desk.folder / "many/two");
  write_plain(desk.folder / "raw/test", std::string(20 * 64, 'x'));
  CHECK_THROWS_WITH(desk.resume("run"),
                    Contains("the data have changed since this run was started"));
}

// Takes options out of what a run has written, as if its program had not had them.
void forget(const fs::path& run, const std::vector<std::string>& pointers) {
  const auto without = [&](nlohmann::json config) {
    for (const std::string& pointer : pointers) {
      const nlohmann::json::json_pointer at(pointer);
      REQUIRE(config.contains(at));
      config.at(at.parent_pointer()).erase(at.back());
    }
    return config;
  };
  const nlohmann::json config = read_yaml(run / "config.yaml").json();
  write_plain(run / "config.yaml", to_yaml(Node::from_json(without(config))));
  nlohmann::ordered_json metrics =
      nlohmann::ordered_json::parse(read_file(run / "metrics.json", 1 << 24));
  metrics["config_sha256"] = sha256_of_file(run / "config.yaml");
  metrics["config"] = without(metrics["config"]);
  write_plain(run / "metrics.json", metrics.dump());
  Checkpoint checkpoint = load_checkpoint(checkpoint_file(run / "checkpoints", 3));
  checkpoint.state["config"] = without(checkpoint.state["config"]);
  save_checkpoint(run / "checkpoints", checkpoint, 3);
}

TEST_CASE("options that came since, at their defaults, stop no resume") {
  const Desk desk;
  desk.start("whole");
  desk.start("run", 3);
  forget(desk.folder / "run", {"/model/mlp/ratio", "/callbacks/0/share", "/callbacks/1/last",
                               "/optimizer/amsgrad", "/training/clip_norm", "/dataset/split_seed"});
  const std::string said = desk.resume("run");
  CHECK_THAT(said,
             Contains("\nmodel.mlp.ratio is new since this run began, and at its default, 4\n"));
  CHECK(desk.is_exact("run"));
  CHECK(result_of(desk.folder / "run") == result_of(desk.folder / "whole"));
  const Metrics metrics = Metrics::read(desk.folder / "run/metrics.json");
  std::vector<std::string> keys;
  for (const Change& change : metrics.changes) keys.push_back(change.key);
  CHECK(keys == std::vector<std::string>{"dataset.split_seed", "model.mlp.ratio",
                                         "optimizer.amsgrad", "training.clip_norm"});
  CHECK(metrics.changes[1].from.is_null());
  CHECK(metrics.changes[1].to == 4);
}

TEST_CASE("options that came since, with another value, are those of another experiment") {
  const Desk desk;
  desk.start("run", 3);
  forget(desk.folder / "run", {"/model/mlp/ratio"});
  CHECK_THROWS_WITH(desk.resume("run", {"model.mlp.ratio=2"}),
                    Contains("model.mlp.ratio cannot change in a run under way"));
}

}  // namespace
}  // namespace vitrine
