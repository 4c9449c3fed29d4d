#include <set>

#include "framework/images/encode.h"
#include "tests/framework/cli/programs.h"
#include "tests/framework/cli/support.h"

// `predict` by the program in a model's file, without libtorch.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

Image noise(int64_t width, int64_t height, int64_t channels, uint32_t seed) {
  Image out{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i)
    out.pixels.push_back(static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24));
  return out;
}

struct Trained : Desk {
  explicit Trained(const std::string& config = kSmallConfig, int64_t channels = 1) {
    write("c.yaml", config);
    for (uint32_t i = 0; i < 3; ++i)
      write(std::to_string(i) + ".png", encode_png(noise(28 + 5 * i, 28, channels, i)));
    if (config == kSmallConfig) train();
  }
  void train() const {
    const Result result = run({"c.yaml", "--run-dir", "run"});
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  fs::path model() const { return *this / "run/model.safetensors"; }

  // What it says of the images, and whether it loaded libtorch for that.
  Result answers(const std::vector<std::string>& arguments, bool& loads_libtorch) const {
    std::vector<std::string> words = {"predict"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    auto environment = isolated(*this / "");
    environment["LD_DEBUG"] = "libs";
    environment["LD_DEBUG_OUTPUT"] = *this / "loaded";
    Result out = runner(words, *this / "", environment);
    std::string loaded;
    for (const auto& entry : fs::directory_iterator(*this / "")) {
      if (!entry.path().filename().string().starts_with("loaded.")) continue;
      loaded += bytes_of(entry.path());
      fs::remove(entry.path());
    }
    REQUIRE(loaded.find("libvitrine_core.so") != std::string::npos);
    loads_libtorch = loaded.find("libtorch") != std::string::npos;
    CHECK(loads_libtorch == (loaded.find("libvitrine_engine.so") != std::string::npos));
    return out;
  }
  // Of a run, a file or a checkpoint, answered with libtorch or without.
  std::string json(const std::vector<std::string>& of, bool with_libtorch) const {
    std::vector<std::string> words = of;
    words.insert(words.end(), {"0.png", "1.png", "2.png", "--json"});
    bool loads = !with_libtorch;
    const Result result = answers(words, loads);
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(loads == with_libtorch);
    return result.out + result.err;
  }
  // The answers by a run's program are those of libtorch, bit for bit.
  void check_same() const {
    const std::string by_program = json({"run"}, false);
    CHECK(json({"run/model.safetensors"}, false) == by_program);
    remove_program(model(), *this / "bare.safetensors");
    CHECK(json({"bare.safetensors"}, true) == by_program);
    CHECK(json({"run", "--checkpoint", "best"}, true) == by_program);
  }
};

TEST_CASE("predict answers by the program in a model's file, with the bits of libtorch") {
  const Trained trained;
  trained.check_same();
  CHECK(Json::parse(
            trained.json({"run"}, false).substr(0, trained.json({"run"}, false).find("\nwarning")))
            .size() == 3);
}

TEST_CASE("the program of a wide model, and of one that normalizes, gives the same bits") {
  for (const std::string model :
       {"{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 192, n_heads: 3}", "{type: lenet}"}) {
    CAPTURE(model);
    const Trained trained(
        "name: wide\n"
        "threads: 1\n"
        "dataset: {type: digits, train: 128, test: 64, validation: 64, transforms: [{type: "
        "normalize, mean: 0.13, std: 0.31}]}\n"
        "model: " +
        model + "\ntraining: {epochs: 1, batch_size: 64}\n");
    trained.train();
    trained.check_same();
  }
}

TEST_CASE("labels and values are answered by the program as well") {
  Trained trained(
      "name: tasks\n"
      "threads: 1\n"
      "dataset: {type: arrays, path: d.safetensors}\n"
      "model:\n"
      "  type: vit\n"
      "  n_patches: 2\n"
      "  hidden_d: 8\n"
      "  n_heads: 2\n"
      "  n_blocks: 1\n"
      "  tasks: [{name: kind, column: kind}, {name: parts, column: parts}, {name: age, column: "
      "age}]\n"
      "training: {epochs: 1, batch_size: 16}\n");
  std::vector<TensorView> tensors;
  std::vector<std::string> bytes;
  bytes.reserve(8);
  for (const std::string set : {"train", "test"}) {
    const auto add = [&](const std::string& name, DType type, std::vector<int64_t> shape,
                         std::string content) {
      bytes.push_back(std::move(content));
      tensors.push_back({set + name, type, std::move(shape), bytes.back()});
    };
    const Image pixels = noise(8, 8 * 32, 1, set == "train");
    add("/images", DType::kU8, {32, 8, 8}, {pixels.pixels.begin(), pixels.pixels.end()});
    std::string kinds, parts, ages;
    for (int i = 0; i < 32; ++i) {
      kinds += static_cast<char>(i % 3);
      parts += {static_cast<char>(i % 2), static_cast<char>(i % 5 == 0)};
      const float age = static_cast<float>(i) / 8;
      ages.append(reinterpret_cast<const char*>(&age), sizeof age);
    }
    add("/labels/kind", DType::kI8, {32}, kinds);
    add("/labels/parts", DType::kBool, {32, 2}, parts);
    add("/labels/age", DType::kF32, {32}, ages);
  }
  trained.write("d.safetensors", write_safetensors(tensors, {}));
  trained.train();
  trained.check_same();
}

TEST_CASE("a file that does not hold together has the words of the engine") {
  const Trained trained;
  const std::string whole = bytes_of(trained.model());
  const std::string right = trained.json({"run"}, false);
  const auto said = [&] {
    bool ignored = false;
    const Result result = trained.answers({"run", "0.png"}, ignored);
    CHECK(result.code == static_cast<int>(ExitCode::kCheckpoint));
    CHECK(result.out == "");
    return result.err;
  };
  write_plain(trained.model(), whole.substr(0, whole.size() - 4));
  CHECK(said() == "error: run/model.safetensors: the SHA-256 of its " +
                      std::to_string(whole.size() - 4) +
                      " bytes is not the recorded one: it was cut, changed or damaged\n");
  const auto described = [&](const std::function<void(Json&)>& change) {
    write_plain(trained.model(), whole);
    change_model(trained.model(), trained.model(), [&](auto& metadata) {
      Json description = Json::parse(metadata.at("vitrine"));
      change(description);
      metadata["vitrine"] = description.dump();
    });
  };
  described([](Json& description) { description["format"] = 2; });
  CHECK(said() == "error: run/model.safetensors: metadata: this version reads format 1\n");
  described([](Json& description) { description["crop_ratio"] = 3; });
  CHECK(said() == "error: run/model.safetensors: metadata: crop_ratio must be from 0.1 to 1\n");
  described([](Json& description) { description["background"] = "red"; });
  CHECK(said() ==
        "error: run/model.safetensors: metadata: background must be black, grey, white or "
        "#RRGGBB\n");
  described([](Json& description) { description.erase("chw"); });
  CHECK_THAT(said(), Catch::Matchers::StartsWith("error: run/model.safetensors: metadata: "));
  write_plain(trained.model(), whole);
  change_model(trained.model(), trained.model(), [](auto& metadata) { metadata.erase("vitrine"); });
  CHECK(said() ==
        "error: run/model.safetensors: holds weights, but not what model they belong to; give a "
        "run, or the model.safetensors of one\n");

  // A program that this version cannot run is no reason not to answer.
  for (const char* program : {"{", "{\"format\": 2}", "{\"format\": 1, \"refusal\": \"why\"}"}) {
    write_plain(trained.model(), whole);
    change_model(trained.model(), trained.model(),
                 [&](auto& metadata) { metadata["program"] = program; });
    CHECK(trained.json({"run"}, true) == right);
  }
}

TEST_CASE("images are padded with the colour that the model was trained with") {
  const ConfigFolder folder(
      "name: padded\n"
      "dataset: {type: folder, path: photos, size: 16, resize: pad, background: '#204060'}\n"
      "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
      "training: {epochs: 1, batch_size: 4}\n");
  for (uint32_t i = 0; i < 8; ++i) {
    const fs::path place = folder / "photos" / (i < 6 ? "train" : "test") / (i % 2 ? "cat" : "dog");
    fs::create_directories(place);
    write_plain(place / (std::to_string(i) + ".png"), encode_png(noise(20, 16, 3, i)));
  }
  write_plain(folder / "image.png", encode_png(noise(30, 16, 3, 9)));
  Image inverted = noise(30, 16, 3, 9);
  for (uint8_t& value : inverted.pixels) value = static_cast<uint8_t>(255 - value);
  write_plain(folder / "inverted.png", encode_png(inverted));
  REQUIRE(folder.run({"small.yaml", "--run-dir", "run"}).code == 0);
  const auto answer = [&](const std::string& image, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"predict", "run", image, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Result result = folder.run(words);
    REQUIRE(result.code == 0);
    return Json::parse(result.out)[0]["tasks"].dump();
  };
  const std::string trained = answer("image.png", {});
  CHECK(answer("image.png", {"--background", "#204060"}) == trained);
  CHECK(answer("image.png", {"--background", "white"}) != trained);
  CHECK(answer("image.png", {"--checkpoint", "last"}) == trained);
  CHECK(answer("inverted.png", {"--invert"}) == trained);
}

}  // namespace
}  // namespace vitrine
