#include "framework/files/safetensors.h"
#include "tests/framework/cli/support.h"

// Data that are missing, damaged or not those of the run.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

const std::string kMissingFiles =
    "Set VITRINE_DATA or dataset.root to a folder with its four files (train-images-idx3-ubyte, "
    "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, raw or .gz), or use "
    "dataset=digits, which needs no file.\n";

// Images [n, 4, 4] and labels [n], as `arrays` reads them.
std::string arrays_file(int64_t n, int64_t label) {
  const std::string pixels(static_cast<size_t>(16 * n), '\x10');
  std::string labels;
  for (int64_t i = 0; i < n; ++i) labels += static_cast<char>(i == 0 ? label : i % 2);
  std::vector<TensorView> tensors;
  for (const std::string set : {"train", "test"}) {
    tensors.push_back({set + "/images", DType::kU8, {n, 4, 4}, pixels});
    tensors.push_back({set + "/labels", DType::kU8, {n}, labels});
  }
  return write_safetensors(tensors, {});
}

TEST_CASE("Missing data end with what was tried and how to go on") {
  const Desk desk;
  const std::string kTried =
      "error: MNIST was not found. Tried (relative paths count from the current folder):\n";
  const fs::path up = (desk / "").parent_path().parent_path();
  const auto untried = [](const fs::path& place) {
    return fmt::format("  {0}/mnist: no such folder\n  {0}: no such folder\n", place.string());
  };
  desk.write("m.yaml", "base: a.yaml\ndataset: {type: mnist, download: false}\n");
  CHECK(desk.error(ExitCode::kData, {"m.yaml"}) ==
        kTried + untried(desk / "no") + untried(desk / "data") + untried(up / "data") +
            untried(up / "shared/data") + "  " + (desk / "cache/vitrine/mnist").string() +
            ": no such folder\n"
            "  " +
            (desk / "cache/vitrine").string() + ": no such folder\n" + kMissingFiles);
  fs::create_directory(desk / "empty");
  CHECK(desk.error(ExitCode::kData, {"m.yaml", "dataset.root=empty"}) ==
        kTried + "  " + (desk / "empty/mnist").string() + ": no such folder\n  " +
            (desk / "empty").string() + ": has none of the files\n" + kMissingFiles);
}

TEST_CASE("Damaged data are named with the damage") {
  const Desk desk;
  desk.write("m.yaml", "base: a.yaml\ndataset: {type: mnist, root: data}\n");
  fs::create_directory(desk / "data");
  for (const char* name :
       {"train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    desk.write(std::string("data/") + name, "");
  }
  const auto said = [&] { return desk.error(ExitCode::kData, {"m.yaml"}); };
  const std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  desk.write("data/train-images-idx3-ubyte.gz", gzip + "\xff this is no deflate stream");
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte.gz: gzip data is corrupt (invalid block type)\n");
  desk.write("data/train-images-idx3-ubyte.gz", gzip);
  CHECK(said() == "error: data/train-images-idx3-ubyte.gz: gzip data is truncated\n");
  fs::remove(desk / "data/train-images-idx3-ubyte.gz");
  const std::string header("\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c\0\0\0\x1c", 16);
  desk.write("data/train-images-idx3-ubyte", header + std::string(1000, '\0'));
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte: truncated: shape [60000, 28, 28] needs 47040000 "
        "bytes, the file has 1000\n");
  desk.write("data/train-images-idx3-ubyte", header + std::string(60000 * 784, '\0'));
  CHECK(said() ==
        "error: data/train-images-idx3-ubyte: wrong checksum: its SHA-256 is "
        "ba2048faa0242d852ccfba31d5efa227046ebcc173e3a4951fb9c906fb61ebdb, that of MNIST's "
        "train-images-idx3-ubyte is "
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db\n");
}

TEST_CASE("A label beyond the classes is named with its image") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, class_names: [no, yes]}\n");
  desk.write("d.safetensors", arrays_file(8, 7));
  CHECK(desk.error(ExitCode::kData, {"b.yaml"}) ==
        "error: d.safetensors: label 7 of training image 0 is beyond the 2 classes\n");
}

TEST_CASE("Data that have changed since a run was started are not trained on") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, validation: 2}\n");
  desk.write("d.safetensors", arrays_file(8, 0));
  REQUIRE(desk.run({"b.yaml", "--run-dir", "run", "training.epochs=2", "--stop-after", "1"}).code ==
          75);
  desk.write("d.safetensors", arrays_file(8, 1));
  CHECK(desk.error(ExitCode::kCheckpoint, {"resume", "run"}) ==
        "error: run: the data have changed since this run was started (their SHA-256 is "
        "b793247ebeea, was f30112d5cfdf); start a new run\n");
}

TEST_CASE("Equal data may lie elsewhere when a run goes on") {
  const Desk desk;
  desk.write("b.yaml",
             "base: a.yaml\n"
             "dataset: {type: arrays, path: d.safetensors, validation: 2}\n");
  desk.write("d.safetensors", arrays_file(8, 0));
  REQUIRE(desk.run({"b.yaml", "--run-dir", "run", "training.epochs=2", "--stop-after", "1"}).code ==
          75);
  fs::rename(desk / "d.safetensors", desk / "moved.safetensors");
  const Result result = desk.run({"resume", "run", "dataset.path=moved.safetensors"});
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK(json_of(desk / "run/metrics.json").at("exact") == true);
  desk.write("d.safetensors", arrays_file(8, 1));
  CHECK(desk.error(ExitCode::kCheckpoint,
                   {"resume", "run", "dataset.path=d.safetensors", "training.epochs=3"}) ==
        "error: run: the data have changed since this run was started (their SHA-256 is "
        "b793247ebeea, was f30112d5cfdf); start a new run\n");
}

}  // namespace
}  // namespace vitrine
