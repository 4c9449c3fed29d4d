#include "framework/files/safetensors.h"
#include "framework/files/sealed.h"
#include "framework/files/sha256.h"
#include "tests/datasets/mnist_support.h"
#include "tests/framework/cli/support.h"

// model.weights as a run uses it.
namespace vitrine {
namespace {

const std::string kLearned = "model.position=learned";

// With a run whose weights were exported in every layout that has them.
class Exported : public Desk {
 public:
  Exported() {
    REQUIRE(run({"a.yaml", "--run-dir", "first", kLearned}).err == "");
    for (const std::string layout : {"native", "timm", "huggingface"})
      REQUIRE(run({"export", "first", layout + ".safetensors", "--layout", layout}).err == "");
  }

  // The tensors that a run ends with.
  std::map<std::string, std::string> weights(const std::string& name) const {
    std::map<std::string, std::string> out;
    const auto file = Safetensors::load(*this / (name + "/model.safetensors"), 1 << 20);
    for (const TensorView& tensor : file.tensors()) out[tensor.name] = tensor.bytes;
    return out;
  }
  // A run that starts from them and changes nothing.
  std::string out_of(const std::string& name, const std::string& weights,
                     std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"a.yaml", "--run-dir", name, kLearned, "model.weights=" + weights,
                               "optimizer.lr=0", "training.max_steps=1"});
    const Result result = run(more);
    CHECK(result.err == "");
    return result.out;
  }
};

TEST_CASE("a run starts from what export wrote, or from another run, to the bit") {
  const Exported desk;
  const std::string eps = ".safetensors: norm.eps is 1e-05 here and usually ";
  CHECK_THAT(desk.out_of("a", "native.safetensors"), StartsWith("small: vit with "));
  CHECK_THAT(desk.out_of("b", "timm.safetensors"),
             StartsWith("timm.safetensors: the layout is timm, by the names\ntimm" + eps +
                        "1e-06 there\nsmall: "));
  CHECK_THAT(desk.out_of("c", "{file: huggingface.safetensors, layout: huggingface}"),
             StartsWith("huggingface" + eps + "1e-12 there\nsmall: "));
  CHECK_THAT(desk.out_of("d", "first"), StartsWith("small: vit with "));
  for (const char* run : {"a", "b", "c", "d"}) CHECK(desk.weights(run) == desk.weights("first"));
  CHECK_THAT(desk.out_of("e", "first", {"model.n_heads=4", "model.mlp.dropout=0.1"}),
             StartsWith("first/model.safetensors: another model than the one that was saved: "
                        "mlp.dropout was 0 and is 0.1, n_heads was 2 and is 4\nsmall: "));
}

TEST_CASE("a plain file is short for a mapping, and is written so") {
  const Exported desk;
  desk.out_of("a", "{file: native.safetensors, skip: [], freeze: []}");
  const std::string path = (desk / "native.safetensors").string();
  CHECK_THAT(bytes_of(desk / "a/config.yaml"), Contains("  weights: " + path + "\n"));
  const std::string digest = sha256_hex(bytes_of(desk / "native.safetensors"));
  CHECK(json_of(desk / "a/metrics.json").at("contents") == Json({{"model.weights", digest}}));
  // Options join what a base has in short.
  desk.write("b.yaml", "base: a.yaml\nmodel: {position: learned, weights: native.safetensors}\n");
  REQUIRE(desk.run({"b.yaml", "model.weights.freeze=blocks.*", "--run-dir", "b"}).err == "");
  CHECK_THAT(
      bytes_of(desk / "b/config.yaml"),
      Contains("  weights:\n    file: " + path +
               "\n    sha256: null\n    layout: null\n    skip: []\n    freeze: [\"blocks.*\"]\n"
               "    prefix: null\n"));
  CHECK(json_of(desk / "b/metrics.json").at("contents") == Json({{"model.weights.file", digest}}));
  CHECK(desk.run({"b/config.yaml", "--run-dir", "c"}).err == "");
  CHECK(desk.weights("c") == desk.weights("b"));
}

TEST_CASE("frozen parameters keep their values, in a run that is resumed as well") {
  const Exported desk;
  const std::vector<std::string> arguments = {
      "a.yaml", kLearned, "training.epochs=2", "training.ema_decay=0.5",
      "model.weights={file: first, freeze: [blocks.0.*, position.table]}"};
  const auto start = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    more.insert(more.end(), {"--run-dir", name});
    return desk.run(more);
  };
  const Result whole = start("whole", {});
  CHECK_THAT(whole.out, Contains("\nfirst: 13 of 20 parameters are frozen\n"));
  REQUIRE(start("parts", {"--stop-after", "2"}).code == 75);
  REQUIRE(desk.run({"resume", "parts"}).err == "");
  CHECK(desk.weights("parts") == desk.weights("whole"));
  const auto before = desk.weights("first"), after = desk.weights("whole");
  for (const auto& [name, bytes] : after) {
    CAPTURE(name);
    const bool is_frozen = name.starts_with("blocks.0.") || name == "position.table";
    CHECK((bytes == before.at(name)) == is_frozen);
  }
  CHECK(desk.run({"test", "whole"}).err == "");
  CHECK_THAT(desk.error(ExitCode::kCheckpoint, {"resume", "whole", "training.epochs=3",
                                                "model.weights.freeze=[blocks.*]"}),
             Contains("model.weights.freeze cannot change in a run under way"));
  CHECK(desk.error(ExitCode::kUsage, {"test", "a.yaml", "model.weights.file=whole",
                                      "model.weights.freeze=[head.*]"}) ==
        "error: command line:1:15: model.weights.freeze has no effect on a test\n"
        "    1 | model.weights.freeze=[head.*]\n"
        "      |               ^\n");
}

