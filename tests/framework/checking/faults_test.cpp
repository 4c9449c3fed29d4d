#include <fmt/format.h>

#include <map>

#include "framework/config/yaml.h"
#include "framework/engine/check.h"
#include "framework/registry/plugin.h"
#include "tests/catch.h"
#include "tests/framework/files/support.h"

// What `runner check` finds in components that do not keep what their kinds promise.
namespace vitrine {
namespace {

// The faults that are found, each with its words.
std::map<std::string, std::string> faults_of(const std::string& kind, const std::string& name,
                                             const std::string& options = "{}") {
  for (const char* plugin : {"careless", "forgetful"}) {
    load_plugin(std::string(VITRINE_BINARY_DIR "/test_plugin_") + plugin + ".so");
  }
  std::map<std::string, std::string> out;
  check_component(kind, name, parse_yaml("it: " + options, "options").children[0],
                  [&](const Finding& finding) {
                    if (finding.kind == Finding::Kind::kFault) out[finding.what] = finding.words;
                  });
  return out;
}

std::string words_of(const std::map<std::string, std::string>& faults, const std::string& what) {
  const auto found = faults.find(what);
  return found == faults.end() ? "no fault" : found->second;
}

}  // namespace

TEST_CASE("state that nobody declares is found by stopping and resuming") {
  for (const auto& [kind, name, options] : {std::tuple{"mlp", "moody", "{how: mean}"},
                                            {"mlp", "moody", "{how: engine}"},
                                            {"optimizer", "forgetful", "{}"},
                                            {"loss", "warming", "{}"},
                                            {"callback", "fading", "{}"}}) {
    CAPTURE(kind, name, options);
    const std::string words = words_of(faults_of(kind, name, options), "resumes");
    CHECK_THAT(words, Catch::StartsWith("stopped after step "));
    CHECK_THAT(words, Catch::EndsWith(": it keeps something that it does not declare as state"));
  }
}

TEST_CASE("what is drawn from elsewhere than the seed is found by training again") {
  CHECK_THAT(words_of(faults_of("mlp", "moody", "{how: device}"), "repeats"),
             Catch::EndsWith(": something draws numbers that the seed does not decide"));
}

TEST_CASE("what a model computes with besides its weights is found by testing") {
  CHECK_THAT(words_of(faults_of("mlp", "moody", "{how: mean}"), "tests"),
             Catch::StartsWith("test/loss was "));
}

TEST_CASE("what depends on the rest of the batch is found") {
  CHECK_THAT(words_of(faults_of("mlp", "moody", "{how: batch}"), "batches"),
             Catch::StartsWith("outputs for an image are "));
  CHECK(words_of(faults_of("transform", "wandering", "{of_batch: true}"), "images") ==
        "what becomes of an image depends on the others of its batch");
  CHECK(words_of(faults_of("metric", "averaging"), "sums") ==
        "its sums over a batch are not those over its parts: it would change with the size of "
        "batches");
}

TEST_CASE("what is not as it says is found") {
  CHECK(faults_of("mlp", "moody", "{how: unused}") ==
        std::map<std::string, std::string>{
            {"gradients",
             "in four steps nothing has reached blocks.0.mlp.unused, blocks.1.mlp.unused, "
             "blocks.2.mlp.unused, blocks.3.mlp.unused: registered, and not used?"}});
  CHECK(words_of(faults_of("transform", "wandering"), "images") ==
        "the same images give other ones the second time: what is random must draw from the "
        "position");
  CHECK(words_of(faults_of("schedule", "endless"), "factors") ==
        "depends_on_total says false, and a longer run has other learning rates: a run that is "
        "taken further would not be exact");
  CHECK(words_of(faults_of("dataset", "fresh"), "data") ==
        "its images or labels are others the second time");
}

TEST_CASE("what differs from process to process is found by training again") {
  for (const char* with : {"dice", "unwritten", "context"}) {
    CAPTURE(with);
    const auto faults = faults_of("mlp", "rolling", fmt::format("{{with: {}}}", with));
    CHECK_FALSE(faults.empty());
  }
}

TEST_CASE("an optimizer that moves nothing, or changes gradients, is found") {
  CHECK(words_of(faults_of("optimizer", "unmoved"), "gradients") ==
        "in four steps no parameter has changed: are they assigned to?");
  CHECK(words_of(faults_of("optimizer", "unmoved", "{scales_gradients: true}"), "gradients") ==
        "a step changes the gradients");
  CHECK(
      words_of(faults_of("optimizer", "unmoved", "{replaces: true}"), "trains") ==
      "optimizer \"unmoved\" (careless/unmoved.cpp:44), step: it has given values another place or "
      "size: they must be changed where they are");
}

TEST_CASE("what changes that which it may only read is found") {
  CHECK(words_of(faults_of("metric", "consuming"), "sums") ==
        "it changes the outputs or targets that it is given");
  CHECK_THAT(words_of(faults_of("logger", "meddling"), "reads"),
             Catch::EndsWith(" with it: it may only read"));
  CHECK(words_of(faults_of("logger", "meddling", "{throws: true}"), "trains") ==
        "loggers: meddling: logger \"meddling\" (careless/meddling.cpp:26), step: an exception "
        "that is "
        "no std::exception; the run goes on without it");
}

TEST_CASE("a picture that is never the same, and shares that do not sum to 1, are found") {
  CHECK(words_of(faults_of("plot", "shaky"), "draws") ==
        "drawn again it is another picture: it depends on more than the run");
  CHECK(words_of(faults_of("head", "unsure"), "batches") ==
        "it says that it gives probabilities, and they do not sum to 1");
}

TEST_CASE("other data under one fingerprint are found") {
  CHECK(words_of(faults_of("dataset", "fresh", "{same: true}"), "data") ==
        "{shade: 1} gives other images or labels under the same fingerprint");
}

TEST_CASE("what a component tells of itself is asked of it by name") {
  CHECK(words_of(faults_of("position", "bent"), "builds") ==
        "position \"bent\" (careless/bent.cpp:29), turned: of [50, 64] it made [50, 128]: it must "
        "keep the shape");
  CHECK(words_of(faults_of("position", "bent", "{throws: true}"), "builds") ==
        "position \"bent\" (careless/bent.cpp:29), turned: an exception that is no std::exception");
  CHECK(
      words_of(faults_of("pooling", "countless"), "builds") ==
      "pooling \"countless\" (careless/countless.cpp:17), special_tokens: an exception that is no "
      "std::exception");
}

TEST_CASE("options that there are not are no fault of the component") {
  CHECK_THAT(message_of(ExitCode::kUsage, [] { faults_of("mlp", "gelu", "{raito: 2}"); }),
             Catch::Contains("mlp.raito: unknown key"));
}

TEST_CASE("a crash and an exception are faults") {
  CHECK(words_of(faults_of("dataset", "fresh", "{crashes: true}"), "data") ==
        "dataset \"fresh\" (forgetful/fresh.cpp:45), load_train: crashes: Segmentation fault");
  CHECK(words_of(faults_of("callback", "tired"), "trains") ==
        "callback \"tired\" (careless/tired.cpp:15), epoch: no more");
  CHECK(words_of(faults_of("callback", "sleepy"), "trains") ==
        "callback \"sleepy\" (careless/sleepy.cpp:13), epoch: it leaves the model in evaluation "
        "mode");
  CHECK(words_of(faults_of("transform", "crop"), "images") ==
        "transform \"crop\" (careless/crop.cpp:15), forward: of images float32 [7, 1, 28, 28] it "
        "made float32 [7, 1, 24, 24]: it must keep shape, type and device");
  CHECK(words_of(faults_of("transform", "boastful"), "images") ==
        "normalization says otherwise than it makes images");
  CHECK(words_of(faults_of("mlp", "thrower"), "values") ==
        "{where: constructor}: mlp \"thrower\" (careless/thrower.cpp:41), constructor: cannot be "
        "made");
  CHECK_THAT(words_of(faults_of("mlp", "thrower", "{where: forward}"), "builds"),
             Catch::EndsWith("forward: vector::_M_range_check"));
}

}  // namespace vitrine
