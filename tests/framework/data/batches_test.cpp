#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <atomic>

#include "framework/data/batch_stream.h"
#include "framework/error.h"
#include "framework/images/planes.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

Split numbered() {
  return {at::arange(40, at::kByte).view({10, 1, 2, 2}),
          {at::remainder(at::arange(10, at::kLong), 3), at::arange(20, at::kFloat).view({10, 2})},
          {}};
}

// The same images, read one by one.
class Numbered : public ImageSource {
 public:
  int64_t size() const override { return 10; }
  Image read(int64_t number) const override {
    ++read_count;
    return image_of(numbered().images.data_ptr<uint8_t>() + 4 * number, 1, 2, 2);
  }
  mutable std::atomic<int> read_count = 0;
};

// Adds the epoch; random or not.
class AddEpoch : public Transform {
 public:
  explicit AddEpoch(bool random) : random_(random) {}
  bool is_random() const override { return random_; }
  Tensor forward(const Tensor& images, const BatchPosition& position) override {
    seen = position;
    return images + static_cast<double>(position.epoch);
  }
  BatchPosition seen;

 private:
  bool random_;
};

Preparation with_threads(int threads, std::vector<std::shared_ptr<Transform>> transforms = {}) {
  Preparation out;
  out.transforms = std::move(transforms);
  out.threads = threads;
  return out;
}

const Tensor kIndices = at::tensor({7, 0, 7}, at::kLong);

TEST_CASE("images of another size are batched, and shown, in the size that is asked for") {
  Preparation preparation;
  preparation.size = {1, 1, 1};
  Split streamed = numbered();
  streamed.images = Tensor();
  streamed.source = std::make_shared<Numbered>();
  for (const Split& split : {numbered(), streamed}) {
    const Batches batches(split, preparation, at::kCPU, 0, false);
    const Tensor wanted = at::tensor({30, 2, 30}, at::kByte).view({3, 1, 1, 1});  // means, rounded
    CHECK(at::equal(batches.gather(kIndices, 0).images, wanted));
    CHECK(at::equal(batches.pixels(kIndices), wanted));
  }
}

TEST_CASE("without transforms a batch holds the stored bytes") {
  const Batches batches(numbered(), {}, at::kCPU, 0, true);
  const Batch batch = batches.gather(kIndices, 0);
  CHECK(batches.size() == 10);
  CHECK(batch.size() == 3);
  CHECK(batch.images.scalar_type() == at::kByte);
  CHECK(at::equal(batch.images, numbered().images.index_select(0, kIndices)));
  REQUIRE(batch.labels.size() == 2);
  CHECK(at::equal(batch.labels[0], at::tensor({1, 0, 1}, at::kLong)));
  CHECK(at::equal(batch.labels[1], at::tensor({14.F, 15.F, 0.F, 1.F, 14.F, 15.F}).view({3, 2})));
}

TEST_CASE("transforms are given pixels from 0 to 1 and their position") {
  const auto fixed = std::make_shared<AddEpoch>(false), random = std::make_shared<AddEpoch>(true);
  const Tensor pixels = numbered().images.index_select(0, kIndices).to(at::kFloat) / 255;
  const Batches training(numbered(), {{fixed, random}}, at::kCPU, 11, true);
  CHECK(at::equal(training.gather(kIndices, 4).images, pixels + 4 + 4));
  CHECK(random->seen.seed == 11);
  CHECK(random->seen.epoch == 4);
  CHECK(at::equal(random->seen.indices, kIndices));
  const Batches testing(numbered(), {{fixed, random}}, at::kCPU, 11, false);
  CHECK(at::equal(testing.gather(kIndices, 4).images, pixels + 4));
  const Batches untouched(numbered(), {{random}}, at::kCPU, 11, false);
  CHECK(at::equal(untouched.gather(kIndices, 4).images, pixels));
}

TEST_CASE("images without labels are batches as well") {
  Split split = numbered();
  split.labels.clear();
  CHECK(Batches(split, {}, at::kCPU, 0, true).size() == 10);
  CHECK(Batches(split, {}, at::kCPU, 0, true).gather(kIndices, 0).size() == 3);
  CHECK(Batches(split, {}, at::kCPU, 0, true).gather(kIndices, 0, 2).size() == 3);
  split.source = std::make_shared<Numbered>();
  split.images = Tensor();
  CHECK(Batches(split, {}, at::kCPU, 0, true).size() == 10);
}

Split streamed() {
  Split out = numbered();
  out.images = Tensor();
  out.source = std::make_shared<Numbered>();
  return out;
}

TEST_CASE("images that are read one by one make the same batches, on any number of threads") {
  for (const int threads : {1, 2, 7}) {
    CAPTURE(threads);
    const Batches batches(streamed(), with_threads(threads), at::kCPU, 0, true);
    CHECK(
        at::equal(batches.gather(kIndices, 0).images, numbered().images.index_select(0, kIndices)));
    CHECK(at::equal(batches.pixels(kIndices), numbered().images.index_select(0, kIndices)));
    CHECK(at::equal(batches.gather(kIndices, 0).labels[0], at::tensor({1, 0, 1}, at::kLong)));
  }
}

// What it draws, written over the image.
class Drawn : public ImageTransform {
 public:
  explicit Drawn(uint64_t salt) : ImageTransform({1, 2, 2, salt}) {}
  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    for (uint8_t& pixel : image.pixels) pixel = static_cast<uint8_t>(draws.integer(0, 255));
    return image;
  }
};

