#include <cstdio>
#include <vitrine_infer.hpp>

// Usage: example MODEL.safetensors: the class of a black image.
int main(int argc, char** argv) try {
  const vitrine_infer::Model model(argc > 1 ? argv[1] : "model.safetensors");
  const std::vector<uint8_t> image(model.image_size());
  const std::vector<float> shares = model.run(image);
  std::printf("%s\n", model.best(shares.data()).c_str());
} catch (const vitrine_infer::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
