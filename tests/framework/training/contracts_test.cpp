#include <ATen/ops/arange.h>

#include "framework/config/yaml.h"
#include "framework/registry/plugin.h"
#include "framework/training/setup.h"
#include "framework/training/training.h"
#include "framework/training/workload.h"
#include "tests/catch.h"
#include "tests/framework/files/support.h"
#include "tests/framework/training/quiet.h"

// What components promise is asked of them where they meet the rest, in words that name them.
namespace vitrine {
namespace {

void load_careless() { load_plugin(VITRINE_BINARY_DIR "/test_plugin_careless.so"); }

// Everything that a run does before its first epoch ends, with these keys.
void begin(const std::string& keys) {
  load_careless();
  Quiet observer;
  const auto resolved = resolve(
      parse_yaml("device: cpu\ntraining: {batch_size: 20}\n" + keys, "test.yaml"), "test.yaml");
  const Config& config = *resolved->config;
  const Data data = load_data(config, observer);
  data.train->gather(at::arange(20), 0);
  time_step(config);
  const auto schedule = config.schedule.create({9, 3});
  for (int64_t step = 0; step < 9; ++step) schedule->factor(step);
}

const std::string kData = "dataset: {type: digits, train: 60, test: 20}\n";
const std::string kModel = "model: {type: vit, hidden_d: 16, n_heads: 2, n_blocks: 1}\n";

// The message without what names the component.
std::string of_plugin(const std::string& keys, const std::string& component) {
  const std::string message = message_of(ExitCode::kPlugin, [&] { begin(keys); });
  const size_t place = message.find(" (careless/");
  REQUIRE(place != message.npos);
  CHECK(message.substr(0, place) == component);
  return message.substr(message.find("), ") + 3);
}

std::string of_mlp(const std::string& where, const std::string& backend) {
  return of_plugin(kData + "backend: " + backend +
                       "\nmodel: {type: vit, hidden_d: 16, n_heads: 2, n_blocks: 1, mlp: {type: "
                       "thrower, where: " +
                       where + "}}\n",
                   "mlp \"thrower\"");
}

std::string of_dataset(const std::string& how) {
  return of_plugin(kModel + "dataset: {type: sloppy, how: " + how + "}\n", "dataset \"sloppy\"");
}

std::string of_model(const std::string& options) {
  return of_plugin(kData + "model: {type: few_outputs" + options + "}\n", "model \"few_outputs\"");
}

std::string of_loss(const std::string& how) {
  return of_plugin(kData + kModel + "loss: {type: summed, how: " + how + "}\n", "loss \"summed\"");
}

}  // namespace

TEST_CASE("an exception of any type tells the component, its place and what it was doing") {
  for (const char* backend : {"auto", "layers"}) {
    CAPTURE(backend);
    CHECK(of_mlp("constructor", backend) == "constructor: cannot be made");
    CHECK(of_mlp("forward", backend) == "forward: vector::_M_range_check");
    CHECK(of_mlp("training", backend) == "forward: not while it learns");
    CHECK(of_mlp("number", backend) == "forward: an exception that is no std::exception");
  }
}

TEST_CASE("what a component tells the user stays as it is") {
  CHECK(message_of(ExitCode::kUsage, [&] {
          begin(kData + "model: {type: vit, mlp: {type: thrower, where: user}}\n");
        }) == "thrower: not with these images");
}

TEST_CASE("parts make what their kind says") {
  CHECK(of_mlp("shape", "auto") == "forward: of [50, 16] it made [50, 3]: it must keep the shape");
}

TEST_CASE("a component that is an option of itself by default is refused") {
  CHECK(of_plugin(kData + "model: {type: vit, mlp: selfish}\n", "mlp \"selfish\"") ==
        "options: model.mlp.expert is by default what it is an option of, without end; "
        "std::optional makes it one that is absent by default");
}

TEST_CASE("what components do wrong is told before there is a run") {
  load_careless();
  const TemporaryFolder folder;
  const auto message = [&](const std::string& keys) {
    return message_of(ExitCode::kPlugin, [&] {
      Quiet observer;
      TrainRequest request;
      request.config = resolve(parse_yaml("device: cpu\n" + keys, "test.yaml"), "test.yaml");
      request.run_dir = folder / "run";
      train(request, observer);
    });
  };
  CHECK_THAT(message(kData + kModel + "backend: layers\nloss: {type: summed, how: detached}\n"),
             Catch::StartsWith("loss \"summed\""));
  CHECK_THAT(message(kData + "model: {type: vit, mlp: {type: thrower, where: training}}\n"),
             Catch::StartsWith("mlp \"thrower\""));
  CHECK_THAT(message(kModel + "dataset: {type: digits, transforms: [crop]}\n"),
             Catch::StartsWith("transform \"crop\""));
  CHECK(folder.count() == 0);
}

TEST_CASE("transforms keep the shape") {
  CHECK(of_plugin(kModel + "dataset: {type: digits, train: 60, test: 20, transforms: [crop]}\n",
                  "transform \"crop\"") ==
        "forward: of images float32 [20, 1, 28, 28] it made float32 [20, 1, 24, 24]: it must keep "
        "shape, type and device");
}

TEST_CASE("models make one output a task, as wide as it asks") {
  CHECK(of_model(", tasks: [{name: a}, {name: b}]") ==
        "forward: it made 1 outputs, and has 2 tasks: one each is expected");
  CHECK(of_model(", outputs: 3") ==
        "forward: it made 3 outputs, and has 1 tasks: one each is expected");
  CHECK(of_model(", width: 9") ==
        "forward: its output for the task class is [1, 9]: of each image it must be [1, 10]");
}

TEST_CASE("data sets give what they tell") {
  const std::string told = "they must be uint8 [60, 1, 28, 28], as info says";
  CHECK(of_dataset("float") == "load_train: the images are float32 [60, 1, 28, 28]: " + told);
  CHECK(of_dataset("size") == "load_train: the images are uint8 [60, 1, 28, 14]: " + told);
  CHECK(of_dataset("count") == "load_train: there are 50 images: info tells 60");
  CHECK(of_dataset("columns") == "load_train: there are labels of 0 columns: info tells 1");
  CHECK(of_dataset("wide") ==
        "load_train: the labels of the column label are int64 [60, 1]: they must be int64 [60]");
  CHECK(of_dataset("fingerprint") == "fingerprint: \"x\" is no SHA-256 in 64 hexadecimal digits");
  CHECK(of_dataset("nothing") ==
        "load_train: it must give either images or a source that reads them");
  CHECK(of_dataset("throws") == "info: no list of files");
  CHECK(of_dataset("read") ==
        "read: image 0 has 28 x 28 pixels of 3 channels in 2352 bytes: info tells 1 channels");
  CHECK(message_of(ExitCode::kData, [&] {
          begin(kModel + "dataset: {type: sloppy, how: label}\n");
        }) == "sloppy: label 2 of training image 3 is beyond the 2 classes");
}

TEST_CASE("losses make a number of each image, with a gradient") {
  CHECK(of_loss("of_each") ==
        "forward: it made [1, 10]: of each image it must be one number, [1, 1]");
  CHECK(of_loss("of_all") == "forward: of 20 images it made 1 numbers: it must be one each");
  CHECK(of_loss("detached") ==
        "forward: what it made has no gradient, so that nothing would be trained");
  CHECK(of_loss("undefined") ==
        "forward: it made no [images, 1, 1]: of each image it must be one number");
}

TEST_CASE("schedules are finite and not negative") {
  CHECK(
      of_plugin(kData + kModel + "schedule: uphill\n", "schedule \"uphill\"") ==
      "factor: step 3 of 9 gave -1: what the learning rate is multiplied by must be finite and at "
      "least 0");
}

}  // namespace vitrine
