#include "framework/onnx/graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine {
namespace {

// Numbers of fields, as onnx.proto has them.
namespace field {
constexpr int kGraphNode = 1, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12;
constexpr int kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeType = 4, kNodeAttribute = 5;
constexpr int kAttributeName = 1, kAttributeFloat = 2, kAttributeInt = 3, kAttributeString = 4,
              kAttributeInts = 8, kAttributeType = 20;
constexpr int kTensorDim = 1, kTensorType = 2, kTensorName = 8, kTensorBytes = 9;
constexpr int kValueName = 1, kValueType = 2;
constexpr int kTypeTensor = 1, kTensorElement = 1, kTensorShape = 2, kShapeDim = 1, kDimValue = 1,
              kDimName = 2;
}  // namespace field

// As AttributeProto numbers them.
enum AttributeType : int64_t { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };

WireMessage message_of(const OnnxAttribute& attribute) {
  WireMessage out;
  out.bytes(field::kAttributeName, attribute.name);
  AttributeType type = kInt;
  if (const auto* number = std::get_if<float>(&attribute.value)) {
    out.single(field::kAttributeFloat, *number);
    type = kFloat;
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    out.bytes(field::kAttributeString, *text);
    type = kString;
  } else if (const auto* list = std::get_if<std::vector<int64_t>>(&attribute.value)) {
    for (const int64_t each : *list) out.integer(field::kAttributeInts, each);
    type = kInts;
  } else {
    out.integer(field::kAttributeInt, std::get<int64_t>(attribute.value));
  }
  return out.integer(field::kAttributeType, type);
}

}  // namespace

std::string OnnxGraph::unused(const std::string& name) {
  const int64_t count = ++names_[name];
  return count == 1 ? name : unused(fmt::format("{}_{}", name, count));
}

void OnnxGraph::declare(int number, const std::string& name, OnnxType type, const Sizes& sizes) {
  WireMessage shape;
  shape.message(field::kShapeDim, WireMessage().bytes(field::kDimName, "batch"));
  for (const int64_t size : sizes)
    shape.message(field::kShapeDim, WireMessage().integer(field::kDimValue, size));
  WireMessage tensor;
  tensor.integer(field::kTensorElement, static_cast<int64_t>(type))
      .message(field::kTensorShape, shape);
  WireMessage value;
  value.bytes(field::kValueName, name)
      .message(field::kValueType, WireMessage().message(field::kTypeTensor, tensor));
  message_.message(number, value);
}

OnnxValue OnnxGraph::add_input(const std::string& name, OnnxType type, const Sizes& sizes) {
  images_ = {unused(name), true};
  declare(field::kGraphInput, images_.name, type, sizes);
  return images_;
}

std::string OnnxGraph::add_output(const std::string& name, const Sizes& sizes) {
  const std::string out = unused(name);
  declare(field::kGraphOutput, out, OnnxType::kFloat, sizes);
  return out;
}

void OnnxGraph::give(const std::string& output, const OnnxValue& value, const Sizes& sizes) {
  Sizes all = {0};
  all.insert(all.end(), sizes.begin(), sizes.end());
  add_node("Reshape", {of_each_image(value), integers(all)}, output, {});
}

void OnnxGraph::add_node(const std::string& type, const std::vector<OnnxValue>& inputs,
                         const std::string& output, const std::vector<OnnxAttribute>& attributes) {
  WireMessage node;
  for (const OnnxValue& input : inputs) node.bytes(field::kNodeInput, input.name);
  node.bytes(field::kNodeOutput, output)
      .bytes(field::kNodeName, output)
      .bytes(field::kNodeType, type);
  for (const OnnxAttribute& attribute : attributes)
    node.message(field::kNodeAttribute, message_of(attribute));
  message_.message(field::kGraphNode, node);
}

