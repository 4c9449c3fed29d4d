// libvitrine_infer answers as the training kernel does, for every registered component, without a
// list, and refuses what it cannot run in words.
#include <fmt/format.h>

#include <random>
#include <thread>
#include <vitrine_infer.hpp>

#include "framework/files/sealed.h"
#ifdef __x86_64__
#include "framework/infer/instruction_sets.h"
#endif
#include "framework/registry/register.h"
#include "framework/simd/gemm.h"
#include "framework/training/metric.h"
#include "models/heads.h"
#include "tests/models/agreement.h"
#include "tests/models/random_model.h"

namespace vitrine {
namespace {

const Registry& registry() { return Registry::instance(); }

// Products by our own kernel, which is all that the library has.
struct WithoutBlas {
  WithoutBlas() { simd::use_gemm(nullptr); }
};
const WithoutBlas without_blas;

// Computes with numbers that are no weights of its own.
class Tabled : public ModelWithHeads {
 public:
  struct Options : HeadsOptions {
    void visit(Fields& field) {
      ModelOptions::visit(field);
      visit_heads(field);
    }
    void check(const ModelContext& images, Check& check) const { check_tasks(images, check); }
  };
  Tabled(const Options& options, const ModelContext& images)
      : factors_(at::linspace(-1, 1, images.channels * images.height * images.width)) {
    add_heads(options, factors_.numel(), images);
  }
  Value features(const Value& images) override {
    return patches(images, 1, 1) * table(factors_.unsqueeze(0));
  }

 private:
  Tensor factors_;
};
VITRINE_REGISTER(Model, Tabled, Tabled::Options, "pixels times fixed factors")

Config config_of(const Choice<Model>& model, const std::string& transforms) {
  Config config;
  Problems problems;
  const Node dataset =
      parse_yaml("dataset: {type: digits, transforms: " + transforms + "}", "test.yaml");
  config.dataset.read(*dataset.find("dataset"), "dataset", problems);
  config.model = model;
  REQUIRE(problems.text("test.yaml") == "");
  return config;
}

// A model with what a run leaves of it.
class Saved : public TemporaryFolder {
 public:
  Saved(const std::string& yaml, const ModelContext& images, const std::string& transforms = "[]")
      : context(images) {
    at::manual_seed(1);
    Problems problems;
    const Choice<Model> choice = read_model(yaml, problems);
    choice.check(images, problems);
    REQUIRE(problems.text("test.yaml") == "");
    model = choice.create(images);
    const at::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.add_(at::randn(parameter.sizes()), 0.1);
    const DatasetInfo info{images.channels, images.height, images.width, images.columns};
    save_model(file(), *model, config_of(choice, transforms), info);
    model->eval();
  }

  std::string file() const { return *this / "model.safetensors"; }
  std::vector<Tensor> outputs(const Tensor& images) const {
    const at::NoGradGuard no_grad;
    return outputs_of(model, images, kFused);
  }

