#include "framework/files/safetensors.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

constexpr const char* kModel =
    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
    "training: {epochs: 2, batch_size: 10}\n";

Json losses(const std::filesystem::path& run) {
  return Json::parse(Process::read(run / "metrics.json")).at("history");
}

// What each epoch came to, without its times.
std::vector<double> values(const std::filesystem::path& run) {
  std::vector<double> out;
  for (const Json& epoch : losses(run)) {
    for (const char* name : {"train/loss", "validation/loss", "validation/accuracy"})
      out.push_back(epoch.at(name));
  }
  return out;
}

TEST_CASE("a packed data set is what it was packed of, with its validation split and its names") {
  const TemporaryFolder folder;
  write_plain(folder / "c.yaml", std::string("dataset: {type: digits, train: 60, test: 20, "
                                             "validation: 20}\n") +
                                     kModel);
  const Result packed = runner({"pack", "c.yaml", "packed.safetensors"}, folder.path());
  CHECK(packed.out ==
        "wrote packed.safetensors: 40 images of 1 x 28 x 28 to train, 20 to validate, 20 to test; "
        "dataset: {type: arrays, path: packed.safetensors} reads it\n");
  REQUIRE(packed.code == 0);
  write_plain(folder / "p.yaml",
              std::string("dataset: {type: arrays, path: packed.safetensors}\n") + kModel);
  REQUIRE(runner({"c.yaml", "--run-dir", "one"}, folder.path()).code == 0);
  for (const std::string memory : {"resident", "stream"}) {
    const Result run =
        runner({"p.yaml", "--run-dir", memory, "dataset.memory=" + memory}, folder.path());
    CHECK(run.err == "");
    REQUIRE(run.code == 0);
    CHECK(values(folder / memory) == values(folder / "one"));
  }
}

TEST_CASE("held images are packed in the size that is asked for") {
  const TemporaryFolder folder;
  write_plain(folder / "c.yaml", std::string("dataset: {type: digits, train: 60, test: 20, "
                                             "validation: 20, size: 16}\n") +
                                     kModel);
  const Result packed = runner({"pack", "c.yaml", "packed.safetensors"}, folder.path());
  CHECK(packed.out ==
        "wrote packed.safetensors: 40 images of 1 x 16 x 16 to train, 20 to validate, 20 to test; "
        "dataset: {type: arrays, path: packed.safetensors} reads it\n");
  write_plain(folder / "p.yaml",
              std::string("dataset: {type: arrays, path: packed.safetensors}\n") + kModel);
  REQUIRE(runner({"c.yaml", "--run-dir", "one"}, folder.path()).code == 0);
  REQUIRE(runner({"p.yaml", "--run-dir", "other"}, folder.path()).code == 0);
  CHECK(values(folder / "other") == values(folder / "one"));
}

TEST_CASE("packing that is interrupted leaves nothing, nor what was killed before") {
  const TemporaryFolder folder;
  const std::filesystem::path out = folder / "out";
  std::filesystem::create_directories(out);
  write_plain(folder / "c.yaml",
              std::string("dataset: {type: digits, train: 5000, test: 20, size: 1024}\n") + kModel);
  const auto begin = [&] {
    auto process =
        std::make_unique<Process>(runner_command({"pack", "c.yaml", "out/packed.safetensors"}),
                                  folder.path(), std::map<std::string, std::string>{});
    while (std::filesystem::is_empty(out) && !has_ended(*process))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return process;
  };
  const auto killed = begin();
  killed->send(SIGKILL);
  killed->wait();
  REQUIRE_FALSE(std::filesystem::is_empty(out));
  // One that is younger may be of somebody else who is about to write.
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::minutes(2);
  std::filesystem::last_write_time(*std::filesystem::directory_iterator(out), old);
  const Result result = runner(
      {"pack", "../c.yaml", "packed.safetensors", "dataset.train=20", "dataset.size=28"}, out);
  CHECK(result.code == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(out), {}) == 1);
  std::filesystem::remove(out / "packed.safetensors");
  const auto process = begin();
  process->send(SIGINT);
  const Result interrupted = process->wait();
  CHECK(interrupted.code == 130);
  CHECK(interrupted.err == "error: stopped before all images were packed; nothing was written\n");
  CHECK(std::filesystem::is_empty(out));
}

TEST_CASE("what cannot be packed leaves no file") {
  const TemporaryFolder folder;
  write_plain(folder / "c.yaml",
              std::string("dataset: {type: arrays, path: no.safetensors}\n") + kModel);
  const Result result = runner({"pack", "c.yaml", "packed.safetensors"}, folder.path());
  CHECK(result.code == 3);
  CHECK(result.err.starts_with("error: cannot read no.safetensors: no such file"));
  CHECK_FALSE(std::filesystem::exists(folder / "packed.safetensors"));
}

}  // namespace
}  // namespace vitrine
