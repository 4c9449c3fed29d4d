#include "framework/data/shared_images.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include "framework/data/image_files.h"
#include "framework/images/encode.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

constexpr uint64_t kMuch = uint64_t{1} << 30;

// Images of 1 x 1 x 2 pixels, told by their first one.
Split held(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return {at::tensor(values).view({count, 1, 1, 1}).expand({count, 1, 1, 2}).to(at::kByte)};
}

SharedSearch search(const std::vector<NamedSplit>& splits, uint64_t most = kMuch) {
  return find_shared(
      splits, 2, most, [] { return false; }, [](int64_t, int64_t) {});
}

TEST_CASE("held images that stand in two splits are found, each once") {
  const SharedSearch found = search({{"train", held({1, 2, 3, 3, 4})},
                                     {"validation", held({4, 9})},
                                     {"test", held({3, 7, 4, 3, 2})}});
  CHECK(found.unread == 0);
  REQUIRE(found.shared.size() == 3);
  CHECK(found.shared[0].split == "validation");
  CHECK(found.shared[0].other == "train");
  CHECK(found.shared[0].images == 1);
  const SharedImages& test = found.shared[1];
  CHECK(test.split == "test");
  CHECK(test.other == "train");
  CHECK(test.images == 4);
  REQUIRE(test.first.size() == 2);
  CHECK(test.first[0].number == 0);
  CHECK(test.first[0].other == 2);
  CHECK(test.first[0].name == "test image 0");
  CHECK(test.first[0].other_name == "train image 2");
  CHECK(test.first[1].number == 2);
  CHECK(found.shared[2].other == "validation");
  CHECK(found.shared[2].first[0].number == 2);
}

TEST_CASE("splits of one set are told by their rows") {
  Split train = held({5, 6, 5}), rest = train;
  train.rows = at::tensor({int64_t{0}, int64_t{1}});
  rest.rows = at::tensor({int64_t{2}});
  const SharedSearch found = search({{"train", train}, {"validation", rest}});
  REQUIRE(found.shared.size() == 1);
  CHECK(found.shared[0].first[0].number == 0);
  CHECK(found.shared[0].first[0].other == 0);
}

TEST_CASE("of files only those are read that are as long as others, and only so many") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& bytes) {
    write_plain(folder / name, bytes);
    return name;
  };
  const auto split = [&](std::vector<std::string> names) {
    Split out;
    out.source = std::make_shared<ImageFiles>(
        folder.path(), std::make_shared<std::vector<std::string>>(std::move(names)), 3, kWhite);
    return out;
  };
  // Files that are no images are as good.
  const Split train = split({write("a", "12345"), write("b", "1234"), write("c", "1")}),
              test = split({write("d", "12346"), write("e", "1234"), write("f", "12")});
  const SharedSearch found = search({{"train", train}, {"test", test}});
  CHECK(found.unread == 0);
  REQUIRE(found.shared.size() == 1);
  CHECK(found.shared[0].images == 1);
  CHECK(found.shared[0].first[0].name == (folder / "e").string());
  CHECK(found.shared[0].first[0].other_name == (folder / "b").string());
  const SharedSearch less = search({{"train", train}, {"test", test}}, 17);
  CHECK(less.shared.size() == 1);
  CHECK(less.unread == 2);  // a and d
  const auto stopped = find_shared(
      {{"train", train}, {"test", test}}, 2, kMuch, [] { return true; }, [](int64_t, int64_t) {});
  CHECK(stopped.shared.empty());
}

}  // namespace
}  // namespace vitrine
