// Batches whose images are mixed with each other.
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <nlohmann/json.hpp>

#include "experiments/mixing.h"
#include "framework/engine/engine.h"
#include "framework/files/file.h"
#include "framework/files/safetensors.h"
#include "framework/images/planes.h"
#include "framework/model/model.h"
#include "framework/training/objective.h"
#include "tests/component.h"
#include "tests/datasets/waves.h"
#include "tests/framework/training/tried_run.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

// Five images of 8 x 10, each brighter by 1 than the last, as the golden numbers have them.
Tensor five_images() {
  std::vector<Tensor> out;
  for (int i = 0; i < 5; ++i) {
    Tensor planes = at::empty({3, 8, 10}, at::kByte);
    write_planes(waves(3, 10, 8), planes.data_ptr<uint8_t>());
    out.push_back(planes + i);
  }
  return at::stack(out);
}

std::string bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

Task task_of_three() {
  Task out;
  out.name = "kind";
  out.names = {"a", "b", "c"};
  out.usual_loss = "cross_entropy";
  out.usual_metric = "accuracy";
  return out;
}

Objective objective_of(const std::string& loss, bool mixes) {
  const Task task = task_of_three();
  return {{task}, make<Loss>(loss, {{task}}), {}, at::kCPU, mixes};
}

Mixer mixer_of(const std::string& yaml, uint64_t seed = 3) {
  std::vector<Choice<Mix>> choices;
  const Node list = parse_yaml("it: " + yaml, "test.yaml").children[0];
  for (const Node& node : list.children) {
    Problems problems;
    choices.emplace_back().read(node, Mix::kKind, problems);
    REQUIRE(problems.empty());
  }
  return {choices, seed};
}

Batch batch_of(Tensor images, int64_t epoch = 0) {
  Batch out;
  out.count = images.size(0);
  out.images = std::move(images);
  out.position.epoch = epoch;
  return out;
}

TEST_CASE("images and targets are mixed as timm does") {
  const Tensor images = five_images(), labels = at::tensor({0, 2, 1, 2, 0}, at::kLong);
  const Objective objective = objective_of("cross_entropy", true);
  const auto golden =
      Json::parse(read_file(VITRINE_SOURCE_DIR "/tests/golden/augmentation.json", 1 << 20));
  for (const Json& one : golden.at("mixes")) {
    CAPTURE(one.dump());
    const double share = one.at("share");
    const Mix::Mixed mixed = one.at("mix") == "mixup"
                                 ? mixup(images, share)
                                 : cutmix(images, share, one.at("row"), one.at("column"));
    CHECK(sha256_hex(bytes_of(mixed.images.contiguous())) == one.at("sha256").get<std::string>());
    CHECK(at::equal(mixed.mixture.partners, at::tensor({4, 3, 2, 1, 0}, at::kLong)));
    CHECK(mixed.mixture.shares[0].item<float>() == one.at("own").get<float>());
    const Tensor targets = objective.targets({labels}, mixed.mixture)[0];
    for (int64_t i = 0; i < 5; ++i) {
      for (int64_t k = 0; k < 3; ++k)
        CHECK(targets[i][k].item<float>() == one.at("targets")[i][k].get<float>());
    }
  }
}

TEST_CASE("images of numbers are mixed as numbers") {
  const Tensor images = five_images().to(at::kFloat) / 255;
  const Tensor mixed = mixup(images, 0.25).images;
  CHECK(mixed.scalar_type() == at::kFloat);
  CHECK(mixed[0][0][0][0].item<float>() ==
        0.25F * images[0][0][0][0].item<float>() + 0.75F * images[4][0][0][0].item<float>());
  CHECK(images[0][0][0][0].item<float>() == 20 / 255.0F);
}

TEST_CASE("shares are drawn from Beta: quantiles as SciPy has them") {
  // scipy.stats.beta.ppf(u, a, a) of scipy 1.17.1 for the first number of Draws(0, 0, 0, 0).
  const auto drawn = [](double alpha) {
    Draws draws(0, 0, 0, 0);
    return drawn_share(alpha, draws);
  };
  CHECK(drawn(1) == Approx(0.47141042966848024).epsilon(1e-12));
  CHECK(drawn(0.2) == Approx(0.4111520995912662).epsilon(1e-9));
  CHECK(drawn(0.8) == Approx(0.4671416496663747).epsilon(1e-9));
  CHECK(drawn(5) == Approx(0.48837427457504556).epsilon(1e-9));
  for (const double alpha : {0.01, 1000.0}) {
    for (int64_t i = 0; i < 200; ++i) {
      Draws draws(1, 0, i, 0);
      const double share = drawn_share(alpha, draws);
      CHECK((share >= 0 && share <= 1));
    }
  }
}

