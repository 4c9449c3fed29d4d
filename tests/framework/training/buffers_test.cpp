#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <fmt/format.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "framework/engine/engine.h"
#include "framework/registry/register.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/callback.h"
#include "models/heads.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// Buffers, such as the running statistics of a batch norm, go where parameters go.
namespace vitrine {
namespace {

namespace batch {

struct Options {
  double momentum = 0.1;

  void visit(Fields& field) {
    field("momentum", momentum, "of the running statistics", between(0, 1));
  }
};

class BatchNorm : public Norm {
 public:
  BatchNorm(const Options& options, const PartContext& context)
      : norm_(torch::nn::BatchNormOptions(context.hidden_d).momentum(options.momentum)) {
    register_module("norm", norm_);
  }

 protected:
  Value forward(const Value& x) override {
    const Tensor& tokens = x.tensor();
    return norm_->forward(tokens.reshape({-1, tokens.size(-1)})).view(tokens.sizes());
  }

 private:
  torch::nn::BatchNorm1d norm_;
};

VITRINE_REGISTER(Norm, BatchNorm, Options, "for a test")

}  // namespace batch

namespace cnn {

struct Options : HeadsOptions {
  void visit(Fields& field) {
    ModelOptions::visit(field);
    visit_heads(field);
  }
  void check(const ModelContext& images, Check& check) const { check_tasks(images, check); }
};

// Two convolutions with batch norm.
class SmallCnn : public ModelWithHeads {
 public:
  SmallCnn(const Options& options, const ModelContext& images) {
    int64_t channels = images.channels;
    for (const int64_t width : {8, 16}) {
      const std::string number = std::to_string(norms_.size() + 1);
      convolutions_.emplace_back(torch::nn::Conv2dOptions(channels, width, 3).padding(1));
      norms_.emplace_back(width);
      register_module("conv" + number, convolutions_.back());
      register_module("norm" + number, norms_.back());
      channels = width;
    }
    add_heads(options, channels, images);
  }

  Value features(const Value& images) override {
    Tensor x = images.tensor().to(at::kFloat) / 255;
    for (size_t i = 0; i < norms_.size(); ++i)
      x = at::max_pool2d(at::relu(norms_[i]->forward(convolutions_[i]->forward(x))), 2);
    return x.mean({2, 3}).unsqueeze(1);
  }

 private:
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
};

VITRINE_REGISTER(Model, SmallCnn, Options, "for a test")

}  // namespace cnn

namespace counting {

// Recorded, with a table that is a buffer and one of whole numbers that nothing computes with; as
// it is told, it counts its calls in the latter.
struct Options {
  bool counts = false, reads = false;

  void visit(Fields& field) {
    field("counts", counts, "whether it counts");
    field("reads", reads, "whether it computes with whole numbers");
  }
};

class Counting : public Mlp {
 public:
  Counting(const Options& options, const PartContext& context) : options_(options) {
    factors_ = register_buffer("factors", at::full({1, context.hidden_d}, 2.0F));
    calls_ = register_buffer("calls", at::zeros({1, context.hidden_d}, at::kLong));
  }

 protected:
  Value forward(const Value& x) override {
    if (options_.counts && is_training()) calls_.add_(1);
    return gelu(x) * table(options_.reads ? calls_ : factors_);
  }

 private:
  Options options_;
  Tensor factors_, calls_;
};

VITRINE_REGISTER(Mlp, Counting, Options, "for a test")

}  // namespace counting

namespace swapped {

// Tests other weights, and says nothing of buffers.
class Swapped : public Callback {
 public:
  Swapped(const NoOptions&, const CallbackContext&) {}
  bool replaces_weights() const override { return true; }
  void prepare(FlatParameters& parameters) override { values_ = parameters.values().clone(); }
  Tensor tested_weights() override { return values_; }

 private:
  Tensor values_;
};

VITRINE_REGISTER(Callback, Swapped, NoOptions, "for a test")

}  // namespace swapped

// Hears what is said.
struct Listener : Quiet {
  void warning(const std::string& text) override { said += text + "\n"; }
  std::string said;
};

constexpr const char* kCnn =
    "name: c\n"
    "threads: 1\n"
    "dataset: {type: digits, train: 200, test: 50}\n"
    "model: buffers_test\n"
    "optimizer: {type: adam, lr: 0.01}\n"
    "training: {epochs: 2, batch_size: 25}\n";
constexpr const char* kVit =
    "name: c\n"
    "threads: 1\n"
    "dataset: {type: digits, train: 60, test: 20, validation: 20}\n"
    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1, norm: buffers_test}\n"
    "training: {epochs: 2, batch_size: 10}\n";

struct Desk {
  explicit Desk(const char* config) { write_plain(folder / "c.yaml", config); }

