#include "framework/data/batches.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "framework/data/splits.h"
#include "framework/data/upload.h"
#include "framework/ranks/ranks.h"

namespace vitrine {

Batches::Batches(const Split& split, const Preparation& preparation, at::Device device,
                 uint64_t seed, bool training)
    : split_(split),
      reader_(std::make_shared<ImageReader>(split, preparation, seed)),
      is_random_(training),
      device_(device),
      seed_(seed),
      readers_(std::make_shared<Readers>(preparation.threads)) {
  for (const auto& transform : preparation.transforms) {
    if (!std::dynamic_pointer_cast<ImageTransform>(transform)) transforms_.push_back(transform);
  }
  for (Tensor& labels : split_.labels) labels = labels.to(device);
  // What is changed image by image stays where that is done.
  if (split_.images.defined() && preparation.of_images().empty())
    split_.images = split_.images.to(device);
}

Batches Batches::as_evaluated() const {
  Batches out = *this;
  out.is_random_ = false;
  return out;
}

Batches Batches::as_trained() const {
  Batches out = *this;
  out.is_random_ = true;
  return out;
}

Batches Batches::first(int64_t count) const {
  Batches out = *this;
  out.split_ = first_images(split_, std::min(count, size()));
  return out;
}

bool Batches::works_ahead() const {
  return !split_.images.defined() || reader_->changes(is_random_);
}

// What a rank reads of so many images: the first, and how many.
std::pair<int64_t, int64_t> Batches::share_of(int64_t images, size_t rank) {
  const int64_t first = ranks().first_of(images, rank);
  return {first, ranks().first_of(images, rank + 1) - first};
}

// Each rank has read its share.
void Batches::share(const Tensor& pixels) {
  if (ranks().is_alone()) return;
  std::vector<size_t> starts = {0};
  for (size_t i = 0; i < ranks().count(); ++i) {
    const auto [first, count] = share_of(pixels.size(0), i);
    starts.push_back(static_cast<size_t>((first + count) * pixels.stride(0)));
  }
  ranks().gather(pixels.data_ptr<uint8_t>(), starts);
}

// The number of an image is that in the data set. Numbers beyond those are of further views.
BatchPosition Batches::position_of(const Begun& begun) const {
  const Tensor rows = split_.rows_of(begun.indices);
  std::vector<Tensor> numbers;
  for (int64_t view = 0; view < begun.views; ++view)
    numbers.push_back(view == 0 ? rows : rows + view * split_.stored());
  return {seed_, begun.epoch, begun.views == 1 ? rows : at::cat(numbers)};
}

Batches::Begun Batches::begin(const Tensor& indices, int64_t epoch, int64_t views) const {
  Begun out;
  out.indices = indices;
  out.epoch = epoch;
  out.views = views;
  if (!works_ahead()) return out;
  const ImageSize& size = reader_->size();
  const int64_t images = views * indices.size(0);
  out.pixels = host_buffer({images, size.channels, size.height, size.width}, at::kByte, device_);
  const auto [first, count] = share_of(images, ranks().index());
  out.reading = readers_->start(
      count, [work = work_on(out), first = first](int64_t index) { work(first + index); });
  return out;
}

// What it needs lives as long as the work.
Readers::Work Batches::work_on(const Begun& begun) const {
  return [reader = reader_, is_random = is_random_, rows = split_.rows_of(begun.indices),
          position = position_of(begun), pixels = begun.pixels](int64_t k) {
    const int64_t row = rows.const_data_ptr<int64_t>()[k % rows.size(0)];
    const int64_t number = position.indices.const_data_ptr<int64_t>()[k];
    reader->read(row, number, position.epoch, is_random,
                 pixels.data_ptr<uint8_t>() + k * pixels.stride(0));
  };
}

Batch Batches::finish(Begun begun) const {
  const Tensor on_device = upload(begun.indices, device_);
  Batch out;
  out.count = begun.indices.size(0);
  out.position = position_of(begun);
  for (const Tensor& labels : split_.labels)
    out.labels.push_back(labels.index_select(0, on_device));
  Tensor pixels;
  if (begun.reading) {
    begun.reading->wait();
    share(begun.pixels);
    pixels = upload(begun.pixels, device_);
  } else {
    const at::Device there = split_.images.device();
    const Tensor rows = upload(split_.rows_of(begun.indices), there);
    pixels = upload(split_.images.index_select(0, rows), device_);
    if (begun.views > 1) pixels = pixels.repeat({begun.views, 1, 1, 1});
  }
  out.images = transformed(pixels, out.position);
  return out;
}

// By a table, where the first of the transforms only normalizes: one pass over the images in place
// of four. Undefined where that cannot be, and where images are few enough to stay in a core's
// cache, in which four passes are faster: batches of MNIST took a tenth of an epoch longer.
Tensor Batches::normalized(const Tensor& pixels, const BatchPosition& position) const {
  constexpr int64_t kLittle = 1 << 18;
  if (pixels.numel() <= kLittle) return {};
  Transform& first = *transforms_.front();
  if (!pixels.is_cpu() || !told(first, "normalization", &Transform::normalization)) return {};
  const Tensor table = pixel_table(first, pixels.sizes(), position);
  if (!table.defined()) return {};
  const Tensor bytes = pixels.contiguous(), out = buffers_->take(pixels.sizes());
  const int64_t images = bytes.size(0), channels = bytes.size(1), area = bytes[0][0].numel();
  readers_->run(
      images, [&, from = bytes.const_data_ptr<uint8_t>(), by = table.const_data_ptr<float>(),
               to = out.data_ptr<float>()](int64_t image) {
        look_up(from + image * channels * area, channels, area, by, to + image * channels * area);
      });
  return out;
}

Tensor Batches::transformed(const Tensor& pixels, const BatchPosition& position) const {
  if (transforms_.empty()) return pixels;
  Tensor out = normalized(pixels, position);
  const size_t done = out.defined() ? 1 : 0;
  if (done == 0) out = pixels.to(at::kFloat).div_(255);
  for (size_t i = done; i < transforms_.size(); ++i) {
    Transform& transform = *transforms_[i];
    if (is_random_ || !told(transform, "is_random", &Transform::is_random))
      out = transform(out, position);
  }
  return out;
}

Tensor Batches::pixels(const Tensor& indices) const {
  const Tensor rows = split_.rows_of(indices);
  if (split_.images.defined() && !reader_->changes(false))
    return split_.images.index_select(0, rows.to(split_.images.device())).cpu();
  const ImageSize& size = reader_->size();
  Tensor out = at::empty({rows.size(0), size.channels, size.height, size.width}, at::kByte);
  readers_->run(rows.size(0), [&](int64_t k) {
    const int64_t row = rows.const_data_ptr<int64_t>()[k];
    reader_->read(row, row, 0, false, out.data_ptr<uint8_t>() + k * out.stride(0));
  });
  return out;
}

}  // namespace vitrine