TEST_CASE("mistakes in model.weights are shown where they stand") {
  const Exported desk;
  const auto refused = [&](const std::string& weights) {
    return desk.error(ExitCode::kUsage,
                      {"a.yaml", "--run-dir", "new", "model.weights=" + weights, kLearned});
  };
  CHECK(refused("{file: timm.safetensors, freeze: [block.*]}") ==
        "error: command line:1:48: model.weights.freeze: \"block.*\" fits no parameter; there are "
        "embedding.weight, embedding.bias, tokens.class, position.table, blocks.*.norm1.weight, "
        "blocks.*.norm1.bias, blocks.*.attention.qkv.weight, blocks.*.attention.qkv.bias, "
        "blocks.*.attention.projection.weight, blocks.*.attention.projection.bias, "
        "blocks.*.norm2.weight, blocks.*.norm2.bias, blocks.*.mlp.fc1.weight, "
        "blocks.*.mlp.fc1.bias, blocks.*.mlp.fc2.weight, blocks.*.mlp.fc2.bias, "
        "final_norm.weight, final_norm.bias, head.weight, head.bias\n"
        "    1 | model.weights={file: timm.safetensors, freeze: [block.*]}\n"
        "      |                                                ^\n");
  CHECK_THAT(refused("{file: timm.safetensors, freeze: '*'}"),
             Contains("model.weights.freeze: nothing is left to train\n"));
  CHECK_THAT(refused("{file: timm.safetensors, layout: keras}"),
             Contains("model.weights: unknown layout \"keras\": there are huggingface, native, "
                      "timm, tutorial\n"));
  CHECK_THAT(refused("{skip: [head.*]}"),
             Contains("model.weights: a file is missing beside its options\n"));
  CHECK_THAT(refused("{file: timm.safetensors, sha256: abc}"),
             Contains("model.weights.sha256: expected 64 digits from 0 to f, got \"abc\"\n"));
  CHECK_THAT(refused("{file: timm.safetensors, freezes: []}"),
             Contains("model.weights.freezes: unknown key\n"));
  CHECK_THAT(refused("http://a.example/w.safetensors"),
             Contains("model.weights: \"http://a.example/w.safetensors\" is no https address\n"));
}

TEST_CASE("a test needs all weights") {
  const Exported desk;
  CHECK(desk.run({"test", "a.yaml", kLearned, "model.weights=timm.safetensors"}).err == "");
  CHECK(desk.error(ExitCode::kCheckpoint,
                   {"test", "a.yaml", kLearned,
                    "model.weights={file: timm.safetensors, skip: [head.*]}"}) ==
        "error: timm.safetensors: a test needs all weights, and these are not from the file: "
        "head.bias, head.weight\n");
}

TEST_CASE("weights at an address are fetched once, and checked") {
  const Exported desk;
  fs::create_directory(desk / "served");
  fs::copy_file(desk / "native.safetensors", desk / "served/w.safetensors");
  const std::string digest = sha256_hex(bytes_of(desk / "native.safetensors"));
  auto server = std::make_unique<Server>(desk / "served", desk.folder());
  REQUIRE(server->runs());
  const Setting certificate("VITRINE_CA_FILE", server->certificate());
  const Setting direct("no_proxy", "localhost");
  const std::string address = server->address() + "w.safetensors";
  const std::string cache = (desk / "cache/vitrine/weights").string();
  const std::string hash =
      address + ": its SHA-256 is " + digest + "; given as model.weights.sha256 it is checked\n";
  CHECK_THAT(desk.out_of("a", address),
             StartsWith("downloading " + address + " into " + cache + "\n" + hash + "small: "));
  CHECK(json_of(desk / "a/metrics.json").at("contents") == Json({{"model.weights", digest}}));
  CHECK_THAT(bytes_of(desk / "a/config.yaml"), Contains("  weights: \"" + address + "\"\n"));
  // Of other bytes nothing is kept.
  const std::string other(64, '0');
  CHECK_THAT(desk.error(ExitCode::kData,
                        {"a.yaml", kLearned, "--run-dir", "no",
                         "model.weights={file: '" + address + "', sha256: '" + other + "'}"}),
             Contains(address + ": wrong checksum: its SHA-256 is " + digest +
                      ", model.weights.sha256 is " + other + "\n"));
  CHECK_THAT(desk.error(ExitCode::kData, {"a.yaml", "--run-dir", "no",
                                          "model.weights=" + server->address() + "none"}),
             Contains("the server answered with status 404"));
  server.reset();
  CHECK(
      desk.out_of("b", "{file: '" + address + "', sha256: " + digest + "}").starts_with("small: "));
  CHECK_THAT(desk.out_of("c", address), StartsWith(hash + "small: "));
  for (const char* run : {"a", "b", "c"}) CHECK(desk.weights(run) == desk.weights("first"));
  size_t files = 0;
  for (const auto& file : fs::directory_iterator(cache)) files += file.is_regular_file();
  CHECK(files == 1);
}

}  // namespace
}  // namespace vitrine
