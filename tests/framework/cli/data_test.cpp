#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"

// What a data set holds: a table, or a page.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

TEST_CASE("the classes of a data set are counted for each split") {
  const Desk desk;
  const Result result = desk.run({"data", "a.yaml", "dataset.train=64", "dataset.validation=20"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out,
             StartsWith("digits: 44 images of 1 x 28 x 28 to train, 20 to validate, 64 to test; 10 "
                        "classes, ") &&
                 Contains("\nclass  train  validation  test\n0") &&
                 EndsWith("\nno image is in two splits, byte for byte\n"));
  const Json json = Json::parse(
      desk.run({"data", "a.yaml", "dataset.train=64", "dataset.validation=20", "--json"}).out);
  CHECK(json["images"] == Json{{"train", 44}, {"validation", 20}, {"test", 64}});
  const Json& column = json["columns"][0];
  CHECK(column["name"] == "label");
  CHECK(column["names"][9] == "9");
  for (const auto& [split, images] : json["images"].items()) {
    int64_t sum = 0;
    for (const Json& count : column["images"][split]) sum += count.get<int64_t>();
    CHECK(sum == images);
  }
  CHECK(json["findings"] == Json::array());
  CHECK(json["shared"] == Json::array());
  desk.train("run");
  CHECK(desk.run({"data", "run"}).out == desk.run({"data", "a.yaml"}).out);
}

TEST_CASE("the page of a data set is the same whenever it is made, and other seeds draw others") {
  const Desk desk;
  const std::vector<std::string> words = {
      "data", "a.yaml", "dataset.transforms=[{type: random_crop, padding: 4}, random_erasing]",
      "training.mix=[mixup, cutmix]", "threads=1"};
  const auto page = [&](const std::string& name, const std::string& more) {
    std::vector<std::string> arguments = words;
    arguments.insert(arguments.end(), {more, "-o", name});
    const Result result = desk.run(arguments);
    CHECK(result.err == "");
    CHECK(result.out == "wrote " + name + "\n");
    REQUIRE(result.code == 0);
    return bytes_of(desk / name);
  };
  const std::string first = page("a.html", "seed=1");
  CHECK(page("a.html", "seed=1") == first);
  CHECK(page("c.html", "seed=2") != first);
  CHECK(count_of(first, "<div class=\"contact\">") == 10);
  CHECK(count_of(first, "<div class=\"images mixed\">") == 3);
  CHECK_THAT(first, Contains("<h1>small</h1>") &&
                        Contains("the transforms <code>{type: random_crop, ") &&
                        Contains("mixed by <code>{type: mixup, ") &&
                        Contains("no image is in two splits, byte for byte"));
  CHECK(count_of(first, "<script") == 3);
  CHECK(count_of(first, desk.folder().string()) == 0);
}

class Photos : public ConfigFolder {
 public:
  Photos()
      : ConfigFolder(
            "name: photos\n"
            "dataset: {type: folder, path: photos, size: 16, validation: 0, transforms: "
            "[random_resized_crop, flip, {type: normalize, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, "
            "0.2]}]}\n"
            "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
            "training: {epochs: 1, batch_size: 4}\n") {
    for (int i = 0; i < 20; ++i) write(i < 14 ? "train" : "test", i % 2 ? "cat" : "<dog>", i, i);
  }
  void write(const std::string& split, const std::string& name, int number, int seed) const {
    const fs::path folder = *this / "photos" / split / name;
    fs::create_directories(folder);
    Image image{16 + seed, 20, 3, {}};
    for (int64_t k = 0; k < 3 * image.width * image.height; ++k)
      image.pixels.push_back(static_cast<uint8_t>(k * (seed + 3) + k * k % 17));
    write_plain(folder / (std::to_string(number) + ".png"), encode_png(image));
  }
};

TEST_CASE_METHOD(Photos, "photos in two splits are found, and shown on the page") {
  write("test", "cat", 30, 3);
  const Result result = run({"data", "small.yaml"});
  INFO(result.err);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, EndsWith("\n1 of the 7 test images is in train as well, byte for byte: "
                                  "photos/test/cat/30.png = photos/train/cat/3.png\n"));
  // A folder alone has the same.
  CHECK_THAT(run({"data", "photos"}).out, Contains("1 of the 7 test images is in train as well"));
  const Json json = Json::parse(run({"data", "small.yaml", "--json"}).out);
  CHECK(json["shared"].dump() ==
        R"([{"split":"test","other":"train","images":1,"first":[{"test":6,"train":10}]}])");
  REQUIRE(run({"data", "small.yaml", "-o", "page.html"}).code == 0);
  const std::string page = bytes_of(*this / "page.html");
  CHECK_THAT(page, Contains("title=\"photos/test/cat/30.png = photos/train/cat/3.png\"") &&
                       Contains("<h3>&lt;dog&gt;</h3>") &&
                       Contains("Values that the transforms make, ") &&
                       Contains("are shown from black to white."));
  CHECK(count_of(page, "<dog>") == 0);
}

