#include <set>

#include "framework/files/safetensors.h"
#include "tests/framework/cli/support.h"

// What a test leaves of a run besides its values.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

// That test.json names, and that there are.
std::set<std::string> named_in(const fs::path& run) {
  std::set<std::string> out;
  const Json test = json_of(run / "test.json");
  for (const Json& image : test["tasks"]["class"]["worst"])
    out.insert(image.at("file").get<std::string>());
  return out;
}
std::set<std::string> files_in(const fs::path& run) {
  std::set<std::string> out;
  for (const auto& entry : fs::directory_iterator(run / "worst"))
    out.insert("worst/" + entry.path().filename().string());
  return out;
}

TEST_CASE("the worst images of a run lie in its folder, and a run that goes on replaces them") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "dataset.test=200"}).code == 0);
  const auto first = named_in(desk / "run");
  CHECK(first.size() == 64);
  CHECK(files_in(desk / "run") == first);
  const Json worst = json_of(desk / "run/test.json")["tasks"]["class"]["worst"][0];
  CHECK(worst["file"] == "worst/01-" + worst["target"].get<std::string>() + "-taken-for-" +
                             worst["predicted"].get<std::string>() + "-image-" +
                             std::to_string(worst["index"].get<int>()) + ".png");
  const Result tested = desk.run({"test", "run"});
  CHECK_THAT(tested.out,
             Contains("\nthe images that went most wrong: run/worst\nweights of step-"));
  CHECK_FALSE(desk.run({"test", "run", "dataset.limit_test=100"}).out.find("worst") !=
              std::string::npos);
  // As a test that was killed would leave them.
  desk.write("run/worst/01-0-taken-for-1-image-99999.png", "cut");
  REQUIRE(desk.run({"resume", "run", "training.epochs=9", "optimizer.lr=0.05"}).code == 0);
  const auto second = named_in(desk / "run");
  CHECK(second != first);
  CHECK(files_in(desk / "run") == second);
}

TEST_CASE("what stands in the way of the worst images ends a run in words, and it goes on") {
  const Desk desk;
  REQUIRE(desk.run({"a.yaml", "--run-dir", "run", "--stop-after", "1"}).code == 75);
  fs::create_directory(desk / "others");
  fs::create_directory_symlink(desk / "others", desk / "run/worst");
  CHECK_THAT(desk.error(ExitCode::kFailed, {"resume", "run"}), Contains("run/worst"));
  CHECK(fs::is_empty(desk / "others"));
  fs::remove(desk / "run/worst");
  REQUIRE(desk.run({"resume", "run"}).code == 0);
  CHECK(files_in(desk / "run") == named_in(desk / "run"));
}

// Images of 4 x 4 pixels, two of each of so many classes.
std::string many_classes(int64_t classes) {
  std::string train, test, labels;
  for (int64_t i = 0; i < 2 * classes; ++i) {
    for (int64_t k = 0; k < 16; ++k) {
      train += static_cast<char>(i * (k + 3) % 251);
      test += static_cast<char>(i * (k + 5) % 241);
    }
    const int64_t label = i % classes;
    labels.append(reinterpret_cast<const char*>(&label), sizeof label);
  }
  const std::vector<int64_t> shape = {2 * classes, 4, 4};
  return write_safetensors({{"train/images", DType::kU8, shape, train},
                            {"train/labels", DType::kI64, {2 * classes}, labels},
                            {"test/images", DType::kU8, shape, test},
                            {"test/labels", DType::kI64, {2 * classes}, labels}},
                           {});
}

TEST_CASE("of many classes test.json holds the pairs that are confused most often") {
  const Desk desk;
  desk.write("d.safetensors", many_classes(3001));
  const auto trained = [&](const std::string& name, const std::string& more) {
    const Result result =
        desk.run({"a.yaml", "--run-dir", name, "dataset={type: arrays, path: d.safetensors}",
                  "model.n_patches=2", "model.hidden_d=4", "training.epochs=1", more});
    INFO(result.err);
    REQUIRE(result.code == 0);
    return json_of(desk / name / "test.json")["tasks"]["class"];
  };
  const Json task = trained("run", "training.batch_size=1000");
  CHECK_FALSE(task.contains("confusion"));
  REQUIRE(task["classes"].size() == 3001);
  const Json& confused = task["confused"];
  CHECK(confused["what"] ==
        "of more than 100 classes the 1000 pairs that are confused most often, at most");
  CHECK(confused["pairs"].size() == 1000);
  int64_t correct = 0, most = 2;
  for (const Json& each : task["classes"]) {
    CHECK(each["images"] == 2);
    correct += each["correct"].get<int64_t>();
  }
  CHECK(confused["images"] == 6002 - correct);
  CHECK(confused["distinct"] >= 1000);
  for (const Json& pair : confused["pairs"]) {
    CHECK(pair["target"] != pair["predicted"]);
    CHECK(pair["images"].get<int64_t>() <= most);
    most = pair["images"];
  }
  CHECK(fs::file_size(desk / "run/test.json") < 500'000);
  REQUIRE(desk.run({"report", "run"}).code == 0);
  CHECK_THAT(bytes_of(desk / "report.html"), Contains("The 40 of 3,001 classes that are found "
                                                      "least."));
}

}  // namespace
}  // namespace vitrine
