#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <thread>
#include <vector>

#include "framework/data/dataset.h"
#include "framework/memory.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// The drawing uses integers only, so that the same seed gives the same bytes on any machine.

constexpr int kSide = 28;  // pixels

// SplitMix64 (Steele, Lea, Flood 2014), one stream for each (seed, image).
class Random {
 public:
  Random(uint64_t seed, uint64_t image) : state_(mix(mix(seed + kGamma) ^ image)) {}

  uint64_t next() { return mix(state_ += kGamma); }

  // Uniform in [low, high].
  int32_t between(int32_t low, int32_t high) {
    return low + static_cast<int32_t>((next() >> 32) * static_cast<uint64_t>(high - low + 1) >> 32);
  }

  // Triangular in (-width, width): the mean is likelier than the extremes.
  int32_t around_zero(int32_t width) {
    const uint64_t bits = next();
    const auto sum = static_cast<int64_t>((bits >> 32) + (bits & 0xffffffff));
    return static_cast<int32_t>((sum - (int64_t{1} << 32)) * width >> 32);
  }

 private:
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

struct Point {
  int32_t x = 0, y = 0;
};

Point middle(Point a, Point b) { return {(a.x + b.x) >> 1, (a.y + b.y) >> 1}; }

// Control polygon of a quadratic B-spline, clamped at both ends; a point given twice is a corner.
// y points down; a digit spans about 64 by 100 units around (0, 0).
struct Stroke {
  constexpr Stroke(int of_digit, int of_hand, int in_four, std::initializer_list<Point> polygon)
      : digit(of_digit), hand(of_hand), odds(in_four), count(static_cast<int>(polygon.size())) {
    std::copy(polygon.begin(), polygon.end(), points.begin());
  }

