#include "framework/files/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <tuple>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/json.h"

namespace vitrine {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

struct DTypeInfo {
  std::string_view name;
  int64_t size;
};

// In the order of DType.
constexpr std::array<DTypeInfo, 13> kDTypes{{{"BOOL", 1},
                                             {"U8", 1},
                                             {"I8", 1},
                                             {"I16", 2},
                                             {"U16", 2},
                                             {"I32", 4},
                                             {"U32", 4},
                                             {"I64", 8},
                                             {"U64", 8},
                                             {"F16", 2},
                                             {"BF16", 2},
                                             {"F32", 4},
                                             {"F64", 8}}};
constexpr uint64_t kLengthBytes = 8;
constexpr const char* kMetadataKey = "__metadata__";

std::string tensor_label(std::string_view name) { return "tensor \"" + escape(name) + "\""; }

struct Entry {
  TensorView view;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct Header {
  std::vector<Entry> entries;  // by offset
  std::map<std::string, std::string> metadata;
  uint64_t length = 0;  // of the JSON
};

// Rule 1: the header's length, for a file of `file_size` bytes.
uint64_t parse_length(std::string_view start, uint64_t file_size, std::string_view name) {
  if (start.size() < kLengthBytes) {
    refuse_data(name, "truncated: " + std::to_string(start.size()) +
                          " bytes, a safetensors file begins with 8");
  }
  uint64_t length = 0;
  std::memcpy(&length, start.data(), sizeof length);
  if (start.starts_with("PK\x03\x04")) {
    refuse_data(
        name,
        "no safetensors file but a zip archive, as torch.save writes; safetensors.torch.save_file "
        "writes what can be read here");
  }
  constexpr uint64_t kMost = 100'000'000;  // of the format
  if (length > kMost) {
    refuse_data(name, "no safetensors file: it does not begin with the length of a header");
  }
  if (length > kMaxSafetensorsHeader) {
    refuse_data(name, "header of " + std::to_string(length) + " bytes, at most " +
                          std::to_string(kMaxSafetensorsHeader) + " are allowed");
  }
  if (length > file_size - kLengthBytes) {
    refuse_data(name, "truncated: header of " + std::to_string(length) + " bytes in a file of " +
                          std::to_string(file_size));
  }
  return length;
}

DType parse_dtype(const json& value, const std::string& where) {
  const std::string text = json_string(value, where + ".dtype");
  std::string known;
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == text) return static_cast<DType>(i);
    known += (i ? ", " : "") + std::string(kDTypes[i].name);
  }
  refuse_data(where, "unknown dtype \"" + escape(text) + "\"; known are " + known);
}

std::vector<int64_t> parse_list(const json& value, const std::string& where) {
  if (!value.is_array()) refuse_data(where, "expected a list of integers");
  std::vector<int64_t> list;
  for (const json& item : value) list.push_back(json_integer(item, where, 0));
  return list;
}

Entry parse_entry(const std::string& key, const json& value, std::string_view name) {
  const std::string where = std::string(name) + ": tensor \"" + key + "\"";
  Entry entry;
  entry.view.name = key;
  entry.view.dtype = parse_dtype(json_member(value, "dtype", where), where);
  entry.view.shape = parse_list(json_member(value, "shape", where), where + ".shape");
  const auto offsets =
      parse_list(json_member(value, "data_offsets", where), where + ".data_offsets");
  if (offsets.size() != 2) refuse_data(where, "data_offsets must have 2 entries");
  entry.begin = static_cast<uint64_t>(offsets[0]);
  entry.end = static_cast<uint64_t>(offsets[1]);
  return entry;
}

std::map<std::string, std::string> parse_metadata(const json& value, std::string_view name) {
  const std::string where = std::string(name) + ": " + kMetadataKey;
  if (!value.is_object()) refuse_data(where, "expected an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    metadata[key] = json_string(text, where + "." + key);
  }
  return metadata;
}

// Rule 2, and the tensors sorted for rule 3.
Header parse_header(std::string_view text, std::string_view name) {
  if (!text.starts_with('{')) refuse_data(name, "the safetensors header does not begin with {");
  const json root = parse_json(text, std::string(name) + ": header");
  Header header;
  header.length = text.size();
  for (const auto& [key, value] : root.items()) {
    if (key == kMetadataKey) {
      header.metadata = parse_metadata(value, name);
    } else {
      header.entries.push_back(parse_entry(key, value, name));
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.view.name) < std::tie(b.begin, b.end, b.view.name);
  });
  return header;
}

// Bytes of the elements; false where that is more than 64 bits can say.
bool byte_count(const TensorView& view, uint64_t& count) {
  count = 1;
  for (const int64_t size : view.shape) {
    if (size < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(size), &count))
      return false;
  }
  return !__builtin_mul_overflow(count, static_cast<uint64_t>(dtype_size(view.dtype)), &count);
}

// Rules 3 to 5: the tensors fill the data exactly, without hole or overlap.
void check_layout(const Header& header, uint64_t file_size, std::string_view name) {
  uint64_t last = 0;
  for (const Entry& entry : header.entries) {
    const std::string label = tensor_label(entry.view.name);
    if (entry.end < entry.begin) {
      refuse_data(name, label + " ends at " + std::to_string(entry.end) + ", before its begin at " +
                            std::to_string(entry.begin));
    }
    if (entry.begin != last) {
      refuse_data(name, label + " begins at " + std::to_string(entry.begin) +
                            ", but the tensors before it end at " + std::to_string(last));
    }
    last = entry.end;
  }
  for (const Entry& entry : header.entries) {
    const std::string label = tensor_label(entry.view.name);
    uint64_t count = 0;
    if (!byte_count(entry.view, count)) refuse_data(name, label + " has a shape that is too large");
    if (count != entry.end - entry.begin) {
      refuse_data(name, label + " needs " + std::to_string(count) +
                            " bytes for its shape and has " +
                            std::to_string(entry.end - entry.begin));
    }
  }
  const uint64_t data = file_size - kLengthBytes - header.length;
  if (last != data) {
    refuse_data(name,
                (last > data ? "truncated: the tensors need " : "too long: the tensors need ") +
                    std::to_string(last) + " bytes, the file has " + std::to_string(data));
  }
}