TEST_CASE("what a batch is mixed by follows from seed, epoch and its number") {
  at::manual_seed(2);
  const Tensor images = at::randint(0, 256, {4, 3, 8, 8}, at::kByte);
  const auto mixed = [&](uint64_t seed, int64_t epoch, int64_t number) {
    Batch batch = batch_of(images, epoch);
    mixer_of("[mixup, cutmix]", seed).mix(batch, number);
    return batch.images;
  };
  CHECK(at::equal(mixed(3, 1, 7), mixed(3, 1, 7)));
  CHECK_FALSE(at::equal(mixed(3, 1, 7), mixed(4, 1, 7)));
  CHECK_FALSE(at::equal(mixed(3, 1, 7), mixed(3, 2, 7)));
  CHECK_FALSE(at::equal(mixed(3, 1, 7), mixed(3, 1, 8)));
}

// How many of 1000 batches have been mixed by the weighted mean, and by a rectangle.
std::pair<int, int> counted(const std::string& yaml) {
  const Mixer mixer = mixer_of(yaml);
  int by_mean = 0, by_rectangle = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    Batch batch = batch_of(at::tensor({0, 200}, at::kByte).view({2, 1, 1, 1}).expand({2, 1, 4, 4}));
    mixer.mix(batch, i);
    if (!batch.mixture) continue;
    const auto first = batch.images[0].max().item<uint8_t>();
    (first == 0 || first == 200 ? by_rectangle : by_mean) += 1;
  }
  return {by_mean, by_rectangle};
}

TEST_CASE("of several ways one is drawn for each batch, by their shares") {
  const auto [half, other_half] = counted("[{type: mixup, alpha: 5}, cutmix]");
  CHECK((half > 450 && half < 550));
  CHECK(half + other_half == 1000);
  const auto [third, rest] = counted("[{type: mixup, alpha: 5, prob: 0.3}, cutmix]");
  CHECK((third > 250 && third < 350));
  CHECK(third + rest == 1000);
  const auto [some, none] = counted("[{type: mixup, alpha: 5, prob: 0.2}]");
  CHECK((some > 150 && some < 250));
  CHECK(none == 0);
  const auto [fifth, quarter] =
      counted("[{type: mixup, alpha: 5, prob: 0.2}, {type: cutmix, prob: 0.25}]");
  CHECK((fifth > 150 && fifth < 250));
  CHECK((quarter > 200 && quarter < 300));
}

TEST_CASE("a metric of training goes by the larger part of an image") {
  const Objective objective = objective_of("cross_entropy", true);
  const Mixture mixture{at::tensor({1, 0}, at::kLong), at::tensor({0.7F, 0.4F})};
  const Tensor targets = objective.targets({at::tensor({2, 0}, at::kLong)}, mixture)[0];
  CHECK(at::equal(objective.plain_targets(0, targets), at::tensor({2, 2}, at::kLong)));
}

TEST_CASE("every loss of classes takes mixed targets, and whole ones as it takes numbers") {
  const Task task = task_of_three();
  const Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F, 0.1F, 0.2F, 0.3F}).view({2, 1, 3});
  const Tensor labels = at::tensor({2, 0}, at::kLong);
  for (const std::string& name : Registry::instance().names(Loss::kKind)) {
    CAPTURE(name);
    Choice<Loss> choice(name);
    Problems problems;
    choice.read_default(Loss::kKind, problems);
    const auto& types = choice.options<LossOptions>().types;
    if (std::find(types.begin(), types.end(), TaskType::kClassification) == types.end()) continue;
    if (!problems_of<Loss>(name, {{task}}).empty()) continue;
    const auto loss = make<Loss>(name, {{task}});
    const auto of = [&](const Tensor& target) {
      return (*loss)(outputs, target.view({2, 1, -1}), task).tensor();
    };
    const Objective objective = objective_of(name, true);
    CHECK(of(objective.targets({labels})[0]).allclose(of(labels.to(at::kFloat)), 1e-6, 1e-7));
    const Mixture mixture{at::tensor({1, 0}, at::kLong), at::tensor({0.7F, 0.4F})};
    CHECK(of(objective.targets({labels}, mixture)[0]).isfinite().all().item<bool>());
  }
}

// What is said of a config of drawn digits with these lines, the first of which is its first.
std::string refusal(const std::string& lines) {
  const TemporaryFolder folder;
  std::string text = lines + "\n";
  if (lines.find("dataset:") == lines.npos) text += "dataset: digits\n";
  if (lines.find("model:") == lines.npos) text += "model: {type: vit, n_patches: 4}\n";
  write_plain(folder / "c.yaml", text);
  try {
    engine().resolve({folder / "c.yaml", {}, {}});
  } catch (const Error& error) {
    const std::string message = error.what();
    const size_t first = message.find("c.yaml:");
    return message.substr(first, message.find('\n') - first);
  }
  return "";
}

