#include "tests/framework/cli/ranks.h"

#include <csignal>

#include "framework/runs/checkpoint.h"

// One run in several processes, as mpirun starts them.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// kResumedConfig and all else that a step may have: mixed images, clipping; batches of three
// chunks.
const std::vector<std::string> kAll = {"dataset.train=500", "training.batch_size=40",
                                       "training.mix=[mixup, cutmix]", "training.clip_norm=1"};

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_CASE("a run has the same bits in any number of processes") {
  need_mpi();
  const ResumedFolder folder;
  const fs::path whole = folder.whole(kAll);
  for (const int count : {2, 3, 4}) {
    for (const std::string threads : {"1", "2"}) {
      const std::string name = "ranks" + std::to_string(count) + threads;
      const Result result = runner_in_ranks(
          count, with({"small.yaml", "--run-dir", name, "threads=" + threads}, kAll),
          folder.path());
      INFO(result.out << result.err);
      CHECK(result.code == 0);
      CHECK(bytes_of(folder / name / "model.safetensors") == bytes_of(whole / "model.safetensors"));
      CHECK(bytes_of(folder / name / "test.json") == bytes_of(whole / "test.json"));
      const Json environment = json_of(folder / name / "metrics.json").at("environment");
      CHECK(environment.at("ranks") == count);
      CHECK(environment.at("hosts").size() == static_cast<size_t>(count));
      CHECK_THAT(folder.run({"status", name}).out,
                 Contains("  finished (" + std::to_string(count) + " ranks)  "));
    }
  }
}

TEST_CASE("runs of other numbers of processes are one experiment, whose times do not compare") {
  need_mpi();
  const ResumedFolder folder;
  folder.whole();
  REQUIRE(runner_in_ranks(2, {"small.yaml", "seed=4", "--run-dir", "two"}, folder.path()).code ==
          0);
  CHECK_THAT(folder.run({"compare", "whole", "two"}).out, Contains("ranks 1 and 2"));
}

TEST_CASE("large batches are added up in one order") {
  need_mpi();
  const ResumedFolder folder;
  // 38 chunks, the last with 8 images.
  const std::vector<std::string> large = {"dataset.train=1250", "training.batch_size=600",
                                          "training.accumulate=1"};
  const fs::path whole = folder.whole(large);
  for (const int count : {2, 3, 5}) {
    const std::string name = "ranks" + std::to_string(count);
    const Result result =
        runner_in_ranks(count, with({"small.yaml", "--run-dir", name}, large), folder.path());
    INFO(result.out << result.err);
    CHECK(bytes_of(folder / name / "model.safetensors") == bytes_of(whole / "model.safetensors"));
  }
}

TEST_CASE("a run goes on exactly in another number of processes") {
  need_mpi();
  const ResumedFolder folder;
  const fs::path whole = folder.whole(kAll);
  for (const int step : {1, 4, 7, 14}) {
    const std::string name = "stopped" + std::to_string(step), stop = std::to_string(step);
    const Result first = runner_in_ranks(
        3, with({"small.yaml", "--run-dir", name, "--stop-after", stop}, kAll), folder.path());
    INFO(first.out << first.err);
    CHECK(first.code == 75);
    const Result second = runner_in_ranks(
        2, {"resume", name, "--stop-after", std::to_string(step + 3)}, folder.path());
    INFO(second.out << second.err);
    CHECK(second.code == 75);
    CHECK(folder.run({"resume", name}).code == 0);
    check_equal(folder / name, whole);
  }
}

// Sends a signal to a rank of three, in the midst of small.yaml with these words, in `folder`/run.
Result signalled(const ResumedFolder& folder, const std::string& words, int rank, int signal) {
  Process process(ranks_command(3, runner_command({"small.yaml", "--run-dir", "run", words})),
                  folder.path(), kAsRoot);
  const auto reached = [&] { return !checkpoint_steps(folder / "run" / "checkpoints").empty(); };
  while (!reached() && !has_ended(process))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const pid_t id = process_of(folder.path(), rank);
  REQUIRE(id > 0);
  kill(id, signal);
  return process.wait();
}

