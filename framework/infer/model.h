#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/safetensors.h"
#include "framework/infer/task.h"
#include "framework/kernel/kernel.h"
#include "framework/program/normalization.h"

// Runs a model.safetensors by the program in it. Without torch, registry and YAML.
namespace vitrine::infer {

// What a batch is given as.
struct Images {
  const uint8_t* bytes = nullptr;  // [count, channels, height, width], 255 is 1; or
  const float* values = nullptr;   // the same, 0 to 1
  size_t count = 0;
};

// Any number of threads may use one at the same time.
class Model {
 public:
  // `name` is what messages call the file. All throw Error(kCheckpoint) for a file that is damaged,
  // has no program or one that this version does not know.
  static std::unique_ptr<Model> load(const std::string& path);
  static std::unique_ptr<Model> parse(std::string bytes, const std::string& name);
  static std::unique_ptr<Model> parse(const Safetensors& file, const std::string& name);
  ~Model();

  const std::array<size_t, 3>& image() const { return image_; }  // channels, height, width
  const std::vector<Task>& tasks() const { return tasks_; }
  size_t width() const;  // outputs of all tasks together

  // Writes what the model's heads give, [count, width()], tasks side by side. Uses up to `threads`
  // threads, the caller's among them, with the same bits for any number. Throws Error(kUsage) for
  // no threads.
  void outputs(const Images& images, int threads, float* out) const;

 private:
  explicit Model(Safetensors file) : file_(std::move(file)) {}
  struct Reader;
  std::vector<float> normalized(const Images& images) const;
  std::unique_ptr<Kernel> take_kernel() const;
  void give_back(std::unique_ptr<Kernel> kernel) const;

  Safetensors file_;  // where the parameters lie
  std::array<size_t, 3> image_{};
  std::vector<Task> tasks_;
  std::vector<Normalization> normalizations_;
  Program program_;
  std::vector<std::vector<float>> moved_;  // parameters that lie elsewhere
  Binding binding_;
  // Each computes one batch at a time, in memory of its own.
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Kernel>> idle_;
};

}  // namespace vitrine::infer
