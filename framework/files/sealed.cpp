#include "framework/files/sealed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "framework/error.h"
#include "framework/files/sha256.h"

namespace vitrine {
namespace {

const std::string kZeros(64, '0');

// Where the 64 digits stand in the file; npos when it has none. Inside any other string of the
// header the quotes would be escaped, so what is found is the key itself.
size_t digest_position(std::string_view file) {
  static constexpr std::string_view kKey = "\"sha256\":\"";
  if (file.size() < 8) return file.npos;
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(file[i]);
  const std::string_view header = file.substr(8, std::min<uint64_t>(length, file.size() - 8));
  const size_t key = header.find(kKey);
  if (key == header.npos || header.size() - key < kKey.size() + kZeros.size()) return file.npos;
  return 8 + key + kKey.size();
}

std::string digest_with_zeros(std::string_view file, size_t position) {
  Sha256 hash;
  hash.update(file.substr(0, position));
  hash.update(kZeros);
  hash.update(file.substr(position + kZeros.size()));
  return hash.hex();
}

}  // namespace

std::string write_sealed_safetensors(const std::vector<TensorView>& tensors,
                                     std::map<std::string, std::string> metadata) {
  metadata["sha256"] = kZeros;
  std::string file = write_safetensors(tensors, metadata);
  const size_t position = digest_position(file);
  const std::string digest = digest_with_zeros(file, position);
  return file.replace(position, digest.size(), digest);
}

bool is_sealed(std::string_view file) { return digest_position(file) != file.npos; }

void verify_seal(std::string_view file, std::string_view name) {
  const std::string where = name.empty() ? "" : escape(name) + ": ";
  const size_t position = digest_position(file);
  if (position == file.npos) {
    throw Error(ExitCode::kData,
                where + "its header holds no SHA-256, so it is no checkpoint or damaged");
  }
  if (file.substr(position, kZeros.size()) == digest_with_zeros(file, position)) return;
  throw Error(ExitCode::kData, fmt::format("{}the SHA-256 of its {} bytes is not the recorded one: "
                                           "it was cut, changed or damaged",
                                           where, file.size()));
}

}  // namespace vitrine
