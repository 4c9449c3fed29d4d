#include "framework/onnx/onnx.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <numeric>

#include "framework/error.h"
#include "framework/onnx/form.h"

namespace vitrine {
namespace {

// Numbers of fields of ModelProto, as onnx.proto has them.
constexpr int kIrVersion = 1, kProducer = 2, kGraph = 7, kOpset = 8, kMetadata = 14;
constexpr int kGraphName = 2, kDomain = 1, kVersion = 2, kKey = 1, kValue = 2;

// Of all that protocol buffers can hold.
constexpr double kMostBytes = 2147483647;

std::map<std::string, OnnxForm>& onnx_forms() {
  static std::map<std::string, OnnxForm> all;
  return all;
}

// The version of the format that came with an opset, so that runtimes of its time read it.
int64_t ir_version(int64_t opset) { return opset < 19 ? 8 : opset < 21 ? 9 : opset < 23 ? 10 : 11; }

int64_t whole(size_t number) { return static_cast<int64_t>(number); }

OnnxGraph::Sizes sizes_of(const Program::Parameter& parameter) {
  return {parameter.sizes.begin(), parameter.sizes.end()};
}

// Before gigabytes are copied.
void check_size(const Program& program) {
  std::vector<bool> is_used(program.parameters.size());
  for (const Step& step : program.steps) {
    for (const ParameterUse& use : step.parameters) {
      if (use.index != ParameterUse::kNone) is_used[use.index] = true;
    }
  }
  double bytes = 0;
  for (size_t i = 0; i < is_used.size(); ++i) {
    double numbers = is_used[i] ? 1 : 0;
    for (const size_t size : program.parameters[i].sizes) numbers *= static_cast<double>(size);
    bytes += numbers * sizeof(float);
  }
  if (bytes < kMostBytes) return;
  throw Error(ExitCode::kUsage,
              fmt::format("the model cannot be written as ONNX: its weights are {:.1f} GB, and a "
                          "file holds 2; weights beside the file are not written",
                          bytes / 1e9));
}

class OnnxWriter {
 public:
  explicit OnnxWriter(const OnnxModel& model)
      : model_(model), graph_(model.opset), weights_(model.parameters.size()) {
    std::vector<size_t> wanted;
    for (const auto& output : model.outputs) wanted.push_back(output.step);
    program_ = pruned(model.program, wanted);
    check_size(program_);
  }

  std::string result() {
    const auto& images = model_.images;
    pixels_ = graph_.add_input("images", images.are_bytes ? OnnxType::kUint8 : OnnxType::kFloat,
                               {whole(images.channels), whole(images.height), whole(images.width)});
    std::vector<std::string> names;
    for (size_t i = 0; i < model_.outputs.size(); ++i)
      names.push_back(graph_.add_output(model_.outputs[i].name, {numbers_of(i)}));
    if (images.are_bytes) normalize();
    for (const Step& step : program_.steps) values_.push_back(nodes_of(step));
    graph_.enter("");
    for (size_t i = 0; i < names.size(); ++i)
      graph_.give(names[i], values_[program_.outputs[i]], {numbers_of(i)});
    return file();
  }

 private:
  // Numbers of an image in an output.
  int64_t numbers_of(size_t output) const {
    return whole(program_.steps[program_.outputs[output]].shape.size());
  }

  void normalize() {
    const auto by_channel = [&](const char* name, const std::vector<double>& values) {
      const std::vector<float> floats(values.begin(), values.end());
      return graph_.add_floats(name, {1, whole(floats.size()), 1, 1}, floats.data());
    };
    graph_.enter("images");
    pixels_ = graph_.add("Div", {graph_.cast(pixels_, OnnxType::kFloat), graph_.number(255)});
    for (const Normalization& each : model_.images.normalizations) {
      pixels_ = graph_.add("Sub", {pixels_, by_channel("normalize.mean", each.mean)});
      pixels_ = graph_.add("Div", {pixels_, by_channel("normalize.std", each.std)});
    }
  }

  OnnxValue weights_of(const ParameterUse& use) {
    if (use.index == ParameterUse::kNone) return {};
    OnnxValue& whole_parameter = weights_[use.index];
    if (whole_parameter.name.empty()) {
      const Program::Parameter& parameter = program_.parameters[use.index];
      whole_parameter =
          graph_.add_floats(parameter.name, sizes_of(parameter), model_.parameters[use.index]);
    }
    if (use.count == 0) return whole_parameter;
    return graph_.slice(whole_parameter, 0, whole(use.first), whole(use.count));
  }

  OnnxValue nodes_of(const Step& step) {
    const Program::Scope& scope = program_.scopes[step.scope];
    graph_.enter(scope.name);
    std::string place = scope.name;
    if (!scope.type.empty()) place += fmt::format("{}({})", place.empty() ? "" : " ", scope.type);
    if (!place.empty()) place += ": ";
    place += "the operation " + escape(step.operation);
    std::vector<OnnxValue> inputs, parameters;
    for (const size_t input : step.inputs) inputs.push_back(values_[input]);
    for (const ParameterUse& use : step.parameters) parameters.push_back(weights_of(use));
    const OnnxCall call{graph_, pixels_, inputs, parameters, program_.applied(step), place};
    if (const OnnxForm form = find_onnx_form(step.operation)) return form(call);
    refuse_in_onnx(call, "has no form in ONNX; VITRINE_ONNX_FORM registers one");
  }

  std::string file() {
    WireMessage graph = graph_.message(), out;
    graph.bytes(kGraphName, "vitrine");
    out.integer(kIrVersion, ir_version(model_.opset))
        .bytes(kProducer, "vitrine")
        .message(kGraph, graph)
        .message(kOpset, WireMessage().bytes(kDomain, "").integer(kVersion, model_.opset));
    for (const auto& [key, value] : model_.metadata)
      out.message(kMetadata, WireMessage().bytes(kKey, key).bytes(kValue, value));
    return out.text();
  }

  const OnnxModel& model_;
  Program program_;
  OnnxGraph graph_;
  OnnxValue pixels_;
  std::vector<OnnxValue> weights_;  // of each parameter, once a step takes it
  std::vector<OnnxValue> values_;   // of each step
};

}  // namespace

void refuse_in_onnx(const OnnxCall& call, const std::string& what) {
  throw Error(ExitCode::kUsage,
              fmt::format("the model cannot be written as ONNX: {} {}", call.place, what));
}

void refuse_random_in_onnx(const OnnxCall& call) {
  refuse_in_onnx(call,
                 "draws random numbers in evaluation too, those of each image, which ONNX has not; "
                 "what draws them only where is_training() says so can be written");
}

void register_onnx_form(const char* operation, OnnxForm form) noexcept {
  try {
    onnx_forms()[operation] = form;
  } catch (...) {
    // Without memory for a name the process does not come far.
  }
}

OnnxForm find_onnx_form(const std::string& operation) {
  const auto found = onnx_forms().find(operation);
  return found == onnx_forms().end() ? nullptr : found->second;
}

std::string onnx_model(const OnnxModel& model) { return OnnxWriter(model).result(); }

}  // namespace vitrine
