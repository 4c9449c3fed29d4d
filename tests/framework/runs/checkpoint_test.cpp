#include "framework/runs/checkpoint.h"

#include <unistd.h>

#include <cmath>

#include "framework/files/sha256.h"
#include "tests/catch.h"
#include "tests/framework/runs/support.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

Checkpoint example(int64_t step) {
  Checkpoint checkpoint;
  checkpoint.state = {{"step", step},
                      {"loss_sum", 0.1 + 0.2},
                      {"note", "\"sha256\":\"\x1b\""},
                      {"best", nullptr},
                      {"seed", 18446744073709551615u}};
  checkpoint.tensors.push_back({"model/head.weight", DType::kF32, {2, 1}, "\x7f\xc0\x01\x02wxyz"});
  checkpoint.tensors.push_back({"optimizer/step", DType::kI64, {}, std::string(8, '\0')});
  checkpoint.tensors.push_back({"rng/cpu", DType::kU8, {3}, std::string("\xff\0z", 3)});
  checkpoint.tensors.push_back({"ema/none", DType::kF32, {0, 4}, ""});
  return checkpoint;
}

void check_same(const Checkpoint& a, const Checkpoint& b) {
  CHECK(a.state.dump() == b.state.dump());
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const OwnedTensor& tensor : a.tensors) {
    const auto same = [&](const OwnedTensor& other) {
      return tensor.name == other.name && tensor.dtype == other.dtype &&
             tensor.shape == other.shape && tensor.bytes == other.bytes;
    };
    CHECK(std::count_if(b.tensors.begin(), b.tensors.end(), same) == 1);
  }
}

std::string load_error(const fs::path& file) {
  return error_of([&] { load_checkpoint(file); });
}

std::string damage(const fs::path& file, size_t size) {
  return "the checkpoint " + file.string() + " is unusable: the SHA-256 of its " +
         std::to_string(size) + " bytes is not the recorded one: it was cut, changed or damaged";
}

void flip_last_byte(const fs::path& file) {
  std::string bytes = text_of(file);
  bytes.back() ^= 1;
  write_plain(file, bytes);
}

TEST_CASE("a checkpoint comes back bit for bit", "[runs]") {
  const TemporaryFolder run;
  save_checkpoint(run / "checkpoints", example(2345), 2345);
  const fs::path file = run / "checkpoints" / "step-00002345.safetensors";
  CHECK(checkpoint_file(run / "checkpoints", 2345) == file);
  CHECK(checkpoint_file("c", 123456789) == "c/step-123456789.safetensors");
  check_same(load_checkpoint(file), example(2345));
  CHECK(std::distance(fs::directory_iterator(run / "checkpoints"), {}) == 1);
}

TEST_CASE("the file holds its SHA-256, computed with 64 zeros in its place", "[runs]") {
  const TemporaryFolder run;
  save_checkpoint(run.path(), example(1), 1);
  const fs::path file = checkpoint_file(run.path(), 1);
  const std::string digest = Safetensors::load(file, 1 << 20).metadata().at("sha256");
  std::string bytes = text_of(file);
  bytes.replace(bytes.find(digest), 64, 64, '0');
  CHECK(sha256_hex(bytes) == digest);
}

TEST_CASE("a checkpoint with any one byte changed or cut anywhere is refused", "[runs]") {
  const TemporaryFolder run;
  save_checkpoint(run.path(), example(7), 7);
  const fs::path file = checkpoint_file(run.path(), 7);
  const std::string bytes = text_of(file);
  const std::string prefix = "5: the checkpoint " + file.string() + " is unusable: ";
  size_t refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= static_cast<char>(1 << i % 8);
    write_plain(file, changed);
    refused += load_error(file).starts_with(prefix);
    write_plain(file, bytes.substr(0, i));
    refused += load_error(file).starts_with(prefix);
  }
  CHECK(refused == 2 * bytes.size());
  write_plain(file, bytes + "x");
  CHECK(load_error(file) == "5: " + damage(file, bytes.size() + 1));
  write_plain(file, bytes);
  check_same(load_checkpoint(file), example(7));
}

TEST_CASE("files that are no checkpoints", "[runs]") {
  const TemporaryFolder run;
  const std::string file = run / "step-00000001.safetensors";
  CHECK(load_error(file) == "5: cannot read " + file + ": No such file or directory");
  write_plain(file, "");
  CHECK(load_error(file) == "5: the checkpoint " + file +
                                " is unusable: its header holds no SHA-256, so it is no checkpoint "
                                "or damaged");
  write_plain(file, write_safetensors({}, {{"format", "pt"}}));
  CHECK(load_error(file) == "5: the checkpoint " + file +
                                " is unusable: its header holds no SHA-256, so it is no checkpoint "
                                "or damaged");
}

