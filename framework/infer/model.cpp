#include "framework/infer/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/denormals.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/json.h"
#include "framework/files/safetensors.h"
#include "framework/files/sealed.h"
#include "framework/program/program_file.h"

namespace vitrine::infer {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{16} << 30;
constexpr int64_t kFormat = 1;
constexpr int64_t kLargestSide = 1 << 16;

constexpr const char* kKinds[] = {"classification", "multi_label", "regression"};  // as Kind

[[noreturn]] void refuse(const std::string& problem) { throw Error(ExitCode::kData, problem); }

std::optional<std::vector<size_t>> sizes_of(const TensorView* tensor) {
  if (!tensor || tensor->dtype != DType::kF32) return std::nullopt;
  return std::vector<size_t>(tensor->shape.begin(), tensor->shape.end());
}

std::vector<double> numbers_of(const nlohmann::json& value, size_t channels,
                               const std::string& where) {
  std::vector<double> out;
  if (!value.is_array()) refuse(where + ": normalize: expected a list of numbers");
  for (const auto& one : value) out.push_back(json_number(one, where + ": normalize"));
  if (out.size() != 1 && out.size() != channels)
    refuse(fmt::format("{}: normalize: {} numbers for {} channels", where, out.size(), channels));
  return out;
}

}  // namespace

struct Model::Reader {
  const Safetensors& file;
  const std::string where;
  Model& out;

  void read() {
    const auto text = file.metadata().find("program");
    if (text == file.metadata().end()) {
      refuse(where +
             ": it carries no program: it is no model of Vitrine's, or of an earlier version");
    }
    const nlohmann::json value = parse_json(text->second, where);
    if (json_integer(json_member(value, "format", where), where + ": format") != kFormat)
      refuse(fmt::format("{}: this version reads format {}", where, kFormat));
    if (value.contains("refusal")) {
      refuse(fmt::format("{}: the model has none: {}", where,
                         escape(json_string(value.at("refusal"), where))));
    }
    read_image(json_member(value, "image", where));
    for (const auto& one : list(value, "normalize")) {
      out.normalizations_.push_back(
          {numbers_of(json_member(one, "subtract", where), out.image_[0], where),
           numbers_of(json_member(one, "divide", where), out.image_[0], where)});
    }
    const auto sizes = [&](const std::string& name) { return sizes_of(file.find(name)); };
    out.program_ = read_program(value, out.image_, sizes, where);
    for (const auto& one : list(value, "tasks")) read_task(one);
    if (out.tasks_.size() != out.program_.outputs.size()) {
      refuse(fmt::format("{}: {} tasks, but {} outputs", where, out.tasks_.size(),
                         out.program_.outputs.size()));
    }
    for (size_t i = 0; i < out.tasks_.size(); ++i) {
      const Shape& shape = out.program_.steps[out.program_.outputs[i]].shape;
      if (shape.size() != out.tasks_[i].names.size()) {
        refuse(fmt::format("{}: task {}: {} names for {} outputs", where,
                           escape(out.tasks_[i].name), out.tasks_[i].names.size(), shape.size()));
      }
    }
    take_parameters();
  }

 private:
  const nlohmann::json& list(const nlohmann::json& value, const char* key) const {
    const nlohmann::json& found = json_member(value, key, where);
    if (!found.is_array()) refuse(fmt::format("{}: \"{}\" is no list", where, key));
    return found;
  }

  void read_image(const nlohmann::json& value) const {
    if (!value.is_array() || value.size() != out.image_.size())
      refuse(where + ": image: expected channels, height and width");
    for (size_t i = 0; i < out.image_.size(); ++i) {
      out.image_[i] =
          static_cast<size_t>(json_integer(value[i], where + ": image", 1, kLargestSide));
    }
  }

  void read_task(const nlohmann::json& value) const {
    Task task;
    task.name = json_string(json_member(value, "name", where), where);
    const std::string type = json_string(json_member(value, "type", where), where);
    const auto* kind = std::find(std::begin(kKinds), std::end(kKinds), type);
    if (kind == std::end(kKinds))
      refuse(fmt::format("{}: task {}: unknown type {}", where, escape(task.name), escape(type)));
    task.kind = static_cast<Kind>(kind - std::begin(kKinds));
    for (const auto& name : list(value, "names"))
      task.names.push_back(json_string(name, where + ": names"));
    const auto& are_probabilities = json_member(value, "probabilities", where);
    task.has_probabilities = are_probabilities.is_boolean() && are_probabilities.get<bool>();
    out.tasks_.push_back(std::move(task));
  }