  int digit, hand;
  int odds;  // drawn in so many of four images
  int count;
  std::array<Point, 14> points{};
};

constexpr int kHands = 2;  // ways to write each digit

// clang-format off
constexpr Stroke kStrokes[] = {
    {0, 0, 4, {{8, -50}, {-24, -56}, {-38, 0}, {-26, 56}, {26, 56}, {38, 0}, {26, -56},
               {0, -50}}},
    {0, 1, 4, {{-8, -46}, {24, -58}, {40, 0}, {24, 54}, {-20, 58}, {-40, 4}, {-24, -50},
               {6, -52}}},
    {1, 0, 4, {{2, -50}, {0, 0}, {-2, 50}}},
    {1, 0, 1, {{2, -50}, {-8, -38}, {-20, -30}}},
    {1, 1, 4, {{4, -50}, {2, 0}, {2, 50}}},
    {1, 1, 3, {{4, -50}, {-6, -36}, {-22, -28}}},
    {1, 1, 2, {{-20, 50}, {0, 50}, {22, 50}}},
    {2, 0, 4, {{-28, -30}, {-24, -56}, {34, -58}, {32, -8}, {-10, 26}, {-30, 50}, {-30, 50},
               {0, 47}, {32, 48}}},
    {2, 1, 4, {{-28, -32}, {-20, -58}, {36, -56}, {28, 0}, {0, 40}, {-30, 58}, {-34, 34},
               {-8, 32}, {10, 52}, {34, 44}}},
    {3, 0, 4, {{-26, -40}, {-10, -56}, {32, -54}, {30, -6}, {-8, -4}, {-8, -4}, {36, -4},
               {38, 52}, {-8, 58}, {-30, 36}}},
    {3, 1, 4, {{-26, -48}, {0, -50}, {26, -48}, {26, -48}, {8, -28}, {-6, -10}, {-6, -10},
               {34, -14}, {38, 48}, {-4, 60}, {-30, 38}}},
    {4, 0, 4, {{-20, -50}, {-26, -20}, {-30, 8}, {-30, 8}, {0, 7}, {34, 4}}},
    {4, 0, 4, {{18, -46}, {14, 0}, {10, 50}}},
    {4, 1, 4, {{12, -50}, {-14, -16}, {-34, 14}, {-34, 14}, {0, 14}, {34, 12}}},
    {4, 1, 4, {{12, -50}, {10, 0}, {8, 50}}},
    {5, 0, 4, {{28, -50}, {0, -49}, {-20, -48}, {-20, -48}, {-22, -26}, {-24, -8}, {-24, -8},
               {4, -24}, {38, -10}, {34, 52}, {-6, 58}, {-30, 40}}},
    {5, 1, 4, {{-18, -46}, {-20, -24}, {-22, -6}, {-22, -6}, {14, -20}, {36, 0}, {32, 52},
               {-4, 56}, {-28, 44}}},
    {5, 1, 4, {{-18, -46}, {4, -48}, {28, -50}}},
    {6, 0, 4, {{20, -50}, {-12, -44}, {-36, 4}, {-32, 54}, {6, 56}, {34, 46}, {30, 2}, {-2, -4},
               {-28, 20}}},
    {6, 1, 4, {{4, -50}, {-16, -20}, {-34, 20}, {-26, 54}, {14, 56}, {34, 34}, {20, 4}, {-8, 8},
               {-22, 32}}},
    {7, 0, 4, {{-30, -46}, {0, -48}, {30, -48}, {30, -48}, {10, -6}, {-8, 50}}},
    {7, 0, 1, {{-16, 2}, {4, 0}, {22, 0}}},
    {7, 1, 4, {{-30, -36}, {-28, -52}, {0, -44}, {32, -50}, {32, -50}, {8, -10}, {2, 50}}},
    {8, 0, 4, {{20, -40}, {4, -58}, {-32, -52}, {-28, -14}, {0, -2}, {34, 12}, {34, 54}, {-2, 54},
               {-36, 52}, {-34, 14}, {0, -4}, {30, -18}, {28, -44}, {12, -48}}},
    {8, 1, 4, {{2, -50}, {-30, -52}, {-26, -4}, {2, -4}, {28, -6}, {28, -50}, {0, -50}}},
    {8, 1, 4, {{2, -4}, {-36, -2}, {-38, 54}, {0, 52}, {36, 54}, {36, -2}, {0, -4}}},
    {9, 0, 4, {{26, -30}, {14, -54}, {-28, -54}, {-34, -8}, {2, -2}, {26, -14}, {28, -40},
               {28, -40}, {24, 10}, {16, 50}}},
    {9, 1, 4, {{24, -36}, {4, -56}, {-32, -44}, {-26, -2}, {6, -4}, {26, -24}, {26, -44},
               {34, 10}, {22, 56}, {-24, 48}}},
};
// clang-format on

// A round pen at each of 8 x 8 positions inside a pixel, for 8 widths: coverage 0..255 of 8 x 8
// pixels, its centre in the pixel (3, 3).
constexpr int kWidths = 8, kPhases = 8, kTip = 8;
using Tip = std::array<std::array<uint8_t, kTip>, kTip>;
using Pen = std::array<std::array<Tip, kPhases>, kPhases>;

// How many of a pixel's 8 x 8 samples are within the radius of (0, 0); in 1/16 pixel, (x, y) its
// corner.
int covered(int x, int y, int radius) {
  int inside = 0;
  for (int i = 1; i < 16; i += 2) {
    for (int j = 1; j < 16; j += 2) {
      inside += (y + i) * (y + i) + (x + j) * (x + j) < radius * radius;
    }
  }
  return inside;
}

// Centre (x, y) and radius in 1/16 pixel.
Tip make_tip(int x, int y, int radius) {
  Tip tip;
  for (int row = 0; row < kTip; ++row) {
    for (int column = 0; column < kTip; ++column) {
      tip[row][column] =
          static_cast<uint8_t>(std::min(255, 4 * covered(16 * column - x, 16 * row - y, radius)));
    }
  }
  return tip;
}

std::array<Pen, kWidths> make_pens() {
  std::array<Pen, kWidths> pens;
  for (int width = 0; width < kWidths; ++width) {
    for (int y = 0; y < kPhases; ++y) {
      for (int x = 0; x < kPhases; ++x) {
        pens[width][y][x] = make_tip(48 + 2 * x + 1, 48 + 2 * y + 1, 14 + 2 * width);
      }
    }
  }
  return pens;
}

// The image with a margin, so that nothing drawn near its edge needs a test.
class Canvas {
 public:
  // Quadratic Bezier curve from a to c, c itself left out; in 1/256 pixel.
  void curve(const Pen& pen, Point a, Point b, Point c) {
    const int32_t length = (distance(a, b) + distance(b, c) + distance(a, c)) / 2;
    const int32_t steps = (length >> 7) + 1;  // about half a pixel each
    const int32_t stride = 4096 / steps;
    const Point first{2 * (b.x - a.x), 2 * (b.y - a.y)};
    const Point second{a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y};
    for (int32_t i = 0, t = 0; i < steps; ++i, t += stride) {
      dot(pen, {a.x + (t * (first.x + (t * second.x >> 12)) >> 12),
                a.y + (t * (first.y + (t * second.y >> 12)) >> 12)});
    }
  }

