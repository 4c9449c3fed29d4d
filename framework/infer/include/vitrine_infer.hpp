// The same as vitrine_infer.h for C++17, with exceptions and containers.
#ifndef VITRINE_INFER_HPP
#define VITRINE_INFER_HPP

#include <vitrine_infer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace vitrine_infer {

struct Error : std::runtime_error {
  Error() : std::runtime_error(vitrine_error()) {}
};

struct Task {
  std::string name;
  vitrine_kind kind;
  std::vector<std::string> names;  // of its outputs
  size_t first;                    // where they begin among those of all tasks
};

// Copies share what was loaded; any number of threads may use one.
class Model {
 public:
  // Throws Error where the file is not there, damaged, or holds no model that can be run.
  explicit Model(const std::string& path) : Model(vitrine_load(path.c_str())) {}
  static Model parse(const void* bytes, size_t size) {
    return Model(vitrine_load_bytes(bytes, size));
  }

  const std::vector<Task>& tasks() const { return tasks_; }
  std::array<size_t, 3> image() const {  // channels, height, width
    return {vitrine_image(model_.get(), 0), vitrine_image(model_.get(), 1),
            vitrine_image(model_.get(), 2)};
  }
  size_t image_size() const { return image()[0] * image()[1] * image()[2]; }
  size_t outputs() const { return vitrine_outputs(model_.get()); }

  // Images one after the other, channels apart, 0 to 255, or as floats 0 to 1. Probabilities
  // [images, outputs()]; with VITRINE_RAW what the heads give. Throws Error.
  std::vector<float> run(const std::vector<uint8_t>& images,
                         vitrine_answer answer = VITRINE_PROBABILITIES, int threads = 1) const {
    return run(images.data(), VITRINE_UINT8, images.size(), answer, threads);
  }
  std::vector<float> run(const std::vector<float>& images,
                         vitrine_answer answer = VITRINE_PROBABILITIES, int threads = 1) const {
    return run(images.data(), VITRINE_FLOAT32, images.size(), answer, threads);
  }

  // The class with the highest output, of one image's outputs.
  const std::string& best(const float* outputs, size_t task = 0) const {
    const Task& of = tasks_.at(task);
    const float* begin = outputs + of.first;
    return of.names[static_cast<size_t>(std::max_element(begin, begin + of.names.size()) - begin)];
  }

 private:
  explicit Model(vitrine_model* model) : model_(model, vitrine_free) {
    if (!model) throw Error();
    size_t first = 0;
    for (size_t task = 0; task < vitrine_tasks(model); ++task) {
      tasks_.push_back({vitrine_task_name(model, task),
                        static_cast<vitrine_kind>(vitrine_task_kind(model, task)),
                        {},
                        first});
      for (size_t i = 0; i < vitrine_task_outputs(model, task); ++i)
        tasks_.back().names.push_back(vitrine_output_name(model, task, i));
      first += tasks_.back().names.size();
    }
  }

  std::vector<float> run(const void* images, vitrine_type type, size_t numbers,
                         vitrine_answer answer, int threads) const {
    // What is no whole number of images is refused by its size.
    const bool is_whole = numbers % image_size() == 0;
    const size_t count = is_whole ? numbers / image_size() : 1;
    std::vector<float> out(count * outputs());
    if (vitrine_run(model_.get(), images, type, count, is_whole ? image_size() : numbers, answer,
                    threads, out.data()) != 0) {
      throw Error();
    }
    return out;
  }

  std::shared_ptr<vitrine_model> model_;
  std::vector<Task> tasks_;
};

}  // namespace vitrine_infer

#endif
