#include "framework/files/file.h"
#include "framework/runs/checkpoint.h"
#include "tests/framework/files/support.h"
#include "tests/small_disk.h"

namespace vitrine {
namespace {

TEST_CASE("a full disk leaves the old file and no temporary") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.path(), 64);
  if (!disk.mounted()) return;
  const auto path = folder.path() / "f";
  write_file_atomically(path, "old");
  const std::string large(100'000, 'x');
  CHECK(message_of(ExitCode::kFailed, [&] { write_file_atomically(path, large); }) ==
        "cannot write " + path.string() + ": No space left on device");
  CHECK(read_file(path, 100) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a full disk leaves an appended file without a part of a row") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.path(), 64);
  if (!disk.mounted()) return;
  const auto path = folder.path() / "f";
  AppendFile file(path);
  file.append("row\n");
  const std::string large(100'000, 'x');
  CHECK(message_of(ExitCode::kFailed, [&] { file.append(large); }) ==
        "cannot write " + path.string() + ": No space left on device");
  CHECK(read_file(path, 100) == "row\n");
}

Checkpoint of_bytes(size_t count) {
  Checkpoint out;
  out.state = {{"step", 1}};
  out.tensors.push_back(
      {"model/x", DType::kU8, {static_cast<int64_t>(count)}, std::string(count, 'x')});
  return out;
}

TEST_CASE("a full disk while saving leaves the checkpoint before it usable") {
  const TemporaryFolder run;
  const SmallDisk disk(run.path(), 64);
  if (!disk.mounted()) return;
  save_checkpoint(run.path(), of_bytes(1), 1);
  CHECK(message_of(ExitCode::kFailed, [&] { save_checkpoint(run.path(), of_bytes(100'000), 2); }) ==
        "cannot write " + checkpoint_file(run.path(), 2).string() + ": No space left on device");
  CHECK(std::distance(std::filesystem::directory_iterator(run.path()), {}) == 1);
  const auto kept = load_latest(run.path());
  CHECK(kept->warnings.empty());
  CHECK(kept->checkpoint.tensors.at(0).bytes == "x");
}

}  // namespace
}  // namespace vitrine
