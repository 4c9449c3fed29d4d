#include "tests/framework/cli/fake_slurm.h"

// The machine that submits is not the one that computes, and the shell that resumes not the one
// that began.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a GPU that is not here may be asked for, and is missed where the trial runs") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"device=cuda", "sweep.slurm.gpus=1"}).code == 0);
  CHECK_THAT(slurm.get("arguments"), Contains("\n--gpus=1\n"));
  CHECK(slurm.task(0).wait().code == 2);
  const std::string text = slurm.run({"status", "sweep"}).out;
  CHECK_THAT(text, Contains("  failed "));
  CHECK_THAT(text, Contains("device: there is no cuda device here"));
  CHECK_THAT(text, Contains("\n  log: sweep/slurm/12_0.txt\n"));
}

TEST_CASE("a trial that trains on the cpu while its job holds a GPU says so") {
  const FakeSlurm slurm;
  REQUIRE(slurm.sweep({"sweep.slurm.extra=[--gpus-per-node=1]"}).code == 0);
  CHECK(slurm.task(0, "0001.sh", {{"SLURM_JOB_GPUS", "0"}}).wait().code == 0);
  CHECK_THAT(
      slurm.get("sweep/trials/0001-small/output.txt"),
      Contains("warning: training on the cpu: no GPU can be used here, although the job holds "
               "one"));
  CHECK_THAT(
      slurm.run({"status", "sweep"}).out,
      Contains("\nwarning: sweep/trials/0001-small: trains on the cpu: no GPU can be used here, "
               "although the job holds one"));
}

// A data set of four images a class, found by its relative path.
constexpr const char* kMake =
    "python3 - <<'END'\n"
    "import json, struct\n"
    "tensors, data = {}, b''\n"
    "for name, dtype, shape, fill in (('train/images', 'U8', [40, 8, 8], 1), ('train/labels', "
    "'U8', [40], 0),\n"
    "                                 ('test/images', 'U8', [20, 8, 8], 2), ('test/labels', 'U8', "
    "[20], 0)):\n"
    "    size = 1\n"
    "    for n in shape: size *= n\n"
    "    body = bytes(i % 4 if 'labels' in name else (i * fill) % 251 for i in range(size))\n"
    "    tensors[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + "
    "size]}\n"
    "    data += body\n"
    "header = json.dumps(tensors).encode()\n"
    "open('data.safetensors', 'wb').write(struct.pack('<Q', len(header)) + header + data)\n"
    "END\n";

TEST_CASE("trials find data, folder and variables as where their sweep was begun") {
  const FakeSlurm slurm;
  REQUIRE(shell(kMake, slurm.path()).code == 0);
  write_plain(slurm / "arrays.yaml",
              R"(dataset: {type: arrays, path: data.safetensors, validation: 8}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 1, batch_size: 16}
)");
  const std::map<std::string, std::string> begun = {{"VITRINE_DATA", "it's here"},
                                                    {"MKL_CBWR", "COMPATIBLE"}};
  REQUIRE(
      slurm
          .run({"sweep", "arrays.yaml", "seed=0..1", "--run-dir", "sweep", "--launcher", "slurm"},
               begun)
          .code == 0);
  const auto frozen = json_of(slurm / "sweep/plan.json").at("frozen");
  CHECK(frozen.at("directory") == slurm.path().string());
  CHECK(frozen.at("environment").at("VITRINE_DATA") == "it's here");
  // Started from another folder, by a shell with another environment.
  fs::create_directory(slurm / "elsewhere");
  CHECK(slurm.task(0, "0001.sh", {{"VITRINE_DATA", "other"}, {"MKL_CBWR", "AVX2"}}, "elsewhere")
            .wait()
            .code == 0);
  CHECK(counts(slurm) == "2 trials: 1 finished, 1 waiting");
  const std::string script = slurm.get("sweep/slurm/0001.sh");
  CHECK_THAT(script, Contains("export MKL_CBWR=COMPATIBLE\n"));
  CHECK_THAT(script, Contains("export VITRINE_DATA='it'\\''s here'\n"));

  // Data are missed before anything is submitted.
  fs::rename(slurm / "data.safetensors", slurm / "moved");
  slurm.set("arguments", "");
  CHECK_THAT(slurm.refused({"resume", "sweep"}, 3),
             StartsWith("error: cannot read " + (slurm / "data.safetensors").string()));
  CHECK(slurm.get("arguments") == "");
}

TEST_CASE("a sweep on this machine has the surroundings of where it was begun, too") {
  const FakeSlurm slurm;
  REQUIRE(shell(kMake, slurm.path()).code == 0);
  write_plain(slurm / "arrays.yaml",
              R"(dataset: {type: arrays, path: data.safetensors, validation: 8}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 1, batch_size: 16}
)");
  REQUIRE(slurm.run({"sweep", "arrays.yaml", "--run-dir", "sweep"}).code == 0);
  fs::remove(slurm.trial("0001-arrays") / "metrics.json");
  fs::remove_all(slurm.trial("0001-arrays") / "checkpoints");
  fs::create_directory(slurm / "elsewhere");
  CHECK(shell("$RUNNER resume ../sweep", slurm / "elsewhere").code == 0);
  CHECK(fs::exists(slurm.trial("0001-arrays") / "metrics.json"));
}

}  // namespace
}  // namespace vitrine