  std::shared_ptr<const ResolvedConfig> resolve(std::vector<std::string> overrides = {}) const {
    return engine().resolve({folder / "c.yaml", std::move(overrides), {}});
  }
  std::string start(const std::string& name, std::vector<std::string> overrides = {},
                    std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = resolve(std::move(overrides));
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  std::string resume(const std::string& name, std::optional<int64_t> stop_after = {}) const {
    TrainRequest request;
    request.config = engine().resolve_resumed(folder / name, {{}, {}, {}});
    request.resume = true;
    request.stop_after = stop_after;
    return perform(name, std::move(request));
  }
  std::string perform(const std::string& name, TrainRequest request) const {
    request.run_dir = folder / name;
    Listener listener;
    engine().train(request, listener);
    return listener.said;
  }
  nlohmann::ordered_json metrics(const std::string& run) const {
    return nlohmann::ordered_json::parse(read_file(folder / run / "metrics.json", 1 << 24));
  }
  double tested(const std::string& run) const {
    return metrics(run).at("test").at("test/accuracy");
  }
  std::map<std::string, std::string> tensors(const std::filesystem::path& file) const {
    std::map<std::string, std::string> out;
    const Safetensors read = Safetensors::load(file, 1 << 24);
    for (const TensorView& tensor : read.tensors()) out[tensor.name] = tensor.bytes;
    return out;
  }
  // What a test of these weights tells.
  nlohmann::ordered_json test(const std::string& weights) const {
    Quiet quiet;
    const auto config = engine().resolve_tested(
        {folder / "c.yaml", {"model.weights=" + (folder / weights).string()}, {}}, std::nullopt);
    return engine().test(config, std::nullopt, quiet);
  }

  TemporaryFolder folder;
};

TEST_CASE("an average of the weights is tested with the average of the running statistics") {
  const Desk desk(kCnn);
  desk.start("averaged", {"training.ema_decay=0.98"});
  // Kept beside the weights, tested, saved with the model, and read back.
  const auto checkpoint =
      desk.tensors(desk.folder / "averaged/checkpoints/step-00000016.safetensors");
  const auto model = desk.tensors(desk.folder / "averaged/model.safetensors");
  for (const std::string name : {"norm1.running_mean", "norm2.running_var", "conv1.weight"}) {
    CAPTURE(name);
    CHECK(checkpoint.at("ema/" + name) != checkpoint.at("model/" + name));
    CHECK(model.at(name) == checkpoint.at("ema/" + name));
  }
  CHECK(checkpoint.at("ema/norm1.num_batches_tracked") ==
        checkpoint.at("model/norm1.num_batches_tracked"));
}

TEST_CASE("buffers are exported, read back, and tested") {
  const Desk desk(kVit);
  desk.start("run", {"training.ema_decay=0.9"});
  const std::filesystem::path file = desk.folder / "x.safetensors";
  engine().export_weights({desk.folder / "run", ""}, file, "native");
  CHECK(desk.tensors(file) == desk.tensors(desk.folder / "run/model.safetensors"));
  const auto wanted = desk.metrics("run").at("test");
  for (const char* weights : {"x.safetensors", "run"}) {
    CAPTURE(weights);
    CHECK(desk.test(weights).at("test/loss") == wanted.at("test/loss"));
  }
  CHECK_THROWS_WITH(engine().export_weights({desk.folder / "run", ""}, file, "timm"),
                    Contains("the layout \"timm\" has no equal of this model: "));
}

TEST_CASE("a layout refuses a part with buffers that it has no equal of") {
  const Desk desk(kVit);
  const std::vector<std::string> like_timm = {"model.norm=layer", "model.mlp=buffers_test",
                                              "model.position=learned"};
  desk.start("run", like_timm);
  CHECK_THROWS_WITH(engine().export_weights({desk.folder / "run", ""}, desk.folder / "x", "timm"),
                    Contains("mlp.type is buffers_test"));
}

TEST_CASE("a file without its buffers does not fit, and those that are skipped are new") {
  const Desk desk(kVit);
  desk.start("run");
  std::vector<TensorView> kept;
  const Safetensors read = Safetensors::load(desk.folder / "run/model.safetensors", 1 << 24);
  for (const TensorView& tensor : read.tensors()) {
    if (tensor.name.find("running_mean") == std::string::npos) kept.push_back(tensor);
  }
  write_plain(desk.folder / "w.safetensors", write_safetensors(kept, {{"format", "pt"}}));
  CHECK_THROWS_WITH(desk.test("w.safetensors"),
                    Contains("missing in the file: blocks.0.norm1.norm.running_mean [4]"));
  CHECK_THROWS_WITH(desk.start("other", {fmt::format("model.weights={{file: {}, skip: [nothing]}}",
                                                     (desk.folder / "run").string())}),
                    Contains("model.weights.skip: \"nothing\" fits no name; the model has ") &&
                        Contains("blocks.*.norm1.norm.running_mean"));
  desk.start("skipped", {fmt::format("model.weights={{file: {}, skip: [\"*.running_mean\"]}}",
                                     (desk.folder / "w.safetensors").string())});
}

TEST_CASE("a model with running statistics is predicted with, and told with its buffers") {
  const Desk desk(kVit);
  const auto model = engine().summarize(desk.resolve());
  // Three norms of 4 columns, each with a mean, a variance and a count.
  CHECK(model.at("buffers") == 3 * 9);
  CHECK(model.at("layers")[0].at("buffers") == 3 * 9);
}

TEST_CASE("runs with buffers are exact, wherever they are stopped") {
  const Desk desk(kVit);
  const std::vector<std::string> averaged = {"training.ema_decay=0.9"};
  desk.start("whole", averaged);
  desk.start("parts", averaged, 1);
  for (int64_t step = 2; step <= 8; ++step) desk.resume("parts", step);
  CHECK(result_of(desk.folder / "parts") == result_of(desk.folder / "whole"));
  const std::string last = "checkpoints/step-00000008.safetensors";
  CHECK(desk.tensors(desk.folder / "parts" / last) == desk.tensors(desk.folder / "whole" / last));
}

TEST_CASE("a callback that tests other weights without their buffers is warned of") {
  const Desk desk(kVit);
  CHECK_THAT(desk.start("run", {"callbacks=[buffers_test]"}),
             StartsWith("callbacks.0: buffers_test tests other weights and says nothing of buffers "
                        "(tested_buffers): blocks.0.norm1.norm.running_mean, "));
  CHECK(desk.start("none", {"callbacks=[buffers_test]", "model.norm=layer"}) == "");
}

TEST_CASE("running statistics that are not finite end a run with their name") {
  const Desk desk(kVit);
  CHECK_THROWS_WITH(desk.start("run", {"optimizer={type: sgd, lr: 1e30}"}), Contains("not finite"));
}

TEST_CASE("a recorded part may have buffers, of whole numbers too") {
  const Desk desk(kVit);
  const std::vector<std::string> recorded = {"model.norm=layer", "model.mlp=buffers_test"};
  CHECK(desk.resolve(recorded)->execution[1].value == "fused");
  desk.start("run", recorded);
  CHECK(desk.tensors(desk.folder / "run/model.safetensors").contains("blocks.0.mlp.calls"));
}

TEST_CASE("a part that changes a buffer as it computes is not recorded, in words") {
  const Desk desk(kVit);
  const std::vector<std::string> counts = {
      "model.norm=layer", "model.mlp={type: buffers_test, counts: true}", "training.epochs=1"};
  const auto config = desk.resolve(counts);
  CHECK(config->execution[1].value == "layers");
  CHECK(config->execution[1].why ==
        "blocks.0.mlp.calls changes as the model computes, which no step of a program does");
  desk.start("run", counts);
  const std::string calls =
      desk.tensors(desk.folder / "run/model.safetensors").at("blocks.0.mlp.calls");
  CHECK(static_cast<int>(calls[0]) == 4);  // of so many steps: trials leave no trace
  const auto reads =
      desk.resolve({"model.norm=layer", "model.mlp={type: buffers_test, reads: true}"});
  CHECK(reads->execution[1].why ==
        "blocks.0.mlp: buffers_test computes with a tensor of Long, and a program has floats");
}

}  // namespace
}  // namespace vitrine
