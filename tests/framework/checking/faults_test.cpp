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

TEST_CASE("options that there are not are no fault of the component") {
  CHECK_THAT(message_of(ExitCode::kUsage, [] { faults_of("mlp", "gelu", "{raito: 2}"); }),
             Catch::Contains("mlp.raito: unknown key"));
}

TEST_CASE("a crash and an exception are faults") {
  CHECK(words_of(faults_of("dataset", "fresh", "{crashes: true}"), "data") ==
        "it crashes: Segmentation fault");
  CHECK(words_of(faults_of("callback", "tired"), "trains") ==
        "callback \"tired\" (careless/tired.cpp:15), epoch: no more");
  CHECK(words_of(faults_of("transform", "crop"), "images") ==
        "transform \"crop\" (careless/crop.cpp:15), forward: of images float32 [7, 1, 28, 28] it "
        "made float32 [7, 1, 24, 24]: it must keep shape, type and device");
  CHECK(words_of(faults_of("mlp", "thrower"), "values") ==
        "{where: constructor}: mlp \"thrower\" (careless/thrower.cpp:41), constructor: cannot be "
        "made");
  CHECK_THAT(words_of(faults_of("mlp", "thrower", "{where: forward}"), "builds"),
             Catch::EndsWith("forward: vector::_M_range_check"));
}

}  // namespace vitrine
