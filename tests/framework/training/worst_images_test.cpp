#include "framework/training/worst_images.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include "framework/images/decode.h"
#include "framework/runs/test_file.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json entry(int index, const Json& target, const Json& predicted) {
  return {{"index", index}, {"target", target}, {"predicted", predicted}};
}

std::vector<std::string> names_in(const fs::path& folder) {
  return fs::exists(folder) ? Folder::open(folder).names() : std::vector<std::string>();
}

TEST_CASE("the worst images are pictures whose names tell rank, classes and image") {
  const TemporaryFolder folder;
  const Folder run = Folder::open(folder.path());
  Json tasks = {
      {"kind",
       {{"worst",
         {entry(12, "cat", "Dog, \"big\"/../\xc3\xa9"), entry(3, std::string(60, 'x'), "cat")}}}}};
  const Tensor images = at::arange(2 * 3 * 2 * 4).to(at::kByte).view({2, 3, 2, 4});
  write_worst_images(run, tasks, {{"kind", images}});
  const std::vector<std::string> names = {
      "01-cat-taken-for-Dog_big_.._-image-12.png",
      "02-" + std::string(40, 'x') + "-taken-for-cat-image-3.png"};
  CHECK(names_in(folder / "worst") == names);
  for (size_t i = 0; i < 2; ++i) {
    const Json& told = tasks["kind"]["worst"][i];
    CHECK(told["file"] == "worst/" + names[i]);
    const Image image = decode_image(read_worst_image(folder.path(), told), "image");
    CHECK(image.width == 4);
    CHECK(image.height == 2);
    const int first = static_cast<int>(24 * i);
    CHECK(std::vector<int>(image.pixels.begin(), image.pixels.begin() + 6) ==
          std::vector<int>{first, first + 8, first + 16, first + 1, first + 9, first + 17});
  }
}

TEST_CASE("of several tasks pictures begin with the task's name, and values are rounded") {
  const TemporaryFolder folder;
  Json tasks = {{"kind", {{"worst", {entry(0, "a", "b")}}}},
                {"age", {{"worst", {entry(0, {{"label", 0.123456}}, {{"label", -2}})}}}},
                {"parts", {{"labels", Json::array()}}}};
  const Tensor image = at::full({1, 1, 2, 2}, 7).to(at::kByte);
  write_worst_images(Folder::open(folder.path()), tasks, {{"kind", image}, {"age", image}});
  CHECK(names_in(folder / "worst") ==
        std::vector<std::string>{"age-01-0.1235-taken-for--2-image-0.png",
                                 "kind-01-a-taken-for-b-image-0.png"});
}

TEST_CASE("of images that are neither grey nor coloured there are no pictures") {
  const TemporaryFolder folder;
  Json tasks = {{"kind", {{"worst", {entry(0, "a", "b")}}}}};
  write_worst_images(Folder::open(folder.path()), tasks,
                     {{"kind", at::full({1, 5, 2, 2}, 7).to(at::kByte)}});
  CHECK_FALSE(tasks["kind"]["worst"][0].contains("file"));
  CHECK_FALSE(fs::exists(folder / "worst"));
  remove_other_worst_images(Folder::open(folder.path()), tasks);
}

TEST_CASE("those of an earlier test stay until the next one is told, and nothing else goes") {
  const TemporaryFolder folder;
  const Folder run = Folder::open(folder.path());
  const Tensor images = at::arange(8).to(at::kByte).view({2, 1, 2, 2});
  Json before = {{"kind", {{"worst", {entry(4, "a", "b"), entry(5, "a", "b")}}}}};
  write_worst_images(run, before, {{"kind", images}});
  write_plain(folder / "worst/mine.png", "mine");
  write_plain(folder / "worst/.01-a-taken-for-b-image-4.png.0123abcd.part",
              "of one that was killed");
  Json after = {{"kind", {{"worst", {entry(5, "a", "b"), entry(4, "a", "b")}}}}};
  write_worst_images(run, after, {{"kind", images.flip(0)}});
  for (const Json* tasks : {&before, &after}) {
    for (const Json& one : (*tasks)["kind"]["worst"]) {
      const Image image = decode_image(read_worst_image(folder.path(), one), "image");
      CHECK(image.pixels[0] == (one["index"] == 4 ? 0 : 4));
    }
  }
  remove_other_worst_images(run, after);
  CHECK(names_in(folder / "worst") == std::vector<std::string>{"01-a-taken-for-b-image-5.png",
                                                               "02-a-taken-for-b-image-4.png",
                                                               "mine.png"});
  // What was cut off is no picture of that name.
  write_plain(folder / "worst/01-a-taken-for-b-image-5.png", "cut");
  write_worst_images(run, after, {{"kind", images.flip(0)}});
  CHECK(decode_image(read_worst_image(folder.path(), after["kind"]["worst"][0]), "i").pixels[0] ==
        4);
}

}  // namespace
}  // namespace vitrine