TEST_CASE("a signal to one process stops all of them at the same step") {
  need_mpi();
  const ResumedFolder folder;
  const std::vector<std::string> longer = {"training.epochs=200"};
  const fs::path whole = folder.whole(longer);
  const Result result = signalled(folder, longer[0], 1, SIGUSR1);
  INFO(result.out << result.err);
  CHECK(result.code == 75);
  CHECK(status_of(folder / "run") == "stopped");
  const Result resumed = runner_in_ranks(2, {"resume", "run"}, folder.path());
  INFO(resumed.out << resumed.err);
  CHECK(resumed.code == 0);
  CHECK(bytes_of(folder / "run" / "model.safetensors") == bytes_of(whole / "model.safetensors"));
  CHECK(bytes_of(folder / "run" / "test.json") == bytes_of(whole / "test.json"));
}

TEST_CASE("a process that is killed ends the others, and the run goes on from its checkpoint") {
  need_mpi();
  const ResumedFolder folder;
  const std::vector<std::string> longer = {"training.epochs=200"};
  const fs::path whole = folder.whole(longer);
  const Result result = signalled(folder, longer[0], 2, SIGKILL);
  INFO(result.out << result.err);
  CHECK(result.code != 0);
  CHECK_THAT(result.err + result.out, Contains("mpirun noticed that process rank 2"));
  CHECK(folder.run({"resume", "run"}).code == 0);
  check_equal(folder / "run", whole);
}

TEST_CASE("experiments whose losses see the whole batch have the same bits too") {
  need_mpi();
  const ResumedFolder folder;
  const std::vector<std::vector<std::string>> experiments = {{"experiment=contrastive"},
                                                             {"experiment=masked_autoencoder"}};
  for (const auto& words : experiments) {
    const fs::path whole = folder.whole(words);
    for (const int count : {2, 3}) {
      const std::string name = "ranks" + std::to_string(count);
      const Result result =
          runner_in_ranks(count, with({"small.yaml", "--run-dir", name}, words), folder.path());
      INFO(words[0] << ": " << result.out << result.err);
      CHECK(result.code == 0);
      CHECK(bytes_of(folder / name / "model.safetensors") == bytes_of(whole / "model.safetensors"));
      fs::remove_all(folder / name);
    }
    fs::remove_all(whole);
  }
}

TEST_CASE("each process reads a part of what is streamed") {
  need_mpi();
  const ResumedFolder folder;
  REQUIRE(folder.run({"pack", "small.yaml", "digits.safetensors"}).code == 0);
  write_plain(folder / "streamed.yaml",
              "dataset: {type: arrays, path: digits.safetensors, transforms: [{type: random_crop, "
              "padding: 2}]}\n"
              "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
              "training: {epochs: 2, batch_size: 50, mix: [mixup]}\n");
  const auto train = [&](int count, const std::string& name, const std::string& memory) {
    const Result result = runner_in_ranks(
        count, {"streamed.yaml", "--run-dir", name, "threads=1", "dataset.memory=" + memory},
        folder.path());
    INFO(result.out << result.err);
    CHECK(result.code == 0);
    return bytes_of(folder / name / "model.safetensors");
  };
  const std::string whole = train(1, "whole", "resident");
  CHECK(train(2, "two", "resident") == whole);
  CHECK(train(2, "streamed", "stream") == whole);
  CHECK(train(3, "three", "stream") == whole);
}

TEST_CASE("in libtorch the number of processes is part of what results depend on") {
  need_mpi();
  const ResumedFolder folder;
  const Result two = runner_in_ranks(
      2, {"small.yaml", "--run-dir", "two", "backend=layers", "--stop-after", "7"}, folder.path());
  INFO(two.out << two.err);
  CHECK(two.code == 75);
  const Result again = runner_in_ranks(2, {"resume", "two"}, folder.path());
  INFO(again.out << again.err);
  CHECK(again.code == 0);
  CHECK(json_of(folder / "two" / "metrics.json").at("exact") == true);
  const Result whole =
      runner_in_ranks(2, {"small.yaml", "--run-dir", "whole", "backend=layers"}, folder.path());
  CHECK(whole.code == 0);
  check_equal(folder / "two", folder / "whole");

  CHECK(runner_in_ranks(2,
                        {"small.yaml", "--run-dir", "other", "backend=layers", "--stop-after", "7"},
                        folder.path())
            .code == 75);
  const Result alone = folder.run({"resume", "other"});
  CHECK(alone.code == 0);
  CHECK_THAT(alone.err, Contains("warning: this run goes on with another value of ranks (1, was "
                                 "2): its results are no longer exact"));
}

