#include <cmath>

#include "framework/drawing/heat_map.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/images/decode.h"
#include "framework/images/encode.h"
#include "tests/framework/cli/support.h"
#include "tests/framework/drawing/svg.h"

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
class RunFolder : public TemporaryFolder {
 public:
  explicit RunFolder(const std::vector<std::string>& overrides = {}) {
    write_plain(*this / "small.yaml", kConfig);
    std::vector<std::string> arguments = {"small.yaml", "--run-dir", "run"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const Result result = run(arguments);
    INFO(result.err);
    REQUIRE(result.code == 0);
  }
  Result run(const std::vector<std::string>& arguments) const { return runner(arguments, path()); }
};

Image png_of(const fs::path& file) { return decode_image(bytes_of(file), file.string()); }

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

TEST_CASE("plot positions draws the table with names, numbers and a colour bar") {
  const TemporaryFolder folder;
  const auto plot = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"plot", "positions"});
    return runner(arguments, folder.path());
  };
  const Result result = plot({"--length", "100", "--width", "300", "-o", "p.svg"});
  CHECK(result.code == 0);
  CHECK(result.out == "wrote p.svg\n");
  const auto texts = svg_texts(bytes_of(folder / "p.svg"));
  CHECK(texts.front() == "Position embeddings (sincos)");
  CHECK(texts.back() == "Colour: what is added to this dimension of the token.");
  for (const char* text : {"dimension of the token", "0", "100", "280", "position", "90", "-1.0",
                           "-0.5", "0.0", "0.5", "1.0", "value (no unit)"}) {
    CAPTURE(text);
    CHECK(std::find(texts.begin(), texts.end(), text) != texts.end());
  }
  REQUIRE(plot({"--length", "100", "--width", "300", "-o", "p.png"}).code == 0);
  const Image automatic = png_of(folder / "p.png");
  CHECK(automatic.width > 900);
  CHECK(automatic.width < 1400);
  CHECK(automatic.height > 900);
  // Two pixels a value; row 0 is sin 0 = 0 and cos 0 = 1 in turn.
  REQUIRE(plot({"--length", "100", "--width", "300", "--scale", "2", "-o", "s.png"}).code == 0);
  const Image scaled = png_of(folder / "s.png");
  const double left = 2 * (10 + 15 + text_width("90", 11) + 7), top = 2 * (10 + 19 + 10);
  const Scale scale{Palette::kDiverging, -1, 1};
  CHECK(pixel(scaled, left + 8, top + 1) == listed(scale(0)));
  CHECK(pixel(scaled, left + 10, top + 1) == listed(scale(1)));
  // The smallest table still has all its words.
  REQUIRE(plot({"--length", "1", "--width", "1", "-o", "one.svg"}).code == 0);
  CHECK(svg_texts(bytes_of(folder / "one.svg")) ==
        std::vector<std::string>{"Position embeddings (sincos)", "0", "dimension of the token", "0",
                                 "position", "0", "value (no unit)",
                                 "Colour: what is added to this dimension of the token."});
  CHECK(plot({"--position", "none"}).err == "error: the position \"none\" has no table to draw\n");
}

TEST_CASE("a plot of a run goes to its folder plots, and the same again over it") {
  const RunFolder folder;
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
  const auto texts = svg_texts(bytes_of(folder / "positions.svg"));
  CHECK(texts[0] == "Position embeddings (sincos)");
  CHECK(texts[1] == "run run of small, step 2");
  for (const char* text : {"class", "row 0", "row 3", "token", "7", "dimension of the token"}) {
    CAPTURE(text);
    CHECK(std::find(texts.begin(), texts.end(), text) != texts.end());
  }
}

