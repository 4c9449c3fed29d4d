#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/files/wire_format.h"

// A graph of ONNX' operators that is being written
// (https://onnx.ai/onnx/repo-docs/IR.html), without the libraries of ONNX and protobuf.
namespace vitrine {

// A tensor of a graph. That of a program's step is [batch, tokens, columns], or [1, tokens,
// columns] where it is the same for every image. Without a name: an input that is left out.
struct OnnxValue {
  std::string name;
  bool is_of_each = false;  // its first dimension is the batch
};

enum class OnnxType : int64_t { kFloat = 1, kUint8 = 2, kInt64 = 7 };

struct OnnxAttribute {
  const char* name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};

class OnnxGraph {
 public:
  using Sizes = std::vector<int64_t>;

  explicit OnnxGraph(int64_t opset) : opset_(opset) {}

  int64_t opset() const { return opset_; }

  // --- what it takes and gives, before all else, so that nothing else gets these names

  // [batch, sizes...]
  OnnxValue add_input(const std::string& name, OnnxType type, const Sizes& sizes);
  // Declares float [batch, sizes...]; returns the name that `give` is to give it.
  std::string add_output(const std::string& name, const Sizes& sizes);
  void give(const std::string& output, const OnnxValue& value, const Sizes& sizes);

  // --- nodes

  // Names what is added until the next call: "blocks.0" makes "blocks.0/MatMul".
  void enter(const std::string& scope) { scope_ = scope; }
  // A node; its only output.
  OnnxValue add(const char* type, const std::vector<OnnxValue>& inputs,
                const std::vector<OnnxAttribute>& attributes = {});
  // Weights.
  OnnxValue add_floats(const std::string& name, const Sizes& sizes, const float* values);

  // --- shorthands

  OnnxValue number(double value);           // []
  OnnxValue integers(const Sizes& values);  // [values]
  OnnxValue cast(const OnnxValue& x, OnnxType type);
  // 0 stands for the size that x has there.
  OnnxValue reshape(const OnnxValue& x, const Sizes& sizes);
  OnnxValue transpose(const OnnxValue& x, const Sizes& order);
  OnnxValue slice(const OnnxValue& x, int64_t axis, int64_t first, int64_t count);
  OnnxValue join(const std::vector<OnnxValue>& parts, int64_t axis);
  OnnxValue mean(const OnnxValue& x, int64_t axis);  // which becomes 1
  // x [batch or 1, tokens, columns] with the batch.
  OnnxValue of_each_image(const OnnxValue& x);
  // All of them, where one is.
  std::vector<OnnxValue> of_each_image_where_one_is(std::vector<OnnxValue> values);
  // [.., height * width, channels] -> [.., channels, height, width], and back.
  OnnxValue as_map(const OnnxValue& x, int64_t channels, int64_t height, int64_t width);
  OnnxValue as_tokens(const OnnxValue& map, int64_t channels, int64_t tokens);

  const WireMessage& message() const { return message_; }

 private:
  // The name, or where it is taken one with a number behind it.
  std::string unused(const std::string& name);
  OnnxValue constant(const OnnxAttribute& attribute);
  void declare(int field, const std::string& name, OnnxType type, const Sizes& sizes);
  void add_node(const std::string& type, const std::vector<OnnxValue>& inputs,
                const std::string& output, const std::vector<OnnxAttribute>& attributes);

  int64_t opset_;
  WireMessage message_;  // a GraphProto
  std::string scope_;
  std::map<std::string, int64_t> names_;        // how many there are of each
  std::map<std::string, OnnxValue> constants_;  // by their bytes
  OnnxValue images_, batch_;                    // the input; its first dimension, [1]
};

}  // namespace vitrine
