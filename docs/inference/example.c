#include <stdio.h>
#include <stdlib.h>
#include <vitrine_infer.h>

/* Usage: example MODEL.safetensors: what the model answers to a black image. */
int main(int argc, char** argv) {
  vitrine_model* model = vitrine_load(argc > 1 ? argv[1] : "model.safetensors");
  if (!model) {
    fprintf(stderr, "%s\n", vitrine_error());
    return 1;
  }
  size_t size = vitrine_image(model, 0) * vitrine_image(model, 1) * vitrine_image(model, 2);
  uint8_t* image = calloc(size, 1);
  float* shares = malloc(vitrine_outputs(model) * sizeof(float));
  if (!image || !shares ||
      vitrine_run(model, image, VITRINE_UINT8, 1, size, VITRINE_PROBABILITIES, 1, shares) != 0) {
    fprintf(stderr, "%s\n", vitrine_error());
    return 1;
  }
  for (size_t i = 0; i < vitrine_task_outputs(model, 0); ++i)
    printf("%s %.6f\n", vitrine_output_name(model, 0, i), shares[i]);
  free(shares);
  free(image);
  vitrine_free(model);
  return 0;
}