TEST_CASE("a transform of images draws for the image's number in the set, in each view anew") {
  const auto drawn = [](int64_t number, uint64_t salt) {
    Draws draws(3, 5, number, salt);
    Tensor out = at::empty({1, 2, 2}, at::kByte);
    for (int64_t i = 0; i < 4; ++i)
      out.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(draws.integer(0, 255));
    return out;
  };
  for (Split split : {numbered(), streamed()}) {
    split.rows = at::tensor({9, 4}, at::kLong);
    for (Tensor& labels : split.labels) labels = labels.index_select(0, split.rows);
    for (const int threads : {1, 3}) {
      const Batches batches(split, with_threads(threads, {std::make_shared<Drawn>(8)}), at::kCPU, 3,
                            true);
      const Batch batch = batches.gather(at::tensor({1, 0}, at::kLong), 5, 2);
      CHECK(at::equal(batch.images,
                      at::stack({drawn(4, 8), drawn(9, 8), drawn(14, 8), drawn(19, 8)})));
      CHECK(at::equal(batch.position.indices, at::tensor({4, 9, 14, 19}, at::kLong)));
      CHECK(at::equal(batches.as_evaluated().gather(at::tensor({0}, at::kLong), 5).images,
                      numbered().images.narrow(0, 9, 1)));
    }
  }
}

// Fails for some of them.
class Broken : public Numbered {
 public:
  Image read(int64_t number) const override {
    if (number >= 6) throw Error(ExitCode::kData, fmt::format("{} is broken", name(number)));
    return Numbered::read(number);
  }
};

TEST_CASE("of several images that cannot be read the first of the batch is told") {
  Split split = streamed();
  split.source = std::make_shared<Broken>();
  for (const int threads : {1, 4}) {
    const Batches batches(split, with_threads(threads), at::kCPU, 0, true);
    const auto message = [&] { batches.gather(at::tensor({0, 8, 7, 6}, at::kLong), 0); };
    CHECK(message_of(ExitCode::kData, message) == "image 8 is broken");
    batches.begin(at::tensor({0, 8, 7, 6}, at::kLong), 0);  // nobody waits for it: no harm
  }
}

TEST_CASE("an image of another size is resized; one of other channels is named") {
  Split split = streamed();
  Preparation wide;
  wide.size = {1, 2, 4};
  const Batches batches(split, wide, at::kCPU, 0, true);
  CHECK(batches.gather(kIndices, 0).images.sizes() == at::IntArrayRef({3, 1, 2, 4}));
  Preparation coloured;
  coloured.size = {3, 2, 2};
  const Batches none(split, coloured, at::kCPU, 0, true);
  CHECK(message_of(ExitCode::kData, [&] { none.gather(kIndices, 0); }) ==
        "image 7: 2 x 2 pixels of 1 channels: all must be 2 x 2 of 3");
}

TEST_CASE("a stream of batches begins at most two ahead, and ends with the images") {
  Split split = streamed();
  const auto counted = std::make_shared<Numbered>();
  split.source = counted;
  const Batches batches(split, {}, at::kCPU, 0, true);
  BatchStream stream(
      batches,
      [](int64_t batch) {
        return batch < 4 ? at::tensor({2 * batch, 2 * batch + 1}, at::kLong) : Tensor();
      },
      1, 0, 1);
  CHECK(stream.position() == 1);
  for (int64_t batch = 1; batch < 4; ++batch) {
    CHECK(at::equal(stream.next().images, numbered().images.narrow(0, 2 * batch, 2)));
    CHECK(stream.position() == batch + 1);
  }
  CHECK(counted->read_count == 6 + 1);  // the first tells the size
}

// Says what it does, as normalize does.
class Scaled : public Transform {
 public:
  std::optional<Normalization> normalization() const override {
    return Normalization{{0.1, 0.6}, {0.3}};
  }
  Tensor forward(const Tensor& images, const BatchPosition&) override {
    shapes.push_back(images.sizes().vec());
    return images.sub(at::tensor({0.1F, 0.6F}).view({1, 2, 1, 1})).div_(0.3F);
  }
  std::vector<std::vector<int64_t>> shapes;
};

TEST_CASE("a transform that only normalizes gives the bits that it would give of all images") {
  const Split split = {
      at::remainder(at::arange(9 * 2 * 220 * 219).mul(7), 253).to(at::kByte).view({9, 2, 220, 219}),
      {},
      {}};
  const auto scaled = std::make_shared<Scaled>();
  const Tensor numbers = at::tensor({5, 0, 8}, at::kLong);
  for (const int threads : {1, 2}) {
    scaled->shapes.clear();
    const Batches batches(split, with_threads(threads, {scaled}), at::kCPU, 0, true);
    const auto wanted = [&](const Tensor& of) {
      Scaled whole;
      return whole.forward(split.images.index_select(0, of).to(at::kFloat).div_(255), {});
    };
    const Tensor first = batches.gather(numbers, 0).images;
    const Tensor second = batches.gather(numbers.narrow(0, 1, 2), 0).images;
    CHECK(at::equal(first, wanted(numbers)));  // which another batch does not write over
    CHECK(at::equal(second, wanted(numbers.narrow(0, 1, 2))));
    // Three images by a table of one, two as they are.
    CHECK(scaled->shapes == std::vector<std::vector<int64_t>>{{1, 2, 220, 219}, {2, 2, 220, 219}});
    const void* place = batches.gather(numbers, 0).images.const_data_ptr();
    CHECK(batches.gather(numbers, 0).images.const_data_ptr() == place);  // once nobody holds it
  }
}

}  // namespace
}  // namespace vitrine
