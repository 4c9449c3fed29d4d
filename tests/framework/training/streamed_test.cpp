#include <ATen/ops/randint.h>

#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/files/safetensors.h"
#include "tests/catch.h"
#include "tests/framework/training/tried_run.h"

// A data set that is read as a run goes on: the same bits as one that is held, however many threads
// read and wherever the run is stopped.
namespace vitrine {
namespace {

std::string bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

class Fixture {
 public:
  Fixture() {
    at::manual_seed(3);
    const std::string images = bytes_of(at::randint(0, 256, {75, 3, 8, 8}, at::kByte));
    const std::string labels = bytes_of(at::randint(0, 4, {75}, at::kLong));
    const std::vector<TensorView> tensors = {
        {"train/images", DType::kU8, {75, 3, 8, 8}, images},
        {"train/labels", DType::kI64, {75}, labels},
        {"test/images", DType::kU8, {30, 3, 8, 8}, std::string_view(images).substr(0, 30 * 192)},
        {"test/labels", DType::kI64, {30}, std::string_view(labels).substr(0, 30 * 8)}};
    write_plain(folder_ / "a.safetensors", write_safetensors(tensors, {}));
    write_plain(folder_ / "c.yaml",
                "name: c\ndataset: {type: arrays, path: " + (folder_ / "a.safetensors").string() +
                    ", validation: 15, transforms: [random_shift]}\n"
                    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1, "
                    "mlp: {type: gelu, dropout: 0.1}}\n"
                    "training: {epochs: 2, batch_size: 8, accumulate: 2, log_every: 1, "
                    "checkpoint: {every: 1 step}}\n");
  }

  TrainRequest request(const std::string& name, const std::string& memory, int threads) const {
    TrainRequest out;
    out.config =
        engine().resolve({folder_ / "c.yaml",
                          {"dataset.memory=" + memory, "threads=" + std::to_string(threads)},
                          {}});
    out.run_dir = folder_ / name;
    return out;
  }
  TriedResult train(const std::string& name, const std::string& memory, int threads) const {
    Quiet quiet;
    must(engine().train(request(name, memory, threads), quiet).code);
    return result_of(folder_ / name);
  }
  // Stopped after so many steps, then with the images elsewhere.
  TriedResult resumed(const std::string& name, int64_t steps, int threads) const {
    Quiet quiet;
    TrainRequest first = request(name, "stream", threads);
    first.stop_after = steps;
    must(engine().train(first, quiet).code);
    TrainRequest second;
    second.config = engine().resolve_resumed(
        folder_ / name,
        {{}, {steps % 2 ? "dataset.memory=resident" : "dataset.memory=stream"}, {}});
    second.resume = true;
    second.run_dir = folder_ / name;
    must(engine().train(second, quiet).code);
    return result_of(folder_ / name);
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Fixture, "a streamed run equals one whose images are held") {
  const TriedResult held = train("held", "resident", 2);
  CHECK(held.exact);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    CHECK(train("streamed" + std::to_string(threads), "stream", threads) == held);
  }
}

TEST_CASE_METHOD(Fixture,
                 "a streamed run that is stopped after any step goes on to the same bits") {
  const TriedResult whole = train("whole", "stream", 2);
  for (int64_t steps = 1; steps < 8; ++steps) {
    CAPTURE(steps);
    CHECK(resumed("stopped" + std::to_string(steps), steps, 2) == whole);
  }
}

}  // namespace
}  // namespace vitrine
