#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/data/batch_position.h"
#include "framework/model/modules.h"
#include "framework/program/program.h"
#include "framework/registry/registry.h"
#include "framework/tensor.h"

namespace vitrine {

class Value;

// Applies an operation of the folder program/operation, to numbers or as the next step of what is
// recorded. Parameters that are left out are undefined tensors.
Value apply(const char* operation, const std::vector<Value>& inputs,
            const std::vector<Tensor>& parameters = {}, std::vector<double> numbers = {});

// What a part computes with: for each image of a batch a matrix [tokens, columns]. It holds
// numbers, or, while a model is recorded, the step of a program that will give them.
class Value {
 public:
  Value() = default;
  Value(Tensor tensor) : tensor_(std::move(tensor)) {}  // [B or 1, tokens, columns]
  static Value recorded(size_t step, const Shape& shape);

  bool is_recorded() const { return is_recorded_; }
  size_t step() const { return step_; }
  int64_t tokens() const;
  int64_t columns() const;
  // For a part that computes with libtorch itself. A model that has such a part cannot be recorded,
  // and is then executed part by part.
  const Tensor& tensor(const char* file = __builtin_FILE(), int line = __builtin_LINE()) const;

  // With the same shape, or one token or one column that goes with all of the other's.
  friend Value operator+(const Value& a, const Value& b) { return apply("add", {a, b}); }
  friend Value operator-(const Value& a, const Value& b) { return a + b * -1; }
  friend Value operator*(const Value& a, const Value& b) { return apply("multiply", {a, b}); }
  friend Value operator*(const Value& a, double factor) {
    return apply("scale", {a}, {}, {factor});
  }

 private:
  Tensor tensor_;
  bool is_recorded_ = false;
  size_t step_ = 0;
  Shape shape_;
};

// Throws in Value::tensor while a model is recorded.
struct NotRecorded : NoFailure {
  explicit NotRecorded(std::string why) : reason(std::move(why)) {}
  std::string reason;
};

// Names what is executed until it goes: "blocks.0", of the type "pre_norm".
class Scope {
 public:
  Scope(const std::string& name, const std::string& type);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  static std::string path();  // "blocks.0.attention"
};

bool is_recording();
// The number of the next place in the model that draws random numbers.
double next_site();
// Gives a value a name, below that of the scope, by which it can be asked for. `make` is called
// only where the model is recorded.
template <class Make>
void named(const char* name, const Make& make);
void name_value(const char* name, const Value& value);

template <class Make>
void named(const char* name, const Make& make) {
  if (is_recording()) name_value(name, make());
}

// What computing with numbers takes from outside the model.
struct TorchFeed {
  Tensor images;               // [B, C, H, W]
  std::vector<Tensor> inputs;  // what comes with the images, each float [B, columns]
  BatchPosition position;      // of as many images; without indices what is random draws from
                               // libtorch's generator, which is for trials alone
};

// Makes apply compute with `feed` until it goes.
class WithFeed {
 public:
  explicit WithFeed(const TorchFeed& feed);
  ~WithFeed();
  WithFeed(const WithFeed&) = delete;
  WithFeed& operator=(const WithFeed&) = delete;

 private:
  const TorchFeed* before_;
  double site_before_;
};

// Makes apply write a program until it goes.
class Recorder {
 public:
  // `images`: channels, height and width.
  Recorder(const Modules& modules, std::vector<int64_t> images);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  Value images() const;  // to be given to `patches`
  Program& program() { return program_; }
  const std::vector<Tensor>& parameters() const { return parameters_; }

  // Throws Error(kInternal) where operands do not fit, with the scope.
  Value add(const char* operation, const std::vector<Value>& inputs,
            const std::vector<Tensor>& parameters, std::vector<double> numbers);

 private:
  ParameterUse use(const Tensor& parameter);

  std::vector<int64_t> image_sizes_;
  Program program_;
  std::vector<Tensor> parameters_;  // of the program
  Recorder* before_;
  double site_before_;
};

// --- forms in libtorch

struct TorchCall {
  const std::vector<Tensor>& inputs;      // [B or 1, tokens, columns]
  const std::vector<Tensor>& parameters;  // undefined where one is left out
  const std::vector<double>& numbers;
  const TorchFeed* feed;  // may be null where nothing asks for it

  int64_t count(size_t number) const { return static_cast<int64_t>(numbers[number]); }
};
using TorchForm = Tensor (*)(const TorchCall&);

void register_torch_form(const char* operation, TorchForm form) noexcept;
// Throws Error(kInternal) where there is none.
TorchForm find_torch_form(const std::string& operation);

struct RegisteredTorchForm {
  RegisteredTorchForm(const char* operation, TorchForm form) {
    register_torch_form(operation, form);
  }
};

}  // namespace vitrine

// The last statement of the file of an operation's form in libtorch.
#define VITRINE_TORCH_FORM(operation, form)                                                       \
  [[maybe_unused]] static const ::vitrine::RegisteredTorchForm registered_##operation(#operation, \
                                                                                      form);