  ModelContext context;
  std::shared_ptr<Model> model;
};

std::vector<uint8_t> bytes_of(const Tensor& images) {
  const auto* begin = images.const_data_ptr<uint8_t>();
  return {begin, begin + images.numel()};
}

// [B, outputs of all tasks]
Tensor tensor_of(const std::vector<float>& numbers, int64_t batch) {
  return at::tensor(numbers).view({batch, -1});
}

void check_answers(const Saved& saved, int64_t batch, int threads = 1) {
  CAPTURE(batch);
  const vitrine_infer::Model loaded(saved.file());
  const Tensor images = bytes_for(saved.context, batch);
  const auto answers = loaded.run(bytes_of(images), VITRINE_RAW, threads);
  CHECK(same_bits(tensor_of(answers, batch), at::cat(saved.outputs(images), 1)));
}

void check_random(const std::string& type, const std::string& kind, const std::string& name,
                  std::mt19937& generator) {
  RandomModel made(type, generator);
  made.compose(kind, name);
  INFO(made.yaml());
  const Saved saved(made.yaml(), made.images());
  for (const auto& [least, most] : {std::pair(1, 4), std::pair(9, 40)})
    check_answers(saved, std::uniform_int_distribution<int64_t>(least, most)(generator));
}

std::string refusal_of(const std::string& file) {
  try {
    const vitrine_infer::Model model(file);
  } catch (const vitrine_infer::Error& error) {
    return error.what();
  }
  return "";
}

// The file with another program, sealed again.
void change_program(const std::string& path, const std::function<void(nlohmann::json&)>& change) {
  const Safetensors file = Safetensors::load(std::filesystem::path(path), 1 << 30);
  auto metadata = file.metadata();
  metadata.erase("sha256");
  nlohmann::json program = nlohmann::json::parse(metadata.at("program"));
  change(program);
  metadata["program"] = program.dump();
  write_plain(path, write_sealed_safetensors(file.tensors(), metadata));
}

#ifdef __x86_64__
TEST_CASE("the library chooses among instruction sets as Highway does") {
  CHECK(infer::supported_targets() ==
        (hwy::SupportedTargets() & (HWY_EMU128 | HWY_SSE4 | HWY_AVX2 | HWY_AVX3)));
}
#endif

TEST_CASE("every model answers with the same bits, over random compositions of every part") {
  std::mt19937 generator(11);
  for (const std::string& type : registry().names(Model::kKind)) {
    check_random(type, "", "", generator);
    for (const Node& option : resolved_model("{type: " + type + "}").children) {
      for (const std::string& name : registry().names(option.key))
        check_random(type, option.key, name, generator);
    }
  }
}

TEST_CASE(
    "the tutorial's model and wide ones answer with the same bits for any batch and threads") {
  for (const char* yaml :
       {kTutorial, "{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 192, n_heads: 3}",
        "{type: mixer, n_patches: 7, hidden_d: 96, n_blocks: 2}", "{type: lenet}"}) {
    INFO(yaml);
    const Saved saved(yaml, images_of(1, 28, 28));
    for (const int64_t batch : {1, 7, 8, 33, 128}) {
      for (const int threads : {1, 2, 3}) check_answers(saved, batch, threads);
    }
  }
}

TEST_CASE("no images have no answers") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  CHECK(vitrine_infer::Model(saved.file()).run(std::vector<uint8_t>()).empty());
}

TEST_CASE("images are normalized as in training") {
  const Saved saved("{type: lenet}", images_of(3, 32, 32),
                    "[{type: normalize, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25]}, "
                    "{type: normalize, mean: 0.1, std: 3}, random_shift]");
  const Tensor images = bytes_for(saved.context, 5);
  const Tensor floats = images.to(at::kFloat).div(255);
  const auto row = [](std::vector<float> numbers) {
    return at::tensor(numbers).view({1, 3, 1, 1});
  };
  const Tensor wanted = floats.sub(row({0.4F, 0.5F, 0.6F})).div(row({0.2F, 0.3F, 0.25F}));
  const Tensor outputs = saved.outputs(wanted.sub(at::full({}, 0.1F)).div(at::full({}, 3.0F)))[0];
  const vitrine_infer::Model loaded(saved.file());
  CHECK(same_bits(tensor_of(loaded.run(bytes_of(images), VITRINE_RAW), 5), outputs));
  const auto* begin = floats.const_data_ptr<float>();
  const std::vector<float> given(begin, begin + floats.numel());
  CHECK(same_bits(tensor_of(loaded.run(given, VITRINE_RAW), 5), outputs));
}

TEST_CASE("tasks are told with their names, and answered with probabilities or values") {
  ModelContext images = images_of(1, 28, 28, 3);
  images.columns.push_back({"tags", LabelColumn::Kind::kLabels, {"big", "red"}});
  images.columns.push_back({"size", LabelColumn::Kind::kValues, {"width", "height", "depth"}});
  images.columns[0].name = "kind";
  const Saved saved(
      "{type: lenet, tasks: [{name: kind, column: kind}, {name: tags, column: tags}, "
      "{name: size, column: size}]}",
      images);
  const vitrine_infer::Model loaded(saved.file());
  REQUIRE(loaded.tasks().size() == 3);
  CHECK(loaded.tasks()[0].kind == VITRINE_CLASSES);
  CHECK(loaded.tasks()[0].names == std::vector<std::string>{"0", "1", "2"});
  CHECK(loaded.tasks()[1].kind == VITRINE_LABELS);
  CHECK(loaded.tasks()[1].names == std::vector<std::string>{"big", "red"});
  CHECK(loaded.tasks()[2].kind == VITRINE_VALUES);
  CHECK(loaded.tasks()[2].name == saved.model->tasks()[2].name);
  CHECK(loaded.tasks()[2].first == 5);
  CHECK(loaded.outputs() == 8);
  CHECK(loaded.image() == std::array<size_t, 3>{1, 28, 28});

  const Tensor pixels = bytes_for(images, 9);
  const auto outputs = saved.outputs(pixels);
  const Tensor answers = tensor_of(loaded.run(bytes_of(pixels)), 9);
  for (size_t i = 0; i < 2; ++i) {
    const auto first = static_cast<int64_t>(loaded.tasks()[i].first);
    const Tensor part = answers.narrow(1, first, outputs[i].size(1));
    CHECK(largest_difference(part, probabilities_of(outputs[i], saved.model->tasks()[i])) < 1e-6);
  }
  CHECK(same_bits(answers.narrow(1, 5, 3), outputs[2]));
  const int64_t best = outputs[0][0].argmax().item<int64_t>();
  CHECK(loaded.best(answers.const_data_ptr<float>()) == std::to_string(best));
}

TEST_CASE("a head that gives probabilities is left as it is") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  const Tensor pixels = bytes_for(saved.context, 4);
  const vitrine_infer::Model loaded(saved.file());
  CHECK(loaded.run(bytes_of(pixels)) == loaded.run(bytes_of(pixels), VITRINE_RAW));
}

