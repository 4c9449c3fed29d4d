#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include "framework/config/yaml.h"
#include "framework/images/encode.h"
#include "framework/images/planes.h"
#include "framework/images/resize.h"
#include "framework/training/model_file.h"
#include "framework/training/model_input.h"
#include "framework/training/setup.h"
#include "tests/component.h"
#include "tests/framework/training/tried_run.h"

// Images of which the middle is taken, as torchvision's Resize and CenterCrop do.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

Image noise(int64_t width, int64_t height, uint32_t seed) {
  Image out{width, height, 3, {}};
  for (int64_t i = 0; i < 3 * width * height; ++i)
    out.pixels.push_back(static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24));
  return out;
}

Tensor planes_of(const Image& image) {
  Tensor out = at::empty({1, image.channels, image.height, image.width}, at::kByte);
  write_planes(image, out.data_ptr<uint8_t>());
  return out;
}

struct Fixture {
  Fixture() {
    const auto add = [&](const std::string& name, const Image& image) {
      fs::create_directories((folder / name).parent_path());
      write_plain(folder / name, encode_png(image));
    };
    for (uint32_t i = 0; i < 4; ++i) {
      add("photos/train/a/" + std::to_string(i) + ".png", noise(30, 20, i));
      add("photos/train/b/" + std::to_string(i) + ".png", noise(20, 30, 10 + i));
    }
    add("photos/test/a/1.png", noise(40, 30, 100));
    add("photos/test/a/2.png", noise(8, 8, 101));
    write_plain(folder / "c.yaml",
                "threads: 1\n"
                "dataset: {type: folder, path: " +
                    (folder / "photos").string() +
                    ", size: 8, crop_ratio: 0.8}\n"
                    "model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 4, n_heads: 1}\n"
                    "training: {epochs: 1, batch_size: 8}\n");
  }
  // Resize(10), CenterCrop(8)
  static Tensor wanted(const Image& image) {
    return planes_of(resize(image, 8, 8, ResizeMode::kCrop, kWhite, 0.8));
  }
  TemporaryFolder folder;
};

TEST_CASE_METHOD(Fixture,
                 "images are cropped by the ratio, held or streamed, and those of the size too") {
  for (const std::string memory : {"resident", "stream"}) {
    for (const std::string transforms : {"[]", "[random_resized_crop]"}) {
      CAPTURE(memory, transforms);
      if (memory == "resident" && transforms != "[]") continue;
      const auto resolved =
          engine().resolve({folder / "c.yaml",
                            {"dataset.memory=" + memory, "dataset.transforms=" + transforms},
                            {}});
      Quiet quiet;
      const Data data = load_data(*resolved->config, quiet);
      const auto pixels = [](const Batches& images, int64_t number) {
        return images.as_evaluated().gather(at::tensor({number}, at::kLong), 0).images;
      };
      CHECK(pixels(*data.test, 0).equal(wanted(noise(40, 30, 100))));
      CHECK(pixels(*data.test, 1).equal(wanted(noise(8, 8, 101))));
      CHECK(pixels(*data.train, 5).equal(wanted(noise(20, 30, 11))));
      CHECK(data.test->pixels(at::tensor({1}, at::kLong)).equal(wanted(noise(8, 8, 101))));
    }
  }
}

TEST_CASE_METHOD(Fixture, "predict crops as the model file says") {
  TrainRequest request;
  request.config = engine().resolve({folder / "c.yaml", {}, {}});
  request.run_dir = folder / "run";
  Quiet quiet;
  must(engine().train(request, quiet).code);
  const ModelFile model = load_model(Place(folder / "run/model.safetensors"));
  CHECK(model.crop_ratio == 0.8);
  for (const char* name : {"1.png", "2.png"}) {
    const ReadImage read = read_image(folder / ("photos/test/a/" + std::string(name)), model, {});
    const Image image = name[0] == '1' ? noise(40, 30, 100) : noise(8, 8, 101);
    CHECK(read.pixels.equal(wanted(image)));
    REQUIRE(read.notes.size() == 1);
    CHECK(read.notes[0].text.find(": scaled and cropped from ") != std::string::npos);
  }
  const fs::path onnx = folder / "model.onnx";
  engine().export_onnx({folder / "run", ""}, onnx, {});
  CHECK(read_file(onnx, 1 << 20).find(R"("resize":"crop")") != std::string::npos);
  CHECK(read_file(onnx, 1 << 20).find(R"("crop_ratio":0.8)") != std::string::npos);
  ImageOptions stretched;
  stretched.resize = ResizeMode::kStretch;
  CHECK(read_image(folder / "photos/test/a/1.png", model, stretched)
            .pixels.equal(planes_of(resize(noise(40, 30, 100), 8, 8))));
}

TEST_CASE_METHOD(Fixture, "a ratio without a crop has no effect") {
  const auto refused = [&](const std::string& change) {
    const std::string out = message_of(ExitCode::kUsage, [&] {
      engine().resolve({folder / "c.yaml", {change}, {}});
    });
    return out.substr(0, out.find('\n'));
  };
  const std::string at = (folder / "c.yaml").string() +
                         ":2:" + std::to_string(42 + (folder / "photos").string().size());
  CHECK(refused("dataset.resize=pad") ==
        at + ": dataset.crop_ratio has no effect: resize is pad, not crop");
}

}  // namespace
}  // namespace vitrine
