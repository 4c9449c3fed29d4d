#include "tests/framework/cli/support.h"

// What becomes of a component that ends the process.
namespace vitrine {
namespace {

constexpr const char* kConfig =
    "plugins: [" VITRINE_BINARY_DIR
    "/test_plugin_careless.so]\n"
    "dataset: {type: digits, train: 60, test: 20}\n"
    "model: {type: vit, hidden_d: 8, n_heads: 2, n_blocks: 1, mlp: crasher}\n"
    "training: {epochs: 1, batch_size: 20}\n";

// The last line of what is written, and that the program has ended as it does for a plug-in.
std::string said(const ConfigFolder& folder, std::vector<std::string> arguments,
                 const std::string& where, const std::string& how) {
  arguments.push_back("model.mlp.where=" + where);
  arguments.push_back("model.mlp.how=" + how);
  const Result result = folder.run(arguments);
  INFO(result.err);
  CHECK(result.code == 6);
  const size_t end = result.err.rfind("error: ");
  return end == std::string::npos ? "nothing" : result.err.substr(end);
}

}  // namespace

TEST_CASE("a component that crashes is named, whatever the verb", "[cli]") {
  const ConfigFolder folder(kConfig);
  const std::string of = "error: mlp \"crasher\" (careless/crasher.cpp:56), ";
  CHECK(said(folder, {"show", "small.yaml"}, "constructor", "crash") ==
        of + "constructor: crashes: Segmentation fault\n");
  CHECK(said(folder, {"small.yaml", "--dry-run"}, "constructor", "abort") ==
        of + "constructor: crashes: Aborted\n");
  CHECK(said(folder, {"small.yaml", "--dry-run"}, "training", "crash") ==
        of + "forward: crashes: Segmentation fault\n");
  CHECK(said(folder, {"show", "small.yaml"}, "destructor", "crash") ==
        of + "destructor: crashes: Segmentation fault\n");
  CHECK(said(folder, {"small.yaml"}, "forward", "exit") ==
        of + "forward: ends the process with exit code 3\n");
}

TEST_CASE("a component that never stops calling itself is named", "[cli]") {
  const ConfigFolder folder(kConfig);
  CHECK(said(folder, {"show", "small.yaml"}, "constructor", "recurse") ==
        "error: mlp \"crasher\" (careless/crasher.cpp:56), constructor: crashes: Segmentation "
        "fault\n");
}

TEST_CASE("a plug-in whose component crashes is listed and described", "[cli]") {
  const ConfigFolder folder(kConfig);
  const std::string plugin = VITRINE_BINARY_DIR "/test_plugin_careless.so";
  CHECK(folder.run({"list", "mlp", "crasher", "--plugin", plugin}).code == 0);
  CHECK_THAT(folder.run({"schema", "--plugin", plugin}).out, Contains("ends the process"));
}

}  // namespace vitrine
