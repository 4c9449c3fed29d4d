#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <charconv>
#include <cmath>

#include "datasets/known_dataset.h"
#include "framework/registry/register.h"

// USPS (Hull 1994): 7,291 and 2,007 grey images of 16 x 16 pixels of digits on envelopes, as
// csie.ntu.edu.tw/~cjlin/libsvmtools/datasets has them: a line of text an image, its label from 1
// to 10 for the digits 0 to 9, and its pixels from -1 to 1 by their numbers.
namespace vitrine {
namespace {

constexpr int64_t kSide = 16, kPixels = kSide * kSide;

// The lines of such a file.
class Lines {
 public:
  Lines(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {}

  // An image's label, from 0 on, and its pixels; false at the end.
  bool next(int64_t& label, uint8_t* pixels) {
    while (rest_.starts_with('\n') || rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    ++line_;
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    label = static_cast<int64_t>(number(line)) - 1;
    if (label < 0 || label > 9) fail("the label is not 1 to 10");
    // Pixels that do not stand there are 0, the middle.
    std::fill_n(pixels, kPixels, uint8_t{128});
    for (;;) {
      const size_t space = line.find_first_not_of(" \t\r");
      if (space == line.npos) return true;
      line.remove_prefix(space);
      const double index = number(line);
      if (!(index >= 1 && index <= kPixels) || !line.starts_with(':'))
        fail("a pixel is not NUMBER:VALUE with a number from 1 to 256");
      line.remove_prefix(1);
      const double value = number(line);
      if (!(value >= -1 && value <= 1)) fail("a pixel is not in -1..1");
      pixels[static_cast<size_t>(index) - 1] =
          static_cast<uint8_t>(std::lround((value + 1) / 2 * 255));
    }
  }
  [[noreturn]] void fail(const std::string& problem) const {
    refuse_data(name_, fmt::format("line {}: {}", line_, problem));
  }

 private:
  double number(std::string_view& text) const {
    if (text.starts_with('+')) text.remove_prefix(1);
    double out = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (problem != std::errc()) fail("there is no number where one must be");
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return out;
  }

  std::string_view rest_;
  std::string name_;
  int64_t line_ = 0;
};

Split usps_split(std::string_view bytes, int64_t images, const std::string& name) {
  Split out;
  out.images = at::full({images, 1, kSide, kSide}, 0, at::kByte);
  out.labels = {at::full({images}, 0, at::kLong)};
  Lines lines(bytes, name);
  int64_t count = 0, label = 0;
  uint8_t pixels[kPixels];
  while (lines.next(label, pixels)) {
    if (count == images) lines.fail(fmt::format("there are more than {} images", images));
    std::copy_n(pixels, kPixels, out.images.data_ptr<uint8_t>() + count * kPixels);
    out.labels[0].data_ptr<int64_t>()[count++] = label;
  }
  if (count < images)
    refuse_data(name, fmt::format("truncated: it has {} images of {}", count, images));
  return out;
}

KnownFile usps_file(const std::string& name, const std::string& md5) {
  KnownFile out;
  out.name = name;
  out.most = 64 << 20;
  out.ending = ".bz2";
  out.published = md5;
  return out;
}

KnownSet usps() {
  KnownSet out;
  out.title = "USPS";
  out.folder = "usps";
  out.inner = {"USPS"};
  out.files = {usps_file("usps", "ec16c51db3855ca6c91edd34d0e9b197"),
               usps_file("usps.t", "8ea070ee2aca1ac39742fdd1ef5ed118")};
  out.mirrors = {"https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"};
  out.near_misses = {{"usps.h5", "HDF5 is not read; the files are usps.bz2 and usps.t.bz2"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(usps()) {}
};

class Usps : public KnownDigits {
 public:
  Usps(const Options& options, const DataContext& context)
      : KnownDigits(usps(), {1, kSide, kSide, {}, 7291, 2007}, options, context) {}

 private:
  Split parse(std::string_view bytes, int64_t images, const std::string& name) const override {
    return usps_split(bytes, images, name);
  }
};

VITRINE_REGISTER(Dataset, Usps, Options,
                 "digits on envelopes, 16 x 16 grey; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine
