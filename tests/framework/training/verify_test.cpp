#include <filesystem>

#include "framework/images/encode.h"
#include "tests/framework/training/tried_run.h"

// What a run notices of data that have changed since it was started.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// Photos of which each has as many bytes as the others.
class Photos {
 public:
  Photos() {
    for (int i = 0; i < 12; ++i) {
      for (const char* name : {"train/a/", "train/b/", "test/a/"})
        write(name + std::to_string(i) + ".png", static_cast<uint8_t>(20 * i));
    }
    write_plain(folder_ / "c.yaml",
                "threads: 1\n"
                "dataset: {type: folder, path: " +
                    (folder_ / "photos").string() +
                    ", size: 8}\n"
                    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
                    "training: {epochs: 2, batch_size: 6, checkpoint: {every: 1 step}}\n");
  }
  void write(const std::string& name, uint8_t brightness) const {
    const fs::path file = folder_ / ("photos/" + name);
    fs::create_directories(file.parent_path());
    Image image{8, 8, 3, std::vector<uint8_t>(192, 7)};
    image.pixels[0] = brightness;
    std::string bytes = encode_png(image);
    bytes.resize(400);  // what follows the end of a PNG is not read
    write_plain(file, bytes);
  }
  // Two steps, then the rest with these images.
  void start(const std::string& verify) const {
    TrainRequest request;
    request.config = engine().resolve({folder_ / "c.yaml", {"dataset.verify=" + verify}, {}});
    request.stop_after = 2;
    perform(std::move(request));
  }
  void resume(const std::string& verify) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(run(), {{}, {"dataset.verify=" + verify}, {}});
    request.resume = true;
    perform(std::move(request));
  }
  Metrics metrics() const { return Metrics::read(run() / "metrics.json"); }
  fs::path folder() const { return folder_.path(); }
  fs::path run() const { return folder_ / "run"; }
  void move(const std::string& from, const std::string& to) const {
    fs::rename(folder_ / ("photos/" + from), folder_ / ("photos/" + to));
  }

 private:
  void perform(TrainRequest request) const {
    request.run_dir = run();
    Quiet quiet;
    must(engine().train(request, quiet).code);
  }

  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Photos, "verify: full refuses images that have changed and kept their size") {
  start("full");
  const std::string contents = metrics().dataset.at("contents_sha256");
  CHECK(contents.size() == 64);
  CHECK(contents != metrics().dataset.at("sha256"));
  write("train/b/3.png", 1);
  const std::string message = message_of(ExitCode::kCheckpoint, [&] { resume("full"); });
  CHECK(message.starts_with(run().string() +
                            ": what is in the data has changed since this run was started (the "
                            "SHA-256 of all of it is "));
  CHECK(message.ends_with(", was " + contents.substr(0, 12) + "); start a new run"));
  write("train/b/3.png", 60);
  resume("full");
  CHECK(metrics().exact);
  CHECK(metrics().status == RunStatus::kFinished);
}

TEST_CASE_METHOD(Photos,
                 "verify: quick sees paths, sizes and labels, and keeps what full has seen") {
  start("full");
  const std::string contents = metrics().dataset.at("contents_sha256"),
                    quick = metrics().dataset.at("sha256");
  write("train/b/3.png", 1);
  move("train/a/5.png", "train/b/50.png");
  CHECK(message_of(ExitCode::kCheckpoint, [&] {
          resume("quick");
        }).starts_with(run().string() + ": the data have changed since this run was started"));
  move("train/b/50.png", "train/a/5.png");
  resume("quick");
  CHECK(metrics().status == RunStatus::kFinished);
  CHECK(metrics().dataset.at("contents_sha256") == contents);
  CHECK(metrics().dataset.at("sha256") == quick);
}

TEST_CASE_METHOD(Photos,
                 "of a run that was started with verify: quick full has nothing to compare") {
  start("quick");
  CHECK_FALSE(metrics().dataset.contains("contents_sha256"));
  resume("full");
  CHECK(metrics().dataset.contains("contents_sha256"));
  CHECK(metrics().exact);
}

// Asks to stop once so many images have been read.
class Stopping : public Quiet {
 public:
  explicit Stopping(int64_t images) : images_(images) {}
  void reading(int64_t images, int64_t all) override {
    seen = std::to_string(images) + " of " + std::to_string(all);
    if (images == images_) code_ = ExitCode::kTerminated;
  }
  ExitCode stop_requested() override { return code_; }
  std::string seen;

 private:
  int64_t images_;
  ExitCode code_ = ExitCode::kDone;
};

TEST_CASE_METHOD(Photos,
                 "reading all of the data is told of, and broken off where that is wanted") {
  TrainRequest request;
  request.config =
      engine().resolve({folder() / "c.yaml", {"dataset.verify=full", "dataset.memory=stream"}, {}});
  request.run_dir = run();
  Stopping stopping(20);
  CHECK(engine().train(request, stopping).code == ExitCode::kTerminated);
  CHECK(stopping.seen == "20 of 36");
  CHECK_FALSE(fs::exists(run()));
  Stopping never(-1);
  CHECK(engine().train(request, never).code == ExitCode::kDone);
  CHECK(never.seen == "36 of 36");
}

}  // namespace
}  // namespace vitrine