TEST_CASE("several threads use one model") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  const vitrine_infer::Model loaded(saved.file());
  const auto pixels = bytes_of(bytes_for(saved.context, 24));
  const auto wanted = loaded.run(pixels);
  std::vector<std::vector<float>> answers(4);
  std::vector<std::thread> threads;
  for (auto& answer : answers)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) answer = loaded.run(pixels, VITRINE_PROBABILITIES, 2);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) CHECK(answer == wanted);
}

TEST_CASE("numbers that are no weights come with the program, and are none of the model's") {
  const Saved saved("{type: inference_test}", images_of(1, 9, 9));
  const Safetensors file = Safetensors::load(std::filesystem::path(saved.file()), 1 << 30);
  const TensorView* own = file.find("program.constant.2");
  REQUIRE(own);
  CHECK(own->shape == std::vector<int64_t>{1, 81});
  CHECK_FALSE(tensors_of(file).contains("program.constant.2"));
  check_answers(saved, 5);
  const ModelFile loaded = load_model(std::filesystem::path(saved.file()));
  const Tensor pixels = bytes_for(saved.context, 3);
  const at::NoGradGuard no_grad;
  CHECK(same_bits(outputs_of(loaded.model, pixels, kFused)[0], saved.outputs(pixels)[0]));
}

TEST_CASE("numbers may lie anywhere in a file") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  const Safetensors file = Safetensors::load(std::filesystem::path(saved.file()), 1 << 30);
  auto metadata = file.metadata();
  metadata.erase("sha256");
  const std::string bytes = write_safetensors(file.tensors(), metadata);
  for (size_t blanks = 0; blanks < 4; ++blanks) {
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const uint64_t longer = header + blanks;
    std::string moved(reinterpret_cast<const char*>(&longer), sizeof longer);
    moved += bytes.substr(8, header) + std::string(blanks, ' ') + bytes.substr(8 + header);
    write_plain(saved.file(), moved);
    check_answers(saved, 3);
  }
}

TEST_CASE("files that cannot be run are refused in words") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  const std::string file = saved.file();
  const std::string bytes = read_file(std::filesystem::path(file), 1 << 30);
  CHECK(refusal_of(file + "s") == "cannot read " + file + "s: No such file or directory");
  write_plain(file, bytes.substr(0, bytes.size() - 4));
  CHECK(refusal_of(file) ==
        file + fmt::format(": the SHA-256 of its {} bytes is not the recorded one: it was cut, "
                           "changed or damaged",
                           bytes.size() - 4));
  write_plain(file, "");
  CHECK(refusal_of(file) == file + ": truncated: 0 bytes, a safetensors file begins with 8");

  const auto refusal_with = [&](const std::function<void(nlohmann::json&)>& change) {
    write_plain(file, bytes);
    change_program(file, change);
    const std::string said = refusal_of(file);
    REQUIRE_THAT(said, StartsWith(file + ": program: "));
    return said.substr(file.size() + 11);
  };
  CHECK(refusal_with([](auto& p) { p["format"] = 2; }) == "this version reads format 1");
  CHECK(refusal_with([](auto& p) { p["refusal"] = "a reason"; }) == "the model has none: a reason");
  CHECK(refusal_with([](auto& p) {
          p["image"] = {1, 28};
        }) == "image: expected channels, height and width");
  CHECK(refusal_with([](auto& p) { p["image"][2] = 30; }) ==
        "step 0: patches: 7 x 7 patches of an image of 28 x 30 pixels");
  CHECK(refusal_with([](auto& p) { p["steps"][0]["operation"] = "melt"; }) ==
        "step 0: this version knows no operation melt");
  CHECK(refusal_with([](auto& p) { p["steps"][1]["inputs"] = {1}; }) ==
        "step 1: inputs: expected an integer from 0 to 0, got 1");
  CHECK(refusal_with([](auto& p) {
          p["steps"][1]["inputs"] = {0, 0};
        }) == "step 1: linear: 2 inputs are too many or too few");
  CHECK(refusal_with([](auto& p) { p["steps"][1]["parameters"][0] = "nothing"; }) ==
        "step 1: parameters: there is no tensor nothing of float32");
  CHECK(refusal_with([](auto& p) { p["steps"][1]["parameters"][0] = nullptr; }) ==
        "step 1: linear: parameter 0 is missing");
  CHECK(refusal_with([](auto& p) {
          p["steps"][1]["operation"] = "dropout";
          p["steps"][1]["parameters"] = nlohmann::json::array();
          p["steps"][1]["numbers"] = {0.5, 0, 0};
        }) == "step 1: dropout computes from more than images and weights");
  CHECK(refusal_with([](auto& p) { p["tasks"][0]["names"].push_back("more"); }) ==
        "task class: 11 names for 10 outputs");
  CHECK(refusal_with([](auto& p) { p["outputs"] = nlohmann::json::array(); }) ==
        "1 tasks, but 0 outputs");
}

