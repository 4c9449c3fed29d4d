#include "framework/model/value.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <map>

#include "framework/error.h"

namespace vitrine {
namespace {

thread_local Recorder* recorder = nullptr;
thread_local const TorchFeed* feed_of_thread = nullptr;
thread_local double site = 0;  // the next place that draws
thread_local std::vector<std::pair<std::string, std::string>> scopes;

std::map<std::string, TorchForm>& forms() {
  static std::map<std::string, TorchForm> all;
  return all;
}

const std::string& innermost_type() {
  static const std::string none = "the model";
  for (size_t i = scopes.size(); i-- > 0;) {
    if (!scopes[i].second.empty()) return scopes[i].second;
  }
  return none;
}

}  // namespace

Value Value::recorded(size_t step, const Shape& shape) {
  Value out;
  out.is_recorded_ = true;
  out.step_ = step;
  out.shape_ = shape;
  return out;
}

int64_t Value::tokens() const {
  return is_recorded_ ? static_cast<int64_t>(shape_.tokens) : tensor_.size(1);
}

int64_t Value::columns() const {
  return is_recorded_ ? static_cast<int64_t>(shape_.columns) : tensor_.size(2);
}

const Tensor& Value::tensor(const char* file, int line) const {
  if (!is_recorded_) return tensor_;
  const std::string path = Scope::path();
  throw NotRecorded{fmt::format("{}{} computes with libtorch itself ({}:{})",
                                path.empty() ? "" : path + ": ", innermost_type(), file, line)};
}

Scope::Scope(const std::string& name, const std::string& type) { scopes.emplace_back(name, type); }
Scope::~Scope() { scopes.pop_back(); }

std::string Scope::path() {
  std::string out;
  for (const auto& [name, type] : scopes) {
    if (!name.empty()) out += (out.empty() ? "" : ".") + name;
  }
  return out;
}

bool is_recording() { return recorder != nullptr; }

double next_site() { return site++; }

void name_value(const char* name, const Value& value) {
  const std::string path = Scope::path();
  if (recorder) recorder->program().names[path.empty() ? name : path + "." + name] = value.step();
}

Value apply(const char* operation, const std::vector<Value>& inputs,
            const std::vector<Tensor>& parameters, std::vector<double> numbers) {
  if (recorder) return recorder->add(operation, inputs, parameters, std::move(numbers));
  std::vector<Tensor> tensors;
  tensors.reserve(inputs.size());
  for (const Value& input : inputs) tensors.push_back(input.tensor());
  return find_torch_form(operation)({tensors, parameters, numbers, feed_of_thread});
}

WithFeed::WithFeed(const TorchFeed& feed) : before_(feed_of_thread), site_before_(site) {
  feed_of_thread = &feed;
  site = 0;
}
WithFeed::~WithFeed() {
  feed_of_thread = before_;
  site = site_before_;
}

Recorder::Recorder(const Modules& modules, std::vector<int64_t> images)
    : image_sizes_(std::move(images)), before_(recorder), site_before_(site) {
  for (const auto& [name, tensor] : named_tensors(modules)) {
    if (tensor.scalar_type() != at::kFloat) continue;  // a step that reads one is refused
    const std::vector<int64_t> sizes = tensor.sizes().vec();
    program_.parameters.push_back({name, {sizes.begin(), sizes.end()}});
    parameters_.push_back(tensor);
  }
  recorder = this;
  site = 0;
}

Recorder::~Recorder() {
  recorder = before_;
  site = site_before_;
}

Value Recorder::images() const { return Value::recorded(ParameterUse::kNone, {1, 1}); }

ParameterUse Recorder::use(const Tensor& parameter) {
  if (!parameter.defined()) return {};
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].is_same(parameter)) return {i, 0, 0};
  }
  if (parameter.scalar_type() != at::kFloat) {
    throw NotRecorded{fmt::format("{}: {} computes with a tensor of {}, and a program has floats",
                                  Scope::path(), innermost_type(),
                                  c10::toString(parameter.scalar_type()))};
  }
  if (parameter.requires_grad()) {
    throw NotRecorded{fmt::format(
        "{}: {} computes with what was made of a parameter, not with the parameter itself",
        Scope::path(), innermost_type())};
  }
  const std::vector<int64_t> sizes = parameter.sizes().vec();
  program_.parameters.push_back(
      {fmt::format("constant.{}", parameters_.size()), {sizes.begin(), sizes.end()}});
  // It goes with the parameters, wherever they are.
  const at::Device device = parameters_.empty() ? parameter.device() : parameters_.front().device();
  parameters_.push_back(parameter.to(device).contiguous());
  return {parameters_.size() - 1, 0, 0};
}

Value Recorder::add(const char* operation, const std::vector<Value>& inputs,
                    const std::vector<Tensor>& parameters, std::vector<double> numbers) {
  Step step;
  step.operation = operation;
  for (const Value& input : inputs) {
    if (!input.is_recorded()) {
      throw NotRecorded{fmt::format("{}: {} mixes numbers with what is recorded", Scope::path(),
                                    innermost_type())};
    }
    if (input.step() != ParameterUse::kNone) {
      step.inputs.push_back(input.step());
    } else {
      // The images themselves: the operation is told of their sizes.
      numbers.insert(numbers.begin(), image_sizes_.begin(), image_sizes_.end());
    }
  }
  for (const Tensor& parameter : parameters) step.parameters.push_back(use(parameter));
  step.numbers = std::move(numbers);
  const std::string name = scopes.empty() ? "" : scopes.front().first;
  const std::string type = scopes.empty() ? "" : scopes.front().second;
  if (program_.scopes.empty() || program_.scopes.back().name != name)
    program_.scopes.push_back({name, type});
  step.scope = program_.scopes.size() - 1;
  try {
    const size_t added = program_.add(std::move(step));
    return Value::recorded(added, program_.steps[added].shape);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", Scope::path(), error.what()));
  }
}

void register_torch_form(const char* operation, TorchForm form) noexcept {
  try {
    forms()[operation] = form;
  } catch (...) {
    // Without memory for a name the process does not come far.
  }
}

TorchForm find_torch_form(const std::string& operation) {
  const auto found = forms().find(operation);
  if (found != forms().end()) return found->second;
  throw Error(ExitCode::kInternal,
              "the operation " + escape(operation) + " has no form in libtorch");
}

}  // namespace vitrine
