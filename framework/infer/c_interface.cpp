// The functions of vitrine_infer.h, over Model. Exceptions end here.
#include <fmt/format.h>
#include <vitrine_infer.h>

#include <new>

#include "framework/error.h"
#include "framework/infer/model.h"

struct vitrine_model {
  std::unique_ptr<vitrine::infer::Model> model;
};

namespace {

using vitrine::Error;
using vitrine::ExitCode;

// Without memory for the words there are fewer of them.
std::string& last_error() {
  thread_local std::string text;
  return text;
}

// Runs `action`; what it throws is kept for vitrine_error, and `failed` returned.
template <class Action, class Result>
Result guarded(Result failed, const Action& action) noexcept {
  const auto keep = [](const char* what) {
    try {
      last_error() = what;
    } catch (...) {
      last_error().clear();
    }
  };
  try {
    return action();
  } catch (const std::bad_alloc&) {
    keep("out of memory");
  } catch (const std::exception& error) {
    keep(error.what());
  } catch (...) {
    keep("unknown failure");
  }
  return failed;
}

[[noreturn]] void refuse(const std::string& problem) { throw Error(ExitCode::kUsage, problem); }

template <class Make>
vitrine_model* loaded(const Make& make) {
  return guarded(static_cast<vitrine_model*>(nullptr), [&] {
    auto out = std::make_unique<vitrine_model>();
    out->model = make();
    return out.release();
  });
}

const vitrine::infer::Task* task_of(const vitrine_model* model, size_t task) {
  if (!model || task >= model->model->tasks().size()) return nullptr;
  return &model->model->tasks()[task];
}

}  // namespace

extern "C" {

const char* vitrine_error(void) { return last_error().c_str(); }
const char* vitrine_version(void) { return VITRINE_VERSION; }

vitrine_model* vitrine_load(const char* path) {
  return loaded([&] {
    if (!path) refuse("vitrine_load: no path");
    return vitrine::infer::Model::load(path);
  });
}

vitrine_model* vitrine_load_bytes(const void* bytes, size_t size) {
  return loaded([&] {
    if (!bytes) refuse("vitrine_load_bytes: no bytes");
    return vitrine::infer::Model::parse({static_cast<const char*>(bytes), size}, "model");
  });
}

void vitrine_free(vitrine_model* model) { delete model; }

size_t vitrine_image(const vitrine_model* model, size_t axis) {
  return model && axis < 3 ? model->model->image()[axis] : 0;
}

size_t vitrine_tasks(const vitrine_model* model) {
  return model ? model->model->tasks().size() : 0;
}

const char* vitrine_task_name(const vitrine_model* model, size_t task) {
  const auto* found = task_of(model, task);
  return found ? found->name.c_str() : nullptr;
}

int vitrine_task_kind(const vitrine_model* model, size_t task) {
  const auto* found = task_of(model, task);
  return found ? static_cast<int>(found->kind) : -1;
}

size_t vitrine_task_outputs(const vitrine_model* model, size_t task) {
  const auto* found = task_of(model, task);
  return found ? found->names.size() : 0;
}

const char* vitrine_output_name(const vitrine_model* model, size_t task, size_t output) {
  const auto* found = task_of(model, task);
  return found && output < found->names.size() ? found->names[output].c_str() : nullptr;
}

size_t vitrine_outputs(const vitrine_model* model) { return model ? model->model->width() : 0; }

int vitrine_run(const vitrine_model* model, const void* images, int type, size_t count,
                size_t image_size, int answer, int threads, float* outputs) {
  return guarded(-1, [&] {
    if (!model) refuse("vitrine_run: no model");
    if (count > 0 && (!images || !outputs)) refuse("vitrine_run: no images, or no outputs");
    if (type != VITRINE_UINT8 && type != VITRINE_FLOAT32)
      refuse(fmt::format("vitrine_run: type {}: VITRINE_UINT8 or VITRINE_FLOAT32", type));
    if (answer != VITRINE_RAW && answer != VITRINE_PROBABILITIES)
      refuse(fmt::format("vitrine_run: answer {}: VITRINE_RAW or VITRINE_PROBABILITIES", answer));
    const auto [channels, height, width] = model->model->image();
    if (image_size != channels * height * width) {
      refuse(fmt::format("an image of {} numbers: the model takes {} x {} x {} = {}", image_size,
                         channels, height, width, channels * height * width));
    }
    vitrine::infer::Images given;
    given.count = count;
    if (type == VITRINE_UINT8) given.bytes = static_cast<const uint8_t*>(images);
    if (type == VITRINE_FLOAT32) given.values = static_cast<const float*>(images);
    model->model->outputs(given, threads, outputs);
    if (answer == VITRINE_PROBABILITIES)
      vitrine::infer::make_probabilities(model->model->tasks(), count, outputs);
    return 0;
  });
}

}  // extern "C"