  void dot(const Pen& pen, Point centre) {
    const int32_t x = std::clamp(centre.x, -5 * 256, (kSide + 4) * 256 - 1);
    const int32_t y = std::clamp(centre.y, -5 * 256, (kSide + 4) * 256 - 1);
    const Tip& tip = pen[y >> 5 & 7][x >> 5 & 7];
    uint8_t* corner = pixels_ + ((y >> 8) + kMargin - 3) * kStride + (x >> 8) + kMargin - 3;
    for (int i = 0; i < kTip; ++i) {
      std::array<uint8_t, kTip> ink;  // a copy, so that the loop becomes one vector instruction
      std::memcpy(ink.data(), corner + i * kStride, kTip);
      for (int j = 0; j < kTip; ++j) ink[j] = std::max(ink[j], tip[i][j]);
      std::memcpy(corner + i * kStride, ink.data(), kTip);
    }
  }

  const uint8_t* row(int y) const { return pixels_ + (y + kMargin) * kStride + kMargin; }

 private:
  static constexpr int kMargin = 8, kStride = 48, kRows = kSide + 2 * kMargin;

  static int32_t distance(Point a, Point b) {
    return std::max(std::abs(a.x - b.x), std::abs(a.y - b.y));
  }

  alignas(16) uint8_t pixels_[kRows * kStride] = {};
};

// Glyph units to 1/256 pixel: rotation, slant, scale, shift.
class Hand {
 public:
  explicit Hand(Random& random) {
    const int32_t sine = random.around_zero(1000);  // of 4096
    const int32_t cosine = 4096 - (sine * sine >> 13);
    const int32_t slant = random.around_zero(1800);
    const int32_t width = random.between(36, 60), height = random.between(40, 56);  // 1/256 pixel
    xx_ = width * cosine;
    xy_ = (height * -slant >> 12) * cosine - height * sine;
    yx_ = width * sine;
    yy_ = (height * -slant >> 12) * sine + height * cosine;
    shift_.x = kSide * 128 + random.around_zero(640);
    shift_.y = kSide * 128 + random.around_zero(640);
    wobble_ = random.between(5, 16);
  }

  // Neighbouring points stray together, as in handwriting.
  Point place(Point p, Random& random) {
    drift_.x = drift_.x / 2 + random.around_zero(wobble_);
    drift_.y = drift_.y / 2 + random.around_zero(wobble_);
    p.x += drift_.x;
    p.y += drift_.y;
    return {shift_.x + ((xx_ * p.x + xy_ * p.y) >> 12), shift_.y + ((yx_ * p.x + yy_ * p.y) >> 12)};
  }

