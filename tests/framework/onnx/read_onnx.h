#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/files/wire_format.h"

// Reads back what ONNX models say, as a person would list it.
namespace vitrine {

struct ReadOnnx {
  struct Initializer {
    std::vector<int64_t> sizes;
    std::vector<float> values;
  };

  int64_t ir_version = 0, opset = 0;
  std::string producer;
  std::vector<std::string> inputs, outputs;  // "images uint8 [batch, 1, 4, 4]"
  std::vector<std::string> nodes;            // "head/Add = Add(head/MatMul, head.bias) axis=1"
  std::vector<std::string> types;            // of the nodes
  std::map<std::string, Initializer> initializers;
  std::map<std::string, std::string> metadata;
};

inline std::vector<WireField> onnx_fields(std::string_view message) {
  const auto out = wire_fields(message);
  if (!out) throw std::runtime_error("no message of protocol buffers");
  return *out;
}

inline std::string read_attribute(std::string_view message) {
  std::string name, value;
  std::vector<int64_t> list;
  int64_t type = 0;
  for (const WireField& field : onnx_fields(message)) {
    if (field.number == 1) name = field.bytes;
    if (field.number == 2) value = fmt::format("{}", field.single());
    if (field.number == 3) value = fmt::format("{}", static_cast<int64_t>(field.integer));
    if (field.number == 4) value = field.bytes;
    if (field.number == 8) list.push_back(static_cast<int64_t>(field.integer));
    if (field.number == 20) type = static_cast<int64_t>(field.integer);
  }
  return name + "=" + (type == 7 ? fmt::format("[{}]", fmt::join(list, ", ")) : value);
}

inline void read_node(std::string_view message, ReadOnnx& out) {
  std::string output, name, type, attributes;
  std::vector<std::string> inputs;
  for (const WireField& field : onnx_fields(message)) {
    if (field.number == 1) inputs.emplace_back(field.bytes);
    if (field.number == 2) output = field.bytes;
    if (field.number == 3) name = field.bytes;
    if (field.number == 4) type = field.bytes;
    if (field.number == 5) attributes += " " + read_attribute(field.bytes);
  }
  if (name != output) throw std::runtime_error("a node is called otherwise than its output");
  out.types.push_back(type);
  out.nodes.push_back(
      fmt::format("{} = {}({}){}", output, type, fmt::join(inputs, ", "), attributes));
}

inline std::string read_value(std::string_view message) {
  std::string name, sizes;
  uint64_t type = 0;
  for (const WireField& field : onnx_fields(message)) {
    if (field.number == 1) name = field.bytes;
    if (field.number != 2) continue;
    for (const WireField& part : onnx_fields(onnx_fields(field.bytes).at(0).bytes)) {
      if (part.number == 1) type = part.integer;
      if (part.number != 2) continue;
      for (const WireField& dim : onnx_fields(part.bytes)) {
        const WireField size = onnx_fields(dim.bytes).at(0);
        sizes += (sizes.empty() ? "" : ", ") +
                 (size.number == 2 ? std::string(size.bytes) : std::to_string(size.integer));
      }
    }
  }
  return fmt::format("{} {} [{}]", name, type == 1 ? "float" : type == 2 ? "uint8" : "?", sizes);
}

inline void read_initializer(std::string_view message, ReadOnnx& out) {
  std::string name;
  ReadOnnx::Initializer read;
  for (const WireField& field : onnx_fields(message)) {
    if (field.number == 1) read.sizes.push_back(static_cast<int64_t>(field.integer));
    if (field.number == 8) name = field.bytes;
    if (field.number != 9) continue;
    read.values.resize(field.bytes.size() / sizeof(float));
    std::memcpy(read.values.data(), field.bytes.data(), field.bytes.size());
  }
  if (!out.initializers.emplace(name, read).second)
    throw std::runtime_error(name + " is there twice");
}

inline void read_graph(std::string_view message, ReadOnnx& out) {
  for (const WireField& field : onnx_fields(message)) {
    if (field.number == 1) read_node(field.bytes, out);
    if (field.number == 5) read_initializer(field.bytes, out);
    if (field.number == 11) out.inputs.push_back(read_value(field.bytes));
    if (field.number == 12) out.outputs.push_back(read_value(field.bytes));
  }
}

inline ReadOnnx read_onnx(std::string_view bytes) {
  ReadOnnx out;
  for (const WireField& field : onnx_fields(bytes)) {
    if (field.number == 1) out.ir_version = static_cast<int64_t>(field.integer);
    if (field.number == 2) out.producer = field.bytes;
    if (field.number == 7) read_graph(field.bytes, out);
    if (field.number == 8) out.opset = static_cast<int64_t>(onnx_fields(field.bytes).at(1).integer);
    if (field.number != 14) continue;
    const auto entry = onnx_fields(field.bytes);
    out.metadata.emplace(entry.at(0).bytes, entry.at(1).bytes);
  }
  return out;
}

}  // namespace vitrine