// Sorted as the format's own writer does, so that every tensor starts at a multiple of its size.
std::vector<const TensorView*> in_file_order(const std::vector<TensorView>& tensors) {
  std::vector<const TensorView*> order;
  order.reserve(tensors.size());
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const int64_t size_a = dtype_size(a->dtype), size_b = dtype_size(b->dtype);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  return order;
}

// `has_bytes`: those of the tensors are there.
void check_writable(const std::vector<TensorView>& tensors, bool has_bytes) {
  std::set<std::string_view> names{kMetadataKey};
  for (const TensorView& tensor : tensors) {
    const std::string label = "cannot write " + tensor_label(tensor.name);
    uint64_t count = 0;
    if (!names.insert(tensor.name).second) {
      throw Error(ExitCode::kFailed, label + ": its name is taken");
    }
    if (!byte_count(tensor, count) || (has_bytes && count != tensor.bytes.size())) {
      throw Error(ExitCode::kFailed, label + ": its shape does not fit its " +
                                         std::to_string(tensor.bytes.size()) + " bytes");
    }
  }
}

std::string quoted(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::type_error&) {
    throw Error(ExitCode::kFailed, "cannot write \"" + escape(text) + "\": it is not UTF-8");
  }
}

std::string header_text(const std::vector<const TensorView*>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string out = "{";
  const auto key = [&](const std::string& text) {
    if (out.back() != '{') out += ',';
    out += quoted(text) + ':';
  };
  if (!metadata.empty()) {
    out += quoted(kMetadataKey) + ":{";
    for (const auto& [name, text] : metadata) {
      key(name);
      out += quoted(text);
    }
    out += '}';
  }
  uint64_t offset = 0;
  for (const TensorView* tensor : tensors) {
    uint64_t count = 0;
    byte_count(*tensor, count);
    const uint64_t end = offset + count;
    key(tensor->name);
    out += "{\"dtype\":\"" + std::string(dtype_name(tensor->dtype)) +
           "\",\"shape\":" + json(tensor->shape).dump() +
           ",\"data_offsets\":" + json{offset, end}.dump() + "}";
    offset = end;
  }
  out += '}';
  out.append((8 - out.size() % 8) % 8, ' ');
  return out;
}

// What stands before the data.
std::string start_of_file(const std::vector<const TensorView*>& order,
                          const std::map<std::string, std::string>& metadata) {
  const std::string header = header_text(order, metadata);
  if (header.size() > kMaxSafetensorsHeader) {
    throw Error(ExitCode::kFailed, "cannot write a safetensors header of " +
                                       std::to_string(header.size()) + " bytes, at most " +
                                       std::to_string(kMaxSafetensorsHeader) + " are allowed");
  }
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header;
}

}  // namespace

std::string_view dtype_name(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

int64_t dtype_size(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].size; }

Safetensors::Safetensors(std::vector<TensorView> tensors,
                         std::map<std::string, std::string> metadata)
    : tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
  for (size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

Safetensors Safetensors::parse(std::string bytes, std::string_view name) {
  const auto storage = std::make_shared<const std::string>(std::move(bytes));
  const std::string_view file = *storage;
  const uint64_t length = parse_length(file, file.size(), name);
  Header header = parse_header(file.substr(kLengthBytes, length), name);
  check_layout(header, file.size(), name);
  std::vector<TensorView> tensors;
  for (Entry& entry : header.entries) {
    entry.view.bytes = file.substr(kLengthBytes + length + entry.begin, entry.end - entry.begin);
    tensors.push_back(std::move(entry.view));
  }
  Safetensors out(std::move(tensors), std::move(header.metadata));
  out.storage_ = storage;
  return out;
}

Safetensors Safetensors::load(const Place& place, uint64_t limit) {
  return parse(read_file(place, limit), place.path().string());
}

Safetensors Safetensors::header_only(const Place& place) {
  const std::string name = place.path().string();
  const FileStart first = read_file_start(place, kLengthBytes);
  const uint64_t length = parse_length(first.bytes, first.size, name);
  const FileStart start = read_file_start(place, kLengthBytes + length);
  if (start.size != first.size || start.bytes.size() != kLengthBytes + length) {
    refuse_data(name, "the file changed while it was read");
  }
  Header header = parse_header(std::string_view(start.bytes).substr(kLengthBytes), name);
  check_layout(header, start.size, name);
  std::vector<TensorView> tensors;
  for (Entry& entry : header.entries) tensors.push_back(std::move(entry.view));
  return Safetensors(std::move(tensors), std::move(header.metadata));
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

std::string write_safetensors(const std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  check_writable(tensors, true);
  const std::vector<const TensorView*> order = in_file_order(tensors);
  const std::string start = start_of_file(order, metadata);
  uint64_t total = start.size();
  for (const TensorView* tensor : order) total += tensor->bytes.size();
  std::string out;
  out.reserve(total);
  out += start;
  for (const TensorView* tensor : order) out += tensor->bytes;
  return out;
}

std::string safetensors_start(std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  check_writable(tensors, false);
  std::vector<TensorView> sorted;
  for (const TensorView* tensor : in_file_order(tensors)) sorted.push_back(*tensor);
  tensors = std::move(sorted);
  return start_of_file(in_file_order(tensors), metadata);
}

}  // namespace vitrine