TEST_CASE("a plot's JSON holds its numbers with the names and units of their axes") {
  const RunFolder folder;
  const auto plot = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "plot");
    arguments.insert(arguments.end(), {"-o", "p.json"});
    const Result result = folder.run(arguments);
    CHECK(result.out == "wrote p.json\n");
    return parse_json(bytes_of(folder / "p.json"), "p.json");
  };
  using Names = std::vector<std::string>;
  const auto names = [](const nlohmann::json& json) {
    Names out;
    for (const auto& axis : json.at("axes")) {
      const std::string unit =
          axis.at("unit").is_null() ? "" : " in " + axis.at("unit").get<std::string>();
      out.push_back(axis.at("name").get<std::string>() + unit);
    }
    return out;
  };
  const auto positions = plot({"positions", "run"});
  CHECK(positions.at("format") == 1);
  CHECK(positions.at("title") == "Position embeddings (sincos)");
  CHECK(positions.at("subject") == "run run of small, step 2");
  CHECK(names(positions) == Names{"token", "dimension"});
  CHECK(positions.at("axes")[0].at("values") ==
        nlohmann::json({"class", "0, 0", "0, 1", "1, 0", "1, 1", "2, 0", "2, 1", "3, 0", "3, 1"}));
  CHECK(positions.at("value") == nlohmann::json({{"name", "value"}, {"unit", nullptr}}));
  CHECK(positions.at("values").size() == 9);
  CHECK(positions.at("values")[0] == nlohmann::json({0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0}));
  CHECK(std::abs(positions.at("values")[1][0].get<double>() - std::sin(1.0)) < 1e-6);

  const auto similarity = plot({"similarity", "run"});
  CHECK(names(similarity) == Names{"row of the patch in patches", "column of the patch in patches",
                                   "row of the other patch in patches",
                                   "column of the other patch in patches"});
  CHECK(std::abs(similarity.at("values")[3][1][3][1].get<double>() - 1) < 1e-5);

  const auto embedding = plot({"embedding", "run"});
  CHECK(names(embedding) ==
        Names{"filter", "channel", "row of the pixel in pixels", "column of the pixel in pixels"});
  CHECK(embedding.at("values").size() == 8);
  CHECK(embedding.at("values")[7][0].size() == 7);
  CHECK(embedding.at("values")[7][0][6].size() == 14);

  const auto attention = plot({"attention", "run", "--images", "3,5", "--blocks", "1"});
  CHECK(names(attention) == Names{"image", "block", "map", "row of the patch in patches",
                                  "column of the patch in patches"});
  CHECK(attention.at("axes")[0].at("values") == nlohmann::json({"test image 3", "test image 5"}));
  CHECK(attention.at("axes")[1].at("values") == nlohmann::json({1}));
  CHECK(attention.at("axes")[2].at("values") ==
        nlohmann::json({"head 0", "head 1", "mean", "rollout"}));
  CHECK(attention.at("value").at("unit") == "fraction");
  const auto& maps = attention.at("values")[1][0];
  CHECK(maps.size() == 4);
  const auto at = [&](int map) { return maps[map][2][1].get<double>(); };
  CHECK(std::abs((at(0) + at(1)) / 2 - at(2)) < 1e-6);
  CHECK(attention.at("images")[0].at("name") == "test image 3");
  CHECK(attention.at("images")[0].at("task") == "class");
  CHECK(attention.at("images")[0].at("probability").get<double>() > 0.1);
}

TEST_CASE("plot attention has a row for each image and block, and a column for each head") {
  const RunFolder folder;
  write_png(folder / "grey.png", 28, 128);
  REQUIRE(folder.run({"plot", "attention", "run", "--images", "3", "-o", "one.png"}).code == 0);
  const std::vector<std::string> three = {"plot",     "attention",     "run",
                                          "--images", "3,31,grey.png", "-o"};
  for (const char* file : {"three.png", "three.svg"}) {
    auto arguments = three;
    arguments.push_back(file);
    REQUIRE(folder.run(arguments).code == 0);
  }
  const Image one = png_of(folder / "one.png"), all = png_of(folder / "three.png");
  CHECK(one.width == all.width);
  // In units of half a pixel: a block takes 84 for the cell and 14 for the line below it, 6 lie
  // between blocks and 16 between images.
  CHECK(all.height == one.height + 2 * 2 * (16 + (84 + 14) + 6 + (84 + 14)));
  const auto texts = svg_texts(bytes_of(folder / "three.svg"));
  for (const char* text : {"Attention to the patches of an image", "run run of small, step 2",
                           "image", "head 0", "head 1", "mean", "rollout", "block 0", "block 1",
                           "test image 3", "grey.png", "0", "max"}) {
    CAPTURE(text);
    CHECK(std::find(texts.begin(), texts.end(), text) != texts.end());
  }
  std::string together;  // fonts decide where the bar's words are wrapped
  for (const std::string& text : texts) together += text + " ";
  CHECK_THAT(together, Contains("attention to a patch, as a share of the map's largest "));
  const auto labels = std::count_if(texts.begin(), texts.end(), [](const std::string& text) {
    return text.starts_with("label: ");
  });
  CHECK(labels == 2);  // of a file none is known
  // The last image itself: 44 for the heading, 26 above the first row.
  CHECK(pixel(all, 2 * (10 + 42), 2 * (44 + 26 + 2 * 218 + 42)) == std::vector<int>{128, 128, 128});
}

TEST_CASE("plot embedding colours each weight by its place around zero") {
  const RunFolder folder;
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
        // Tiles of 56 x 28 units from (10, 54), 6 apart; 14 x 7 pixels of 4 units each.
        const auto at = pixel(image, 2 * (10 + filter * 62 + 4 * x + 2), 2 * (54 + 4 * y + 2));
        CHECK(at == listed(scale(values[static_cast<size_t>(filter * 98 + y * 14 + x)])));
      }
    }
  }
}