 private:
  int32_t xx_, xy_, yx_, yy_;
  Point shift_, drift_;
  int32_t wobble_;  // of control points, in glyph units
};

void draw_stroke(Canvas& canvas, const Pen& pen, const Stroke& stroke, Hand& hand, Random& random) {
  Point start = hand.place(stroke.points[0], random);
  Point control = hand.place(stroke.points[1], random);
  for (int i = 2; i < stroke.count; ++i) {
    const Point next = hand.place(stroke.points[i], random);
    const Point end = i + 1 < stroke.count ? middle(control, next) : next;
    canvas.curve(pen, start, control, end);
    start = end;
    control = next;
  }
  canvas.dot(pen, start);
}

constexpr int kWide = 32;  // a row of 28 pixels, rounded up to whole vectors

// Ink is scaled by ink / 256, then noise in [0, noise) is added.
void expose(const Canvas& canvas, int ink, int noise, Random& random, uint8_t* image) {
  std::array<uint8_t, kSide * kWide> grain;
  for (size_t i = 0; i < grain.size(); i += 8) {
    const uint64_t bits = random.next();
    for (size_t j = 0; j < 8; ++j) grain[i + j] = static_cast<uint8_t>(bits >> 8 * j);
  }
  std::array<uint8_t, kSide * kSide + kWide - kSide> rows;  // each row's excess is written over
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kWide; ++x) {
      const int pixel = (canvas.row(y)[x] * ink >> 8) + (grain[y * kWide + x] * noise >> 8);
      rows[y * kSide + x] = static_cast<uint8_t>(std::min(255, pixel));
    }
  }
  std::memcpy(image, rows.data(), kSide * kSide);
}

int64_t draw_digit(Random random, uint8_t* image) {
  static const std::array<Pen, kWidths> pens = make_pens();
  const int32_t digit = random.between(0, 9);
  const int32_t way = random.between(0, kHands - 1);
  const Pen& pen = pens[random.between(0, kWidths - 1)];
  Hand hand(random);
  Canvas canvas;
  for (const Stroke& stroke : kStrokes) {
    if (stroke.digit != digit || stroke.hand != way) continue;
    if (random.between(0, 3) < stroke.odds) draw_stroke(canvas, pen, stroke, hand, random);
  }
  const int32_t ink = random.between(180, 256);
  expose(canvas, ink, random.between(0, 48), random, image);
  return digit;
}

// Images first .. first + count - 1 of the endless sequence that belongs to the seed: images
// [count, 28, 28], labels [count]. Image i depends on the seed and i only.
void draw_digits(uint64_t seed, int64_t first, int64_t count, uint8_t* images, int64_t* labels) {
  for (int64_t i = 0; i < count; ++i) {
    labels[i] =
        draw_digit(Random(seed, static_cast<uint64_t>(first + i)), images + i * kSide * kSide);
  }
}

// The test images are another stretch of the same sequence, far beyond any training set.
constexpr int64_t kFirstTestImage = int64_t{1} << 40;

struct Options : DatasetOptions {
  int64_t train = 60'000, test = 10'000;
  int64_t seed = 0;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("train", train, "how many training images are drawn", between(1, 100'000'000))
        .words({"n_train", "train_size"});
    field("test", test, "how many test images are drawn", between(1, 100'000'000))
        .words({"n_test", "test_size"});
    field("seed", seed, "which digits are drawn; the run's seed does not change them", at_least(0));
  }
};

class Digits : public Dataset {
 public:
  Digits(const Options& options, const DataContext&) : options_(options) {}

  DatasetInfo info() const override {
    DatasetInfo out{1,
                    kSide,
                    kSide,
                    class_column({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}),
                    options_.train,
                    options_.test};
    out.flips_change_classes = true;
    return out;
  }

  Split load_train() override { return draw(0, options_.train); }
  Split load_test() override { return draw(kFirstTestImage, options_.test); }

 private:
  // On as many threads as the rest of the run has.
  Split draw(int64_t first, int64_t count) const {
    Split out{at::empty({count, 1, kSide, kSide}, at::kByte), {at::empty({count}, at::kLong)}, {}};
    const auto images = out.images.data_ptr<uint8_t>();
    use_huge_pages(images, out.images.nbytes());
    const auto labels = out.labels[0].data_ptr<int64_t>();
    const int64_t threads = at::get_num_threads();
    std::vector<std::jthread> workers;
    for (int64_t i = 0; i < threads; ++i) {
      const int64_t begin = count * i / threads, end = count * (i + 1) / threads;
      workers.emplace_back(draw_digits, static_cast<uint64_t>(options_.seed), first + begin,
                           end - begin, images + begin * kSide * kSide, labels + begin);
    }
    workers.clear();  // waits
    return out;
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Digits, Options,
                 "drawn strokes of the ten digits, 28 x 28 grey; needs no file")

}  // namespace
}  // namespace vitrine
