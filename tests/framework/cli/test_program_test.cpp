#include "tests/framework/cli/programs.h"
#include "tests/framework/cli/results.h"
#include "tests/framework/cli/support.h"

// `test` by the program in a run's model file, without the parts that it was trained with.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

struct Tested : Desk {
  void train(const std::vector<std::string>& overrides) const {
    write("c.yaml", kSmallConfig);
    std::vector<std::string> words = {"c.yaml", "--run-dir", "run"};
    words.insert(words.end(), overrides.begin(), overrides.end());
    const Result result = run(words);
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  fs::path model() const { return *this / "run/model.safetensors"; }
  // What a test tells, and its table of answers.
  std::string told(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"test", "run", "--json", "--predictions", "answers.csv"};
    words.insert(words.end(), more.begin(), more.end());
    const Result result = run(words);
    INFO(result.err);
    REQUIRE(result.code == 0);
    return result.out + bytes_of(*this / "answers.csv");
  }
  // The same by the parts alone.
  std::string told_by_parts(const std::vector<std::string>& more = {}) const {
    const std::string whole = bytes_of(model());
    remove_program(model(), model());
    std::string out = told(more);
    write_plain(model(), whole);
    return out;
  }
  // A plug-in beside the config, which may go.
  fs::path part() const { return *this / "parts.so"; }
  void train_with_part(const std::vector<std::string>& more = {}) const {
    fs::copy_file(VITRINE_BINARY_DIR "/test_plugin_squared.so", part());
    std::vector<std::string> overrides = {"plugins=[parts.so]", "model.mlp=squared"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    train(overrides);
  }
};

TEST_CASE("a test by the program tells what one by the parts does, to the bit") {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"model.block={type: pre_norm, dropout: 0.1}", "training.ema_decay=0.9"},
      {"model={type: lenet}"},
      {"model.tasks=[{name: digit, target: label}, {name: large, target: {above: 5}, loss: "
       "focal}]"},
      {"experiment=distillation"},
      {"backend=layers"}};
  for (const auto& overrides : cases) {
    INFO((overrides.empty() ? "as it is" : overrides[0]));
    const Tested tested;
    if (!overrides.empty() && overrides[0].starts_with("experiment")) {
      tested.train({});
      fs::rename(tested / "run", tested / "teacher");
      tested.train({"experiment={type: distillation, teacher: teacher}"});
    } else {
      tested.train(overrides);
    }
    const std::string by_program = tested.told();
    CHECK(by_program == tested.told_by_parts());
    CHECK(tested.told({"dataset.limit_test=20"}) ==
          tested.told_by_parts({"dataset.limit_test=20"}));
    // It stands for the checkpoint that the run tested, and needs none.
    fs::remove_all(tested / "run/checkpoints");
    if (overrides != std::vector<std::string>{"backend=layers"}) CHECK(tested.told() == by_program);
  }
}

TEST_CASE("a run whose plug-in is gone is tested by its program") {
  const Tested tested;
  tested.train_with_part();
  const std::string before = tested.told();
  CHECK(before == tested.told_by_parts());
  fs::remove(tested.part());
  const Result result = tested.run({"test", "run", "--json", "--predictions", "answers.csv"});
  CHECK(result.code == 0);
  CHECK(result.out + bytes_of(tested / "answers.csv") == before);
  CHECK(result.err == "warning: plug-in " + tested.part().string() +
                          ": no such file; the model is tested by its program\n");
}

TEST_CASE("in libtorch, too, a plug-in that is gone is not missed") {
  const Tested tested;
  tested.train_with_part({"backend=layers"});
  fs::remove(tested.part());
  CHECK(tested.run({"test", "run"}).code == 0);
}

TEST_CASE("where there is no program, or the model is changed, a plug-in that is gone is missed") {
  const Tested tested;
  tested.train_with_part();
  fs::remove(tested.part());
  const std::string missed = "error: plug-in " + tested.part().string() + ": no such file\n";
  const Result changed = tested.run({"test", "run", "model.weights=other.safetensors"});
  CHECK(changed.code == 6);
  CHECK(changed.err == missed);
  remove_program(tested.model(), tested.model());
  const Result result = tested.run({"test", "run"});
  CHECK(result.code == 6);
  CHECK(result.err == missed);
}

TEST_CASE("a plug-in that is gone is missed where more than the model is its own") {
  const Tested tested;
  fs::copy_file(VITRINE_BINARY_DIR "/test_plugin_forgetful.so", tested.part());
  tested.train({"plugins=[parts.so]", "loss=warming"});
  fs::remove(tested.part());
  const Result result = tested.run({"test", "run"});
  CHECK(result.code == 6);
  CHECK(result.err == "error: plug-in " + tested.part().string() + ": no such file\n");
}

TEST_CASE("a run that goes on is tested by its checkpoints") {
  const Tested tested;
  tested.train({});
  const Result resumed = tested.run({"resume", "run", "training.epochs=3", "training.max_steps=7"});
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(tested.told() == tested.told_by_parts());
  CHECK(tested.told({"--checkpoint", "last"}) == tested.told_by_parts({"--checkpoint", "last"}));
}

}  // namespace
}  // namespace vitrine