TEST_CASE("a state that is not finite would not come back", "[runs]") {
  const TemporaryFolder run;
  Checkpoint checkpoint;
  checkpoint.state = {{"best", {{"loss", std::nan("")}}}};
  CHECK(error_of([&] { save_checkpoint(run.path(), checkpoint, 1); }) ==
        "70: a checkpoint cannot keep state.best.loss: it is not finite");
  CHECK(fs::is_empty(run.path()));
}

TEST_CASE("the newest intact checkpoint is loaded, with a warning for each damaged one", "[runs]") {
  const TemporaryFolder run;
  CHECK_FALSE(load_latest(run.path()).has_value());
  CHECK_FALSE(load_latest(run / "missing").has_value());
  for (const int64_t step : {1, 20, 300}) save_checkpoint(run.path(), example(step), step);
  write_plain(run / ".step-00000999.safetensors.0badcafe.part", "left by a killed save");
  write_plain(run / "step-999.safetensors", "not a name that is written");
  CHECK(checkpoint_steps(run.path()) == std::vector<int64_t>{1, 20, 300});
  CHECK(load_latest(run.path())->warnings.empty());

  const auto file = [&](int64_t step) { return checkpoint_file(run.path(), step); };
  const size_t size = text_of(file(300)).size();
  flip_last_byte(file(300));
  const Loaded loaded = load_latest(run.path()).value();
  CHECK(loaded.file == file(20));
  check_same(loaded.checkpoint, example(20));
  CHECK(loaded.warnings == std::vector<std::string>{damage(file(300), size)});

  flip_last_byte(file(20));
  flip_last_byte(file(1));
  CHECK(error_of([&] { load_latest(run.path()); }) ==
        "5: no checkpoint in " + run.path().string() + " is usable:\n  " + damage(file(300), size) +
            "\n  " + damage(file(20), text_of(file(20)).size()) + "\n  " +
            damage(file(1), text_of(file(1)).size()));
}

TEST_CASE("a checkpoint that is intact but of no use is passed over as well", "[runs]") {
  const TemporaryFolder run;
  for (const int64_t step : {1, 2}) save_checkpoint(run.path(), example(step), step);
  const auto refuse = [&](int64_t largest) {
    return [=](const Checkpoint&, const fs::path& file) {
      if (step_of_checkpoint(file.filename()).value() > largest)
        throw Error(ExitCode::kCheckpoint, file.filename().string() + " is of no use");
    };
  };
  const Loaded loaded = load_latest(run.path(), refuse(1)).value();
  CHECK(loaded.file == checkpoint_file(run.path(), 1));
  CHECK(loaded.warnings == std::vector<std::string>{"step-00000002.safetensors is of no use"});
  CHECK(error_of([&] { load_latest(run.path(), refuse(0)); }) ==
        "5: no checkpoint in " + run.path().string() +
            " is usable:\n  step-00000002.safetensors is of no use\n  "
            "step-00000001.safetensors is of no use");
}

TEST_CASE("the name of a checkpoint tells its step", "[runs]") {
  CHECK(checkpoint_name(2345) == "step-00002345");
  CHECK(step_of_checkpoint("step-00002345") == 2345);
  CHECK(step_of_checkpoint("step-123456789.safetensors") == 123456789);
  for (const char* name : {"", "step-", "step-2345", "step-00002345.pt", "step--0000001", "2345"}) {
    CAPTURE(name);
    CHECK_FALSE(step_of_checkpoint(name).has_value());
  }
}

TEST_CASE("pruning keeps the newest and the best", "[runs]") {
  const TemporaryFolder run;
  const auto prune = [&](int64_t keep, std::optional<int64_t> best) {
    for (int64_t step = 1; step <= 5; ++step) save_checkpoint(run.path(), example(step), step);
    prune_checkpoints(run.path(), keep, best);
    return checkpoint_steps(run.path());
  };
  CHECK(prune(2, 1) == std::vector<int64_t>{1, 4, 5});
  CHECK(prune(2, 5) == std::vector<int64_t>{4, 5});
  CHECK(prune(1, std::nullopt) == std::vector<int64_t>{5});
  CHECK(prune(0, std::nullopt) == std::vector<int64_t>{5});
  CHECK(prune(9, std::nullopt) == std::vector<int64_t>{1, 2, 3, 4, 5});
  write_plain(run / ".step-00000006.safetensors.0badcafe.part", "left by a killed save");
  CHECK(prune(2, std::nullopt) == std::vector<int64_t>{4, 5});
  CHECK(std::distance(fs::directory_iterator(run.path()), {}) == 2);
}

}  // namespace
}  // namespace vitrine