TEST_CASE("plot similarity shows the cosine between positions, 1 with itself") {
  const RunFolder folder;
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
  const Scale scale{Palette::kViridis, std::floor(10 * low) / 10, 1};
  const double left = 10 + 16 + text_width("0", 11) + 6, top = 44 + 10 + 16 + 16;
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
  const RunFolder folder;
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
        "error: cannot read no.png: no such file" + counted_from(folder.path(), "no.png") + "\n");
  CHECK(refusal({"attention", "run", "--task", "even"}, 2) ==
        "error: the model has no task \"even\"; there are class\n");
  CHECK(refusal({"attention", "run", "--blocks", "0,2"}, 2) ==
        "error: there is no block 2: the model's 2 are numbered from 0 to 1\n");
  CHECK(refusal({"attention", "run", "-o", "picture"}, 2) ==
        "error: picture: what is written is told by the name's end, one of .png, .svg, .json\n");
  CHECK(refusal({"attention"}, 2) ==
        "error: this picture is of a trained model: give a run after its name\n");
  CHECK(refusal({"attention", "run", "other"}, 2) ==
        "error: \"other\" belongs to no option of the plot, which is of one run\n");
  CHECK(refusal({"attention", "nowhere"}, 2) ==
        "error: nowhere is no run: there is no such directory" +
            counted_from(folder.path(), "nowhere") + "; runs near it: ./run\n");
  CHECK(refusal({"attention", "run", "-o", "a.jpg"}, 2) ==
        "error: a.jpg: what is written is told by the name's end, one of .png, .svg, .json\n");
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
        "error: run/model.safetensors tells nothing of a test set: give its run, or image files\n");
}

TEST_CASE("plots look at the checkpoint that is named") {
  const RunFolder folder;
  REQUIRE(folder.run({"plot", "embedding", "run"}).code == 0);
  REQUIRE(folder.run({"plot", "embedding", "run", "--checkpoint", "last", "-o", "l.png"}).code ==
          0);
  CHECK(bytes_of(folder / "l.png") == bytes_of(folder / "run/plots/embedding.png"));
  REQUIRE(folder.run({"small.yaml", "--run-dir", "other", "seed=1"}).code == 0);
  REQUIRE(folder.run({"plot", "embedding", "other", "-o", "o.png"}).code == 0);
  CHECK(bytes_of(folder / "o.png") != bytes_of(folder / "l.png"));
}

TEST_CASE("plot curves joins seeds to one line, and the extension decides what is written") {
  const RunFolder folder({"dataset.validation=16", "training.epochs=2"});
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
  CHECK(png_of(folder / "run/plots/curves-validation-accuracy.png").height ==
        2 * (10 + 19 + 15 + 12 + 338 + 6));

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
  const auto texts = svg_texts(bytes_of(folder / "c.svg"));
  CHECK(texts[0] == "validation/accuracy over epochs");
  CHECK(texts[1] == "3 runs in run, more");
  for (const char* text : {"epoch", "1", "2", "validation/accuracy (%)", "n_heads=2 (n = 2)",
                           "n_heads=4", "mean and standard deviation over n seeds"}) {
    CAPTURE(text);
    CHECK(std::find(texts.begin(), texts.end(), text) != texts.end());
  }
  REQUIRE(plot({"run", "more", "-o", "c.JSON"}).code == 0);
  const auto json = parse_json(bytes_of(folder / "c.JSON"), "c.JSON");
  CHECK(json.at("axes") == nlohmann::json::parse(R"([{"name": "epoch", "unit": null}])"));
  CHECK(json.at("value") ==
        nlohmann::json::parse(R"({"name": "validation/accuracy", "unit": "fraction"})"));
  CHECK(json.at("band") == "standard deviation over seeds");
  const auto& line = json.at("lines")[0];
  CHECK(line.at("label") == "n_heads=2");
  CHECK(line.at("runs") == nlohmann::json({"run", "more/seed=1"}));
  CHECK(line.at("seeds") == nlohmann::json({0, 1}));
  CHECK(line.at("x") == nlohmann::json({1, 2}));
  CHECK(line.at("n") == nlohmann::json({2, 2}));
  CHECK(line.at("values").size() == 2);
  CHECK(json.at("lines")[1].at("deviation") == nlohmann::json({nullptr, nullptr}));
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
  CHECK(
      plot({"run", "-o", "c.pdf"}).err ==
      "error: c.pdf: what is written is told by the name's end, one of .png, .svg, .json, .csv\n");
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
