#include "framework/data/tensor_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vitrine {
namespace {

std::string name_of(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return "uint8";
    case at::kChar:
      return "int8";
    case at::kShort:
      return "int16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

}  // namespace

std::string type_and_shape(at::ScalarType type, const std::vector<int64_t>& shape) {
  return fmt::format("{} [{}]", name_of(type), fmt::join(shape, ", "));
}

std::string type_and_shape(const Tensor& tensor) {
  return tensor.defined() ? type_and_shape(tensor.scalar_type(), tensor.sizes().vec())
                          : "undefined";
}

std::string some_of(std::vector<std::string> items, const char* separator) {
  constexpr size_t kMost = 8;
  const size_t shown = std::min(items.size(), kMost);
  const std::string rest =
      items.size() > shown ? fmt::format(" and {} more", items.size() - shown) : "";
  items.resize(shown);
  return fmt::format("{}{}", fmt::join(items, separator), rest);
}

}  // namespace vitrine
