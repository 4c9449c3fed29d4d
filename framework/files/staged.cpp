#include "framework/files/staged.h"

#include "framework/files/file.h"
#include "framework/files/sha256.h"

namespace vitrine {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 20;  // of a config

Place staged(const Place& file) { return file.beside("." + file.filename() + ".next"); }

}  // namespace

void stage(const Place& file, const std::string& text) {
  write_file_atomically(staged(file), text);
}

Place current_place(const Place& file, const std::string& sha256) {
  const bool counts = !sha256.empty() && exists(staged(file)) &&
                      sha256_hex(read_file(staged(file), kMostBytes)) == sha256;
  return counts ? staged(file) : file;
}

void settle(const Place& file, const std::string& sha256) {
  if (current_place(file, sha256).path() == file.path()) {
    remove_file(staged(file));
  } else {
    rename_file(staged(file), file.filename());
  }
}

}  // namespace vitrine