TEST_CASE("what cannot be mixed is refused in words") {
  CHECK(refusal("training: {mix: [mixup, cutmix]}") == "");
  CHECK(refusal("training: {mix: [mixup]}\nexperiment: masked_autoencoder") ==
        "c.yaml:1:12: training.mix has no effect: the experiment masked_autoencoder predicts no "
        "labels");
  CHECK(refusal("training: {mix: [mixup], batch_size: 1}") ==
        "c.yaml:1:17: training: mix: in batches of one image there is none to mix with");
  CHECK(refusal("training: {mix: [{type: mixup, prob: 0.7}, {type: cutmix, prob: 0.4}]}") ==
        "c.yaml:1:17: training: mix: prob is 1.1 of all batches together: at most 1");
  CHECK(refusal("training: {mix: [{type: mixup, prob: 1}, cutmix]}") ==
        "c.yaml:1:42: training.mix.1: prob of the others leaves it no batch");
  CHECK(refusal("training: {mix: [mixup]}\nloss: {type: cross_entropy, ignore_index: 3}") ==
        "c.yaml:1:17: training: mix: the loss of the task class ignores the label 3, which cannot "
        "be a part of a mixed one");
  CHECK(refusal("training: {mix: [mixup]}\n"
                "model: {type: vit, n_patches: 4, tasks: [{name: value, type: regression}]}") ==
        "c.yaml:1:17: training: mix: labels are mixed as shares of classes, and the task value is "
        "regression");
}

TEST_CASE("transforms of single images stand before those of whole batches") {
  CHECK(refusal("dataset: {type: digits, transforms: [normalize, random_crop]}") ==
        "c.yaml:1:49: dataset.transforms.1: random_crop changes single images, as they are read, "
        "so it must stand before normalize, which changes whole batches");
  CHECK(refusal("dataset: {type: digits, transforms: [random_crop, normalize]}") == "");
}

// A run of streamed images that are augmented one by one and mixed.
class MixedRuns {
 public:
  MixedRuns() {
    at::manual_seed(3);
    const std::string images = bytes_of(at::randint(0, 256, {60, 3, 8, 8}, at::kByte));
    const std::string labels = bytes_of(at::randint(0, 4, {60}, at::kLong));
    const std::vector<TensorView> tensors = {
        {"train/images", DType::kU8, {60, 3, 8, 8}, images},
        {"train/labels", DType::kI64, {60}, labels},
        {"test/images", DType::kU8, {30, 3, 8, 8}, std::string_view(images).substr(0, 30 * 192)},
        {"test/labels", DType::kI64, {30}, std::string_view(labels).substr(0, 30 * 8)}};
    write_plain(folder_ / "a.safetensors", write_safetensors(tensors, {}));
    write_plain(
        folder_ / "c.yaml",
        "name: c\ndataset:\n  type: arrays\n  path: " + (folder_ / "a.safetensors").string() +
            "\n  validation: 15\n"
            "  transforms: [random_resized_crop, flip, {type: random_crop, padding: 1},\n"
            "               color_jitter, {type: grayscale, p: 0.3}, rand_augment,\n"
            "               trivial_augment, three_augment, random_erasing, normalize]\n"
            "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
            "training: {epochs: 2, batch_size: 8, accumulate: 2, log_every: 1,\n"
            "           mix: [mixup, cutmix], checkpoint: {every: 1 step}}\n");
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
  TriedResult resumed(const std::string& name, int64_t steps) const {
    Quiet quiet;
    TrainRequest first = request(name, "stream", 2);
    first.stop_after = steps;
    must(engine().train(first, quiet).code);
    TrainRequest second;
    second.config = engine().resolve_resumed(folder_ / name, {{}, {}, {}});
    second.resume = true;
    second.run_dir = folder_ / name;
    must(engine().train(second, quiet).code);
    return result_of(folder_ / name);
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(MixedRuns, "a run of mixed images has the same bits held, streamed and resumed") {
  const TriedResult whole = train("whole", "resident", 1);
  CHECK(whole.exact);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    CHECK(train("streamed" + std::to_string(threads), "stream", threads) == whole);
  }
  for (int64_t steps = 1; steps < 6; ++steps) {
    CAPTURE(steps);
    CHECK(resumed("stopped" + std::to_string(steps), steps) == whole);
  }
}

}  // namespace
}  // namespace vitrine
