#include <ATen/ops/empty.h>

#include "framework/data/dataset.h"
#include "framework/draws.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// The options of every data set (validation, limits, transforms), and some more.
struct Options : DatasetOptions {
  int64_t train = 1000, test = 200, side = 16;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("train", train, "how many training images are drawn", between(1, 1'000'000));
    field("test", test, "how many test images are drawn", between(1, 1'000'000));
    field("side", side, "height and width of an image in pixels", between(4, 1024));
  }
};

// A bright square on a dark image; its class is the quarter of the image that it lies in.
class ExampleDataset : public Dataset {
 public:
  // The context tells users what goes on (context.tell), and whether they have cancelled.
  ExampleDataset(const Options& options, const DataContext&) : options_(options) {}

  // What is known before anything is read: a run is planned and checked by it.
  DatasetInfo info() const override {
    return {1,
            options_.side,
            options_.side,
            class_column({"top left", "top right", "bottom left", "bottom right"}),
            options_.train,
            options_.test};
  }

  Split load_train() override { return draw(options_.train, kTrain); }
  Split load_test() override { return draw(options_.test, kTest); }

 private:
  static constexpr uint64_t kTrain = 1, kTest = 2;  // seeds

  // uint8 [N, C, H, W] and, of classes, int64 [N]. The same images each time that it is asked.
  Split draw(int64_t count, uint64_t seed) const {
    const int64_t side = options_.side, half = side / 2, size = side / 4;
    Split out{at::empty({count, 1, side, side}, at::kByte), {at::empty({count}, at::kLong)}, {}};
    for (int64_t i = 0; i < count; ++i) {
      Draws draws(seed, 0, i, 0);
      const int64_t row = draws.integer(0, 1), column = draws.integer(0, 1);
      const int64_t top = row * half + draws.integer(0, half - size);
      const int64_t left = column * half + draws.integer(0, half - size);
      Tensor image = out.images[i][0];
      image.fill_(draws.integer(0, 60));
      image.slice(0, top, top + size).slice(1, left, left + size).fill_(draws.integer(160, 255));
      out.labels[0][i] = 2 * row + column;
    }
    return out;
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, ExampleDataset, Options, "squares in the quarters of an image")

}  // namespace
}  // namespace vitrine