OnnxValue OnnxGraph::add(const char* type, const std::vector<OnnxValue>& inputs,
                         const std::vector<OnnxAttribute>& attributes) {
  const bool is_of_each = std::any_of(inputs.begin(), inputs.end(),
                                      [](const OnnxValue& input) { return input.is_of_each; });
  const OnnxValue out{unused(scope_.empty() ? type : scope_ + "/" + type), is_of_each};
  add_node(type, inputs, out.name, attributes);
  return out;
}

OnnxValue OnnxGraph::add_floats(const std::string& name, const Sizes& sizes, const float* values) {
  WireMessage tensor;
  size_t count = 1;
  for (const int64_t size : sizes) {
    tensor.integer(field::kTensorDim, size);
    count *= static_cast<size_t>(size);
  }
  const OnnxValue out{unused(name)};
  tensor.integer(field::kTensorType, static_cast<int64_t>(OnnxType::kFloat))
      .bytes(field::kTensorName, out.name)
      .bytes(field::kTensorBytes, {reinterpret_cast<const char*>(values), count * sizeof(float)});
  message_.message(field::kGraphInitializer, tensor);
  return out;
}

OnnxValue OnnxGraph::constant(const OnnxAttribute& attribute) {
  OnnxValue& known = constants_[message_of(attribute).text()];
  if (known.name.empty()) {
    known.name = unused("Constant");
    add_node("Constant", {}, known.name, {attribute});
  }
  return known;
}

OnnxValue OnnxGraph::number(double value) {
  return constant({"value_float", static_cast<float>(value)});
}

OnnxValue OnnxGraph::integers(const Sizes& values) { return constant({"value_ints", values}); }

OnnxValue OnnxGraph::cast(const OnnxValue& x, OnnxType type) {
  return add("Cast", {x}, {{"to", static_cast<int64_t>(type)}});
}

OnnxValue OnnxGraph::reshape(const OnnxValue& x, const Sizes& sizes) {
  return add("Reshape", {x, integers(sizes)});
}

OnnxValue OnnxGraph::transpose(const OnnxValue& x, const Sizes& order) {
  return add("Transpose", {x}, {{"perm", order}});
}

OnnxValue OnnxGraph::slice(const OnnxValue& x, int64_t axis, int64_t first, int64_t count) {
  return add("Slice", {x, integers({first}), integers({first + count}), integers({axis})});
}

OnnxValue OnnxGraph::join(const std::vector<OnnxValue>& parts, int64_t axis) {
  return add("Concat", parts, {{"axis", axis}});
}

OnnxValue OnnxGraph::mean(const OnnxValue& x, int64_t axis) {
  if (opset_ >= 18) return add("ReduceMean", {x, integers({axis})});
  return add("ReduceMean", {x}, {{"axes", Sizes{axis}}});
}

OnnxValue OnnxGraph::of_each_image(const OnnxValue& x) {
  if (x.is_of_each) return x;
  if (batch_.name.empty())
    batch_ = add("Shape", {images_}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
  OnnxValue out = add("Expand", {x, join({batch_, integers({1, 1})}, 0)});
  out.is_of_each = true;
  return out;
}

std::vector<OnnxValue> OnnxGraph::of_each_image_where_one_is(std::vector<OnnxValue> values) {
  const auto is_of_each = [](const OnnxValue& value) { return value.is_of_each; };
  if (std::any_of(values.begin(), values.end(), is_of_each)) {
    for (OnnxValue& value : values) value = of_each_image(value);
  }
  return values;
}

OnnxValue OnnxGraph::as_map(const OnnxValue& x, int64_t channels, int64_t height, int64_t width) {
  return reshape(transpose(x, {0, 2, 1}), {0, channels, height, width});
}

OnnxValue OnnxGraph::as_tokens(const OnnxValue& map, int64_t channels, int64_t tokens) {
  return transpose(reshape(map, {0, channels, tokens}), {0, 2, 1});
}

}  // namespace vitrine
