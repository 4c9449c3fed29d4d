/* Runs models that Vitrine trained (model.safetensors). C99; docs/inference.md tells how it is
   built with.

   All functions may be called by several threads at once, also with one model. None exits, prints,
   or changes a setting of the process. Texts are UTF-8. A function that fails says so by what it
   returns, and vitrine_error() tells why. */
#ifndef VITRINE_INFER_H
#define VITRINE_INFER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vitrine_model vitrine_model;

/* What went wrong in the last call of this thread that failed; valid until its next one. */
const char* vitrine_error(void);
/* The version of the library: "0.1.0". */
const char* vitrine_version(void);

/* Reads a model.safetensors, whole; NULL on failure. */
vitrine_model* vitrine_load(const char* path);
/* The same of `size` bytes, which are not needed any more afterwards. */
vitrine_model* vitrine_load_bytes(const void* bytes, size_t size);
/* Gives back what was loaded; NULL is nothing. */
void vitrine_free(vitrine_model* model);

/* Channels, height and width of the images that it takes, by `axis` 0, 1, 2; 0 for others. Grey has
   one channel, colour three: red, green, blue. */
size_t vitrine_image(const vitrine_model* model, size_t axis);

enum vitrine_kind {
  VITRINE_CLASSES = 0, /* one of several: outputs are logits, or the probability of each */
  VITRINE_LABELS = 1,  /* any of several: outputs are logits, or the probability of each */
  VITRINE_VALUES = 2   /* numbers */
};

/* What it answers. An index that is out of range has no name (NULL), no outputs (0) and the kind
 * -1. */
size_t vitrine_tasks(const vitrine_model* model);
const char* vitrine_task_name(const vitrine_model* model, size_t task);
int vitrine_task_kind(const vitrine_model* model, size_t task);
size_t vitrine_task_outputs(const vitrine_model* model, size_t task);
/* Of a class, label or value. */
const char* vitrine_output_name(const vitrine_model* model, size_t task, size_t output);
/* Outputs of all tasks together. */
size_t vitrine_outputs(const vitrine_model* model);

enum vitrine_type {
  VITRINE_UINT8 = 0,  /* 0 to 255 */
  VITRINE_FLOAT32 = 1 /* the same, divided by 255 */
};
enum vitrine_answer {
  VITRINE_RAW = 0,          /* what the model's heads give: logits */
  VITRINE_PROBABILITIES = 1 /* of classes and labels; values as they are */
};

/* Answers for `count` images [count, channels, height, width], of which each `image_size` numbers
   is checked to be the model's: writes `outputs` [count, vitrine_outputs()], tasks side by side.
   Uses up to `threads` threads, with the same bits for any number. Returns 0, or -1 on failure. */
int vitrine_run(const vitrine_model* model, const void* images, int type, size_t count,
                size_t image_size, int answer, int threads, float* outputs);

#ifdef __cplusplus
}
#endif

#endif