TEST_CASE_METHOD(Photos, "a page about data is whole or not there") {
  CHECK(run({"data", "small.yaml", "-o", "small.yaml"}).err ==
        "error: small.yaml: it is an HTML page, so its name ends in .html\n");
  CHECK(run({"data", "small.yaml", "-o", "none/page.html"}).err ==
        "error: cannot write none/page.html: No such file or directory\n");
  CHECK_THAT(run({"data", "small.yaml", "dataset.sice=3"}).err, Contains("unknown key"));
  write_plain(*this / "photos/train/cat/1.png", "no image");
  const Result broken = run({"data", "small.yaml", "-o", "page.html"});
  CHECK(broken.code == 3);
  CHECK_THAT(broken.err, StartsWith("error: photos/train/cat/1.png: "));
  CHECK_FALSE(fs::exists(*this / "page.html"));
}

TEST_CASE("Ctrl-C ends a look at data without a trace") {
  const Desk desk;
  fs::create_directory(desk / "out");
  Process process(runner_command({"data", "a.yaml", "dataset.train=300000", "-o", "out/p.html"}),
                  desk.folder(), isolated(desk.folder()));
  // The engine is loaded once signals are taken.
  const std::string loaded = "/proc/" + std::to_string(process.id()) + "/maps";
  while (Process::read(loaded).find("libvitrine_engine") == std::string::npos) {
    REQUIRE_FALSE(has_ended(process));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  process.send(SIGINT);
  const Result result = process.wait();
  CHECK(result.code == 130);
  CHECK(result.out == "stopped before all was looked at\n");
  CHECK(fs::is_empty(desk / "out"));
}

TEST_CASE("a key of a config is taken back before its data are looked at") {
  const Desk desk;
  const Result result = desk.run({"data", "a.yaml", "dataset.train=100", "--unset",
                                  "dataset.validation", "--unset", "dataset.test", "--json"});
  CHECK(result.err == "");
  REQUIRE(result.code == 0);
  CHECK(Json::parse(result.out)["images"] == Json{{"train", 100}, {"test", 10000}});
}

TEST_CASE("on a terminal it is told how many images have been read") {
  const Desk desk;
  for (const char* name : {"train/a", "train/b", "test/a", "test/b"})
    fs::create_directories(desk / "photos" / name);
  for (int i = 0; i < 3; ++i) {
    Image image{8, 8, 1, std::vector<uint8_t>(64, 7)};
    image.pixels[0] = static_cast<uint8_t>(i);
    for (const char* name : {"train/a/", "train/b/", "test/a/", "test/b/"})
      write_plain(desk / "photos" / (name + std::to_string(i) + ".png"), encode_png(image));
  }
  desk.write("steps", "");
  const Result result =
      Process({"bash", "-c",
               "python3 " VITRINE_SOURCE_DIR "/tests/terminal.py 100x30 " VITRINE_BINARY_DIR
               "/runner data photos < steps"},
              desk.folder(), {{"TERM", "xterm"}, {"NO_COLOR", "1"}})
          .wait();
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("\rreading 0 of 12 images\r") ||
                             Contains("\r\033[Kreading 0 of 12 images\r\033[K"));
  CHECK(desk.run({"data", "photos"}).out.find("reading") == std::string::npos);
}

}  // namespace
}  // namespace vitrine
