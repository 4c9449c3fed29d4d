#include <cmath>

#include "framework/files/file.h"
#include "framework/files/png.h"
#include "framework/files/safetensors.h"
#include "framework/reports/heat_map.h"
#include "tests/framework/cli/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 64, test: 32}
model: {type: vit, n_patches: [4, 2], n_blocks: 2, hidden_d: 8, n_heads: 2}
training: {epochs: 1, batch_size: 32}
)";

// A folder in which small.yaml was run, into run/.
class Folder : public TemporaryFolder {
 public:
  explicit Folder(const std::vector<std::string>& overrides = {}) {
    write_plain(*this / "small.yaml", kConfig);
    std::vector<std::string> arguments = {"small.yaml", "--run-dir", "run"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const Result result = run(arguments);
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  Result run(const std::vector<std::string>& arguments) const { return runner(arguments, path()); }
};

Image png_of(const fs::path& file) { return decode_png(bytes_of(file), file.string()); }

std::vector<int> pixel(const Image& image, double x, double y) {
  const auto at =
      static_cast<size_t>(image.channels * (std::llround(y) * image.width + std::llround(x)));
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

std::vector<int> listed(const Colour& colour) { return {colour.red, colour.green, colour.blue}; }

void write_png(const fs::path& path, int64_t side, uint8_t value) {
  const std::vector<uint8_t> pixels(static_cast<size_t>(side * side), value);
  write_plain(path, encode_png({side, side, 1, pixels}));
}

}  // namespace

TEST_CASE("plot positions draws the table, one pixel a value") {
  const TemporaryFolder folder;
  const Result result = runner(
      {"plot", "positions", "--length", "100", "--width", "300", "-o", "p.png"}, folder.path());
  CHECK(result.code == 0);
  CHECK(result.out == "wrote p.png\n");
  const Image image = png_of(folder / "p.png");
  CHECK(image.width == 300);
  CHECK(image.height == 100);
  REQUIRE(image.channels == 3);
  // Row 0 is sin 0 = 0 and cos 0 = 1 in turn: the largest value is white.
  CHECK(pixel(image, 1, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(image, 299, 0) == std::vector<int>{255, 255, 255});
  CHECK(pixel(image, 0, 0) == pixel(image, 298, 0));
  CHECK(pixel(image, 0, 0) == std::vector<int>{255, 90, 0});  // the middle of the range
  CHECK(pixel(image, 0, 11) == std::vector<int>{11, 0, 0});   // sin 11 = -0.99999, the smallest
}

TEST_CASE("a plot of a run goes to its folder plots, and the same again over it") {
  const Folder folder;
  for (const char* plot : {"attention", "embedding", "similarity", "positions"}) {
    CAPTURE(plot);
    const fs::path file = fs::path("run/plots") / (std::string(plot) + ".png");
    const Result result = folder.run({"plot", plot, "run"});
    CHECK(result.err == "");
    CHECK(result.out == "wrote " + file.string() + "\n");
    const std::string first = bytes_of(folder / file);
    const Result again = runner({"plot", plot, "run"}, folder.path(),
                                {{"LC_ALL", "de_DE.UTF-8"}, {"LANG", "ja_JP.UTF-8"}});
    CHECK(again.code == 0);
    CHECK(bytes_of(folder / file) == first);
    const fs::path svg = std::string(plot) + ".svg";
    REQUIRE(folder.run({"plot", plot, "run", "-o", svg}).code == 0);
    CHECK_THAT(bytes_of(folder / svg),
               StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "));
  }
  CHECK(png_of(folder / "run/plots/positions.png").width == 8);
  CHECK(png_of(folder / "run/plots/positions.png").height == 9);  // a class token and 8 patches
}

TEST_CASE("plot attention has a row for each image and block, and a column for each head") {
  const Folder folder;
  write_png(folder / "grey.png", 28, 128);
  REQUIRE(folder.run({"plot", "attention", "run", "--images", "3", "-o", "one.png"}).code == 0);
  REQUIRE(folder.run({"plot", "attention", "run", "--images", "3,31,grey.png", "-o", "three.png"})
              .code == 0);
  const Image one = png_of(folder / "one.png"), three = png_of(folder / "three.png");
  CHECK(one.width == three.width);
  // In units of half a pixel: 10 above and below, 12 for the headings; a block takes 84 for the
  // cell and 12 a line below it, 6 lie between blocks and 16 between images.
  CHECK(one.height == 2 * (10 + 12 + (84 + 36) + 6 + (84 + 12) + 10));
  CHECK(three.height == one.height + 2 * 2 * (16 + (84 + 36) + 6 + (84 + 12)));
  CHECK(pixel(three, 2 * (10 + 42), 2 * (22 + 2 * 238 + 42)) ==
        std::vector<int>{128, 128, 128});  // the last image itself
}

TEST_CASE("plot embedding colours each weight by its place around zero") {
  const Folder folder;
  REQUIRE(folder.run({"plot", "embedding", "run"}).code == 0);
  const Image image = png_of(folder / "run/plots/embedding.png");
  const auto model = Safetensors::load(folder / "run/model.safetensors", 1 << 20);
  const TensorView weight =
      *std::find_if(model.tensors().begin(), model.tensors().end(),
                    [](const TensorView& tensor) { return tensor.name == "embedding.weight"; });
  REQUIRE(weight.shape == std::vector<int64_t>{8, 7 * 14});
  std::vector<float> values(8 * 7 * 14);
  std::memcpy(values.data(), weight.bytes.data(), weight.bytes.size());
  double largest = 0;
  for (const float value : values) largest = std::max<double>(largest, std::abs(value));
  const Scale scale{Palette::kDiverging, -largest, largest};
  for (const int filter : {0, 7}) {
    for (const int y : {0, 3, 6}) {
      for (const int x : {1, 13}) {
        CAPTURE(filter, y, x);
        // Tiles of 56 x 28 units from (10, 10), 6 apart; 14 x 7 pixels of 4 units each.
        const auto at = pixel(image, 2 * (10 + filter * 62 + 4 * x + 2), 2 * (10 + 4 * y + 2));
        CHECK(at == listed(scale(values[static_cast<size_t>(filter * 98 + y * 14 + x)])));
      }
    }
  }
}

TEST_CASE("plot similarity shows the cosine between positions, 1 with itself") {
  const Folder folder;
  REQUIRE(folder.run({"plot", "similarity", "run"}).code == 0);
  const Image image = png_of(folder / "run/plots/similarity.png");
  const auto angle = [](int token, int pair) { return token / std::pow(10'000, 2 * pair / 8.0); };
  // sin a sin b + cos a cos b = cos(a - b), four times, over vectors of length 2.
  const auto cosine = [&](int a, int b) {
    double sum = 0;
    for (int pair = 0; pair < 4; ++pair) sum += std::cos(angle(a, pair) - angle(b, pair));
    return sum / 4;
  };
  double low = 1;
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) low = std::min(low, cosine(a, b));
  }
  const Scale scale{Palette::kViridis, low, 1};
  const double left = 10 + 14 + text_width("0", 9) + 6, top = 10 + 14 + 12;
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) {
      CAPTURE(a, b);
      // Tiles of 28 units, 4 apart, in 4 rows of 2; each of 4 rows and 2 columns.
      const double x = left + a % 2 * 32 + b % 2 * 14 + 7, y = top + a / 2 * 32 + b / 2 * 7 + 3;
      const auto got = pixel(image, 2 * x, 2 * y), wanted = listed(scale(cosine(a, b)));
      for (size_t channel = 0; channel < 3; ++channel)
        CHECK(std::abs(got[channel] - wanted[channel]) <= 1);
      if (a == b) CHECK(got == std::vector<int>{253, 231, 37});
    }
  }
}

TEST_CASE("plots refuse what they cannot draw, in words") {
  const Folder folder;
  const auto refusal = [&](std::vector<std::string> arguments, int code) {
    arguments.insert(arguments.begin(), "plot");
    const Result result = folder.run(arguments);
    CHECK(result.code == code);
    CHECK(result.out == "");
    return result.err;
  };
  CHECK(
      refusal({"attention", "run", "--images", "0,32"}, 2) ==
      "error: there is no test image 32: the 32 of the run's test set are numbered from 0 to 31\n");
  CHECK(
      refusal({"attention", "run", "--images", "-1"}, 2) ==
      "error: there is no test image -1: the 32 of the run's test set are numbered from 0 to 31\n");
  CHECK(refusal({"attention", "run", "--images", "no.png"}, 3) ==
        "error: cannot read no.png: No such file or directory\n");
  CHECK(refusal({"attention", "run", "--task", "even"}, 2) ==
        "error: the model has no task \"even\"; there are class\n");
  CHECK(refusal({"attention"}, 2) ==
        "error: this picture is of a trained model: give a run after its name\n");
  CHECK(refusal({"attention", "run", "other"}, 2) ==
        "error: \"other\" belongs to no option of the plot, which is of one run\n");
  CHECK(refusal({"attention", "nowhere"}, 2) ==
        "error: nowhere is no run: there is no such directory; runs near it: ./run\n");
  CHECK(refusal({"attention", "run", "-o", "a.jpg"}, 2) ==
        "error: a.jpg: what is written is told by the name's end, one of .png, .svg\n");
  CHECK(
      refusal({"positions", "run", "--length", "3"}, 2) ==
      "error: command line:1:1: plot.length has no effect: the table of the run's model is drawn\n"
      "    1 | length=3\n      | ^ remove it\n");
  CHECK(refusal({"positions", "--checkpoint", "best"}, 2) ==
        "error: --checkpoint has no effect: no run was given\n");
  CHECK_THAT(refusal({"attentoin", "run"}, 2), Contains("did you mean attention?"));
  CHECK_THAT(refusal({"embedding", "run", "--images", "0"}, 2),
             Contains("plot.images: unknown key"));
  // Its data or its checkpoints are gone.
  fs::copy(folder / "run", folder / "bare");
  write_plain(folder / "bare/config.yaml",
              "dataset: {type: mnist, root: nowhere}\nmodel: {type: vit}\n");
  CHECK_THAT(refusal({"attention", "bare"}, 3), Contains("nowhere"));
  CHECK(refusal({"embedding", "bare", "--checkpoint", "last"}, 5) ==
        "error: bare: the run has no checkpoint yet\n");
  fs::remove(folder / "bare/model.safetensors");
  CHECK(refusal({"embedding", "bare"}, 5) == "error: bare: the run has no checkpoint yet\n");
  CHECK(refusal({"attention", "run/model.safetensors"}, 2) ==
        "error: run/model.safetensors tells nothing of a test set: give its run, or PNG files\n");
}

TEST_CASE("plots look at the checkpoint that is named") {
  const Folder folder;
  REQUIRE(folder.run({"plot", "embedding", "run"}).code == 0);
  REQUIRE(folder.run({"plot", "embedding", "run", "--checkpoint", "last", "-o", "l.png"}).code ==
          0);
  CHECK(bytes_of(folder / "l.png") == bytes_of(folder / "run/plots/embedding.png"));
  REQUIRE(folder.run({"small.yaml", "--run-dir", "other", "seed=1"}).code == 0);
  REQUIRE(folder.run({"plot", "embedding", "other", "-o", "o.png"}).code == 0);
  CHECK(bytes_of(folder / "o.png") != bytes_of(folder / "l.png"));
}

TEST_CASE("plot curves joins seeds to one line, and the extension decides what is written") {
  const Folder folder({"dataset.validation=16", "training.epochs=2"});
  const auto plot = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"plot", "curves"});
    return folder.run(arguments);
  };
  for (const char* more : {"seed=1", "model.n_heads=4"}) {
    REQUIRE(folder
                .run({"small.yaml", "--run-dir", std::string("more/") + more, more,
                      "dataset.validation=16", "training.epochs=2"})
                .code == 0);
  }
  REQUIRE(folder.run({"small.yaml", "--run-dir", "more/bare"}).code == 0);
  const Result one = plot({"run"});
  CHECK(one.err == "");
  CHECK(one.out == "wrote run/plots/curves-validation-accuracy.png\n");
  CHECK(png_of(folder / "run/plots/curves-validation-accuracy.png").height == 2 * (12 + 338 + 6));

  const Result table = plot({"run", "more", "-o", "c.csv"});
  CHECK(table.err == "warning: left out: more/bare has no validation/accuracy\n");
  CHECK(table.out == "wrote c.csv\n");
  const std::string lines = bytes_of(folder / "c.csv");
  CHECK_THAT(lines, StartsWith("group,epoch,mean,std,n\nn_heads=2,1,"));
  CHECK_THAT(lines, Contains("\nn_heads=4,2,"));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 5);

  REQUIRE(plot({"more", "--metric", "train/loss", "--x", "seconds", "--band", "ci"}).code == 0);
  CHECK(fs::exists(folder / "more/plots/curves-train-loss.png"));
  REQUIRE(plot({"run", "more", "-o", "c.svg"}).code == 0);
  CHECK_THAT(bytes_of(folder / "c.svg"), Contains("<svg "));
  CHECK(runner({"plot", "curves", "run", "more", "-o", "d.svg"}, folder.path(),
               {{"LC_ALL", "de_DE.UTF-8"}, {"TZ", "Asia/Tokyo"}})
            .code == 0);
  CHECK(bytes_of(folder / "c.svg") == bytes_of(folder / "d.svg"));
  REQUIRE(plot({"run", "--width", "640", "-o", "w.png"}).code == 0);
  CHECK(png_of(folder / "w.png").width == 640);

  CHECK(plot({"run", "more"}).err ==
        "error: of several places it cannot be told where the picture belongs: give -o FILE\n");
  CHECK(plot({"run", "--width", "640", "-o", "w.svg"}).err ==
        "error: --width has no effect: only a .png has pixels\n");
  CHECK(plot({"run", "-o", "c.pdf"}).err ==
        "error: c.pdf: what is written is told by the name's end, one of .png, .svg, .csv\n");
  CHECK(plot({"run", "-o", "run/metrics.json"}).code == 2);
  CHECK_THAT(
      plot({"run", "--metric", "validation/acuracy"}).err,
      StartsWith("error: --metric: no run has \"validation/acuracy\" in its history (did you "
                 "mean validation/accuracy?); there are "));
  CHECK(plot({}).code == 2);
  CHECK_THAT(plot({"-h"}).out, Contains("runner plot curves [OPTIONS] RUN..."));
  CHECK(folder.run({"plot"}).err ==
        "error: which picture? curves, or one that runner list plot names\n");
}

}  // namespace vitrine
