#include <algorithm>

#include "framework/files/sealed.h"
#include "framework/files/sha256.h"
#include "framework/runs/checkpoint.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutator.h"

namespace vitrine {
namespace {

constexpr size_t kDigits = 64;

// The file with the digest of its own bytes, because a mutation hardly ever has it.
std::string with_seal(std::string_view bytes) {
  constexpr std::string_view kKey = "\"sha256\":\"";
  std::string out(bytes);
  const size_t key = out.find(kKey);
  if (key == out.npos || out.size() - key < kKey.size() + kDigits) return out;
  const size_t at = key + kKey.size();
  out.replace(at, kDigits, kDigits, '0');
  return out.replace(at, kDigits, sha256_hex(out));
}

// A file of this header, and 16 bytes of tensors.
std::string with_header(std::string_view bytes) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(uint64_t{bytes.size()} >> 8 * i & 0xff);
  return with_seal(out.append(bytes).append(16, '\0'));
}

// A checkpoint without tensors that has these bytes as its state.
std::string with_state(std::string_view bytes) {
  return write_sealed_safetensors(
      {}, {{"format", "vitrine checkpoint 4"}, {"state", std::string(bytes)}});
}

bool are_equal(const Checkpoint& a, const Checkpoint& b) {
  const auto is_in_b = [&](const OwnedTensor& tensor) {
    return std::any_of(b.tensors.begin(), b.tensors.end(), [&](const OwnedTensor& other) {
      return other.name == tensor.name && other.dtype == tensor.dtype &&
             other.shape == tensor.shape && other.bytes == tensor.bytes;
    });
  };
  return a.state == b.state && a.tensors.size() == b.tensors.size() &&
         std::all_of(a.tensors.begin(), a.tensors.end(), is_in_b);
}

// What was accepted is the same after it was saved and loaded again.
void load(const std::string& bytes) {
  static const FuzzFolder folder;
  folder.write("step-00000001.safetensors", bytes);
  folder.remove("step-00000002.safetensors");
  const auto loaded = load_latest(folder.path());
  require(loaded.has_value());
  save_checkpoint(folder.path(), loaded->checkpoint, 2);
  const auto again = load_latest(folder.path());
  require(again && again->warnings.empty());
  require(again->file == checkpoint_file(folder.path(), 2));
  require(are_equal(loaded->checkpoint, again->checkpoint));
}

void check(std::string_view bytes) {
  for (const std::string& file : {std::string(bytes), with_seal(bytes), with_header(bytes)}) {
    try {
      load(file);
    } catch (const Error&) {
    }
  }
  load(with_state(bytes));
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
VITRINE_MUTATES_JSON;
