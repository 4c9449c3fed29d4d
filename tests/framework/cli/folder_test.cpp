#include <random>

#include "framework/files/sha256.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

// Photos in a folder: the same results however they are read.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

Image noise(std::mt19937& random, int64_t width, int64_t height) {
  Image out;
  out.width = width;
  out.height = height;
  out.channels = 3;
  for (int64_t i = 0; i < 3 * width * height; ++i)
    out.pixels.push_back(static_cast<uint8_t>(random() % 256));
  return out;
}

class Photos : public ConfigFolder {
 public:
  Photos()
      : ConfigFolder(
            "dataset: {type: folder, path: photos, size: 16, validation: 6}\n"
            "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
            "training: {epochs: 2, batch_size: 4, checkpoint: {every: 1 step}}\n") {
    std::mt19937 random(1);
    for (int i = 0; i < 30; ++i) {
      const std::string set = i < 24 ? "train" : "test", name = i % 2 ? "cat" : "dog";
      const fs::path folder = *this / "photos" / set / name;
      fs::create_directories(folder);
      write_plain(folder / (std::to_string(i) + ".png"), encode_png(noise(random, 12 + i, 30 - i)));
    }
  }
  // The weights of a run with these words, which must succeed.
  std::string trained(const std::string& name, std::vector<std::string> words) const {
    words.insert(words.begin(), {"small.yaml", "--run-dir", name});
    const Result result = run(words);
    INFO(result.out + result.err);
    CHECK(result.err == "");
    REQUIRE(result.code == 0);
    return sha256_of_file(*this / name / "model.safetensors");
  }
};

TEST_CASE_METHOD(Photos, "it does not matter how photos are read, nor by how many threads") {
  const std::string held = trained("held", {"dataset.memory=resident", "threads=1"});
  CHECK(trained("streamed", {"dataset.memory=stream", "threads=2"}) == held);
  CHECK(trained("many", {"dataset.memory=stream", "threads=64"}) == held);
  const Result shown = run({"show", "small.yaml", "--json"});
  const Json execution = Json::parse(shown.out).at("execution").at("dataset.memory");
  CHECK(execution.at("value") == "resident");
  CHECK(execution.at("why") == "its images take 0.023 MB");
  const Result again =
      run({"small.yaml", "--run-dir", "stopped", "--stop-after", "5", "dataset.memory=stream"});
  CHECK(again.code == 75);
  CHECK(run({"resume", "stopped", "dataset.memory=resident"}).code == 0);
  CHECK(sha256_of_file(*this / "stopped" / "model.safetensors") == held);
}

TEST_CASE_METHOD(Photos, "a test photo is drawn in the size that the model takes") {
  trained("run", {"training.epochs=1"});
  const Result drawn = run({"plot", "attention", "run", "--images", "1", "-o", "a.png"});
  CHECK(drawn.err == "");
  CHECK(drawn.code == 0);
}

TEST_CASE_METHOD(Photos, "photos that were packed train to the same losses") {
  trained("photos_run", {});
  REQUIRE(run({"pack", "photos", "packed.safetensors", "dataset.size=16", "dataset.validation=6"})
              .code == 0);
  write_plain(*this / "packed.yaml",
              "dataset: {type: arrays, path: packed.safetensors}\n"
              "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
              "training: {epochs: 2, batch_size: 4}\n");
  REQUIRE(run({"packed.yaml", "--run-dir", "packed_run"}).code == 0);
  const Json one = json_of(*this / "photos_run" / "metrics.json"),
             other = json_of(*this / "packed_run" / "metrics.json");
  for (const char* name : {"train/loss", "validation/loss"}) {
    for (size_t epoch = 0; epoch < 2; ++epoch)
      CHECK(one["history"][epoch][name] == other["history"][epoch][name]);
  }
  CHECK(one["summary"]["test/loss"] == other["summary"]["test/loss"]);
  CHECK(json_of(*this / "packed_run" / "test.json")["tasks"]["class"]["classes"][0]["name"] ==
        "cat");
}

TEST_CASE_METHOD(Photos, "a photo that was damaged is named when it is read") {
  write_plain(*this / "photos/train/cat/1.png", "no image");
  const Result result = run({"small.yaml", "--run-dir", "run"});
  CHECK(result.code == 3);
  CHECK(result.err.starts_with("error: photos/train/cat/1.png: "));
  CHECK_FALSE(fs::exists(*this / "run" / "model.safetensors"));
  CHECK(run({"small.yaml", "--run-dir", "skipping", "dataset.on_error=skip"}).code == 0);
  CHECK(json_of(*this / "skipping" / "metrics.json")["dataset"]["train"] == 17);
}

}  // namespace
}  // namespace vitrine
