#include "framework/sweeps/disk_space.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "framework/error.h"
#include "framework/files/file.h"

namespace vitrine {

bool tells_of_full_disk(std::string_view error) {
  for (const int code : {ENOSPC, EDQUOT}) {
    if (error.find(std::generic_category().message(code)) != error.npos) return true;
  }
  return false;
}

bool has_disk_space(const std::filesystem::path& folder) {
  constexpr size_t kBytes = 64 << 10;
  const std::filesystem::path file = folder / ".room.part";  // a run removes what is called so
  bool out = true;
  try {
    write_file_atomically(file, std::string(kBytes, '\0'));
  } catch (const Error& error) {
    out = !tells_of_full_disk(error.what());
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return out;
}

}  // namespace vitrine