TEST_CASE("a test is shared among processes") {
  need_mpi();
  const ResumedFolder folder;
  folder.whole();
  const Result alone = folder.run({"test", "whole", "--json", "--predictions", "a.csv"});
  const Result shared =
      runner_in_ranks(3, {"test", "whole", "--json", "--predictions", "b.csv"}, folder.path());
  INFO(shared.err);
  CHECK(shared.code == 0);
  CHECK(shared.out == alone.out);
  CHECK(bytes_of(folder / "a.csv") == bytes_of(folder / "b.csv"));
}

TEST_CASE("a dry run of several processes tries one step, also beside a run that is there") {
  need_mpi();
  const ResumedFolder folder;
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run", "--stop-after", "5"}).code == 75);
  const Result result = runner_in_ranks(
      2, {"small.yaml", "--run-dir", "run", "--resume", "--dry-run"}, folder.path());
  INFO(result.out << result.err);
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("dry run: config, data, model, one step and a test of 64 images "
                                  "are sound; nothing was kept\n"));
}

TEST_CASE("mistakes are told once") {
  need_mpi();
  const ResumedFolder folder;
  const Result config =
      runner_in_ranks(3, {"small.yaml", "optimizer.lr=fast", "--run-dir", "r"}, folder.path());
  CHECK(config.code == 2);
  CHECK(errors_of(config) == errors_of(folder.run({"small.yaml", "optimizer.lr=fast"})));
  CHECK_FALSE(fs::exists(folder / "r"));

  const Result status = runner_in_ranks(2, {"status", "."}, folder.path());
  CHECK(status.code == 2);
  CHECK(errors_of(status) ==
        "error: mpirun has started 2 processes, and runner status is for one: train, resume and "
        "test share their work among several\n");
}

TEST_CASE("processes that do not go together are refused by name") {
  need_mpi();
  const ResumedFolder folder;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const Result other =
      shell_in_ranks(2, "small.yaml --run-dir r optimizer.lr=0.0$((RANK+1))", folder.path());
  CHECK(other.code == 2);
  CHECK(errors_of(other) == "error: rank 1 of 2 on " + std::string(host.data()) +
                                " has another optimizer.lr than rank 0 of 2 on " + host.data() +
                                ": 0.02 and 0.01; ranks of one run need the same program, "
                                "processors, config and data\n");
  CHECK_FALSE(fs::exists(folder / "r"));

  for (const char* size : {"180", "170"}) {
    const std::string file = size + std::string("/digits.safetensors");
    fs::create_directory(folder / size);
    REQUIRE(folder.run({"pack", "small.yaml", file, "dataset.train=" + std::string(size)}).code ==
            0);
  }
  write_plain(folder / "arrays.yaml",
              "dataset: {type: arrays, path: digits.safetensors}\nmodel: {type: lenet}\n");
  const Result files = shell_in_ranks(2, "../arrays.yaml --run-dir ../r", folder.path(),
                                      "cd $((180 - 10 * RANK)); ");
  INFO(files.err);
  CHECK(files.code == 2);
  CHECK_THAT(errors_of(files), Contains(" has another data set than rank 0 of 2 on "));
  CHECK_FALSE(fs::exists(folder / "r"));

  const Result data = shell_in_ranks(
      2, "small.yaml --run-dir r $([ $RANK = 0 ] || echo dataset.train=180000000000)",
      folder.path());
  INFO(data.err);
  CHECK(data.code != 0);
  CHECK_THAT(errors_of(data), Contains("error: rank 1 of 2 on "));
}

TEST_CASE("a build without MPI says what it lacks") {
  const ResumedFolder folder;
  fs::create_directory(folder / "bin");
  for (const char* name : {"runner", "libvitrine_core.so"})
    fs::copy(fs::path(VITRINE_BINARY_DIR) / name, folder / "bin" / name);
  const Result result = Process({folder / "bin" / "runner", "small.yaml"}, folder.path(),
                                {{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "0"}})
                            .wait();
  CHECK(result.code == 2);
  CHECK(result.err ==
        "error: mpirun has started 4 processes for one run, and this build has no MPI: bash "
        "scripts/setup.sh --with-mpi installs it, and building once more takes it up\n");
}

}  // namespace
}  // namespace vitrine
