#include "framework/training/model_file.h"

#include "framework/images/encode.h"
#include "framework/training/weights_source.h"
#include "tests/framework/training/tried_run.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A data set of photos, and how they are prepared.
struct Photos {
  explicit Photos(const std::string& preparation) {
    for (int i = 0; i < 16; ++i) {
      const fs::path place =
          folder / "photos" / (i < 12 ? "train" : "test") / (i % 2 ? "cat" : "dog");
      fs::create_directories(place);
      const Image image{10, 8, 3, std::vector<uint8_t>(240, static_cast<uint8_t>(9 * i))};
      write_plain(place / (std::to_string(i) + ".png"), encode_png(image));
    }
    write_plain(folder / "c.yaml",
                "threads: 1\n"
                "dataset: {type: folder, path: " +
                    (folder / "photos").string() + ", size: 8, " + preparation +
                    "}\n"
                    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
                    "training: {epochs: 2, batch_size: 4}\n");
  }
  ModelFile trained(std::optional<int64_t> stop_after) const {
    TrainRequest request;
    request.config = engine().resolve({folder / "c.yaml", {}, {}});
    request.run_dir = folder / (stop_after ? "stopped" : "run");
    request.stop_after = stop_after;
    Quiet quiet;
    engine().train(request, quiet);
    CHECK(exists(Place(*request.run_dir / "model.safetensors")) == !stop_after);
    return open_model({*request.run_dir, ""});
  }
  TemporaryFolder folder;
};

TEST_CASE("a model's file and the checkpoint of a stopped run tell how images were prepared") {
  const Photos padded("resize: pad, background: '#102030'"), cropped("crop_ratio: 0.8"),
      on_black("resize: stretch, background: black"), white("resize: pad");
  for (const std::optional<int64_t> stop_after : {std::optional<int64_t>(), {2}}) {
    CAPTURE(stop_after.has_value());
    ModelFile model = padded.trained(stop_after);
    CHECK(model.resize == ResizeMode::kPad);
    CHECK(model.crop_ratio == 1);
    CHECK(model.background == Colour{0x10, 0x20, 0x30});
    model = cropped.trained(stop_after);
    CHECK(model.resize == ResizeMode::kCrop);
    CHECK(model.crop_ratio == 0.8);
    CHECK_FALSE(model.background.has_value());
    model = on_black.trained(stop_after);
    CHECK(model.resize == ResizeMode::kStretch);
    CHECK(model.background == kBlack);
    CHECK(white.trained(stop_after).background == kWhite);
  }
}

}  // namespace
}  // namespace vitrine