TEST_CASE("a model that has no program says why") {
  const Saved saved("{type: lenet}", images_of(1, 28, 28));
  const Safetensors file = Safetensors::load(std::filesystem::path(saved.file()), 1 << 30);
  write_plain(saved.file(), write_safetensors(file.tensors(), {}));
  CHECK(refusal_of(saved.file()) ==
        saved.file() +
            ": program: it carries no program: it is no model of Vitrine's, or of an "
            "earlier version");
}

TEST_CASE("calls that make no sense are refused in words") {
  const Saved saved(kTutorial, images_of(1, 28, 28));
  vitrine_model* model = vitrine_load(saved.file().c_str());
  REQUIRE(model);
  const std::vector<uint8_t> image(784);
  std::vector<float> out(10);
  const auto said = [&](const void* images, int type, size_t size, int answer, int threads) {
    CHECK(vitrine_run(model, images, type, 1, size, answer, threads, out.data()) == -1);
    return std::string(vitrine_error());
  };
  CHECK(said(image.data(), 0, 783, 0, 1) ==
        "an image of 783 numbers: the model takes 1 x 28 x 28 = 784");
  CHECK(said(image.data(), 2, 784, 0, 1) ==
        "vitrine_run: type 2: VITRINE_UINT8 or VITRINE_FLOAT32");
  CHECK(said(image.data(), 0, 784, 5, 1) ==
        "vitrine_run: answer 5: VITRINE_RAW or VITRINE_PROBABILITIES");
  CHECK(said(image.data(), 0, 784, 0, 0) == "threads: 0 is out of range: at least 1");
  CHECK(said(nullptr, 0, 784, 0, 1) == "vitrine_run: no images, or no outputs");
  CHECK(vitrine_task_name(model, 1) == nullptr);
  CHECK(vitrine_task_kind(model, 1) == -1);
  CHECK(vitrine_task_outputs(model, 1) == 0);
  CHECK(vitrine_output_name(model, 0, 10) == nullptr);
  CHECK(vitrine_image(model, 3) == 0);
  vitrine_free(model);
  vitrine_free(nullptr);
  CHECK(vitrine_load(nullptr) == nullptr);
  CHECK(std::string(vitrine_error()) == "vitrine_load: no path");
}

// Whatever is changed in a program, the file is refused or answers.
TEST_CASE("no change of a program does harm") {
  std::mt19937 generator(5);
  const auto any = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(generator);
  };
  for (const char* yaml :
       {"{type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2, position: rope, norm: "
        "rms, "
        "attention: {type: multi_head, qk_norm: true}, n_registers: 1, pooling: attention}",
        "{type: lenet}", "{type: mixer, n_patches: 4, hidden_d: 8, n_blocks: 1}"}) {
    const Saved saved(yaml, images_of(1, 28, 28));
    const std::string bytes = read_file(std::filesystem::path(saved.file()), 1 << 30);
    const auto pixels = bytes_of(bytes_for(saved.context, 3));
    int answered = 0;
    for (int i = 0; i < 400; ++i) {
      write_plain(saved.file(), bytes);
      change_program(saved.file(), [&](nlohmann::json& program) {
        for (int64_t n = any(2); n >= 0; --n) {
          auto& steps = program["steps"];
          auto& step = steps[static_cast<size_t>(any(static_cast<int64_t>(steps.size()) - 1))];
          const double numbers[] = {0, 1, 2, 3, -1, 0.5, 7, 28, 1e6, 2147483648.0, 1e300};
          auto& other = steps[static_cast<size_t>(any(static_cast<int64_t>(steps.size()) - 1))];
          switch (any(4)) {
            case 0:
              step["operation"] = other["operation"];
              break;
            case 1:
              step["inputs"] = other["inputs"];
              break;
            case 2:
              step["parameters"] = other["parameters"];
              break;
            case 3:
              if (auto& given = step["numbers"]; !given.empty())
                given[static_cast<size_t>(any(static_cast<int64_t>(given.size()) - 1))] =
                    numbers[any(10)];
              break;
            default:
              step = other;
          }
        }
      });
      try {
        answered += !vitrine_infer::Model(saved.file()).run(pixels).empty();
      } catch (const vitrine_infer::Error&) {
      }
    }
    CHECK(answered > 0);
    CHECK(answered < 400);
  }
}

}  // namespace
}  // namespace vitrine
