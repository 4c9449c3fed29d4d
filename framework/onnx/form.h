#pragma once

#include <string>
#include <vector>

#include "framework/onnx/graph.h"
#include "framework/program/operation.h"

// What each operation is in ONNX: a file of framework/onnx/operation/. Without torch.
namespace vitrine {

// A step that is to become nodes.
struct OnnxCall {
  OnnxGraph& graph;
  const OnnxValue& images;                   // float [batch, C, H, W], which `patches` takes
  const std::vector<OnnxValue>& inputs;      // [batch or 1, tokens, columns]
  const std::vector<OnnxValue>& parameters;  // without a name where one is left out
  const Applied& applied;
  const std::string& place;  // for messages: "blocks.0 (pre_norm): the operation gelu"

  int64_t count(size_t number) const { return static_cast<int64_t>(applied.numbers[number]); }
  int64_t tokens(size_t input) const { return static_cast<int64_t>(applied.inputs[input].tokens); }
  int64_t columns(size_t input) const {
    return static_cast<int64_t>(applied.inputs[input].columns);
  }
  int64_t tokens() const { return static_cast<int64_t>(applied.output.tokens); }
  int64_t columns() const { return static_cast<int64_t>(applied.output.columns); }
  // Of a parameter.
  int64_t size(size_t parameter, size_t dimension) const {
    return static_cast<int64_t>(applied.parameters[parameter].at(dimension));
  }
};

// Adds what gives the step's result, [batch or 1, tokens, columns]. Throws as refuse_in_onnx does.
using OnnxForm = OnnxValue (*)(const OnnxCall&);

// Throws Error(kUsage): "... as ONNX: blocks.0 (pre_norm): the operation dropout draws ...".
[[noreturn]] void refuse_in_onnx(const OnnxCall& call, const std::string& what);
// The same for what draws random numbers.
[[noreturn]] void refuse_random_in_onnx(const OnnxCall& call);

void register_onnx_form(const char* operation, OnnxForm form) noexcept;
// Null where there is none.
OnnxForm find_onnx_form(const std::string& operation);

struct RegisteredOnnxForm {
  RegisteredOnnxForm(const char* operation, OnnxForm form) { register_onnx_form(operation, form); }
};

}  // namespace vitrine

// The last statement of the file of an operation's form in ONNX.
#define VITRINE_ONNX_FORM(operation, form)                                                       \
  [[maybe_unused]] static const ::vitrine::RegisteredOnnxForm registered_##operation(#operation, \
                                                                                     form);