  void take_parameters() const {
    for (const auto& parameter : out.program_.parameters) {
      const std::string_view bytes = file.find(parameter.name)->bytes;
      const float* values = floats_of(bytes);
      const bool are_finite = std::all_of(values, values + bytes.size() / sizeof(float),
                                          [](float value) { return std::isfinite(value); });
      if (!are_finite)
        refuse(fmt::format("{}: not all its numbers are finite", escape(parameter.name)));
      out.binding_.values.push_back(values);
      out.binding_.gradients.push_back(Binding::kFrozen);
    }
  }

  // Where they lie in the file; of one that was written without a thought for that, a copy.
  const float* floats_of(std::string_view bytes) const {
    if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0)
      return reinterpret_cast<const float*>(bytes.data());
    std::vector<float>& copy = out.moved_.emplace_back(bytes.size() / sizeof(float));
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy.data();
  }
};

Model::~Model() = default;

std::unique_ptr<Model> Model::load(const std::string& path) {
  try {
    return parse(read_file(path, kMaxBytes), path);
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what(), error.system_code());
  }
}

std::unique_ptr<Model> Model::parse(std::string bytes, const std::string& name) {
  try {
    if (is_sealed(bytes)) verify_seal(bytes, name);
    return parse(Safetensors::parse(std::move(bytes), name), name);
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, error.what());
  }
}

std::unique_ptr<Model> Model::parse(const Safetensors& file, const std::string& name) {
  std::unique_ptr<Model> out(new Model(file));
  try {
    Reader{file, "program", *out}.read();
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint, escape(name) + ": " + error.what());
  }
  return out;
}

size_t Model::width() const {
  size_t out = 0;
  for (const Task& task : tasks_) out += task.names.size();
  return out;
}

// In floats, operation by operation, as libtorch does it in training.
std::vector<float> Model::normalized(const Images& images) const {
  const size_t plane = image_[1] * image_[2], size = images.count * image_[0] * plane;
  std::vector<float> out(size);
  for (size_t i = 0; i < size; ++i)
    out[i] = images.bytes ? static_cast<float>(images.bytes[i]) / 255 : images.values[i];
  for (const auto& [means, deviations] : normalizations_) {
    for (size_t row = 0; row < images.count * image_[0]; ++row) {
      const size_t channel = row % image_[0];
      const auto mean = static_cast<float>(means[means.size() == 1 ? 0 : channel]);
      const auto deviation = static_cast<float>(deviations[deviations.size() == 1 ? 0 : channel]);
      for (float* x = &out[row * plane]; x < &out[row * plane] + plane; ++x)
        *x = (*x - mean) / deviation;
    }
  }
  return out;
}

std::unique_ptr<Kernel> Model::take_kernel() const {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Kernel>(program_);
  std::unique_ptr<Kernel> out = std::move(idle_.back());
  idle_.pop_back();
  return out;
}

void Model::give_back(std::unique_ptr<Kernel> kernel) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(kernel));
}

void Model::outputs(const Images& images, int threads, float* out) const {
  if (threads < 1) {
    throw Error(ExitCode::kUsage, fmt::format("threads: {} is out of range: at least 1", threads));
  }
  if (images.count == 0) return;
  const FlushingDenormals flushing;
  Feed feed;
  std::vector<float> values;
  feed.bytes = images.bytes;
  if (!normalizations_.empty()) {
    values = normalized(images);
    feed.bytes = nullptr;
    feed.values = values.data();
  } else if (!images.bytes) {
    feed.values = images.values;
  }
  std::vector<std::vector<float>> apart;
  std::vector<float*> places;
  for (const Task& task : tasks_) {
    apart.emplace_back(images.count * task.names.size());
    places.push_back(apart.back().data());
  }
  std::unique_ptr<Kernel> kernel = take_kernel();
  kernel->forward(binding_, feed, images.count, threads, places);
  give_back(std::move(kernel));
  const size_t all = width();
  for (size_t image = 0; image < images.count; ++image) {
    float* to = out + image * all;
    for (size_t i = 0; i < tasks_.size(); ++i) {
      const size_t count = tasks_[i].names.size();
      std::copy_n(&apart[i][image * count], count, to);
      to += count;
    }
  }
}

}  // namespace vitrine::infer
