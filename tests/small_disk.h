#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/skip.h"

namespace vitrine {

// A file system of so many KiB over `folder`, for as long as this lives. Where mounting is not
// allowed, it is not mounted and the test is skipped.
class SmallDisk {
 public:
  SmallDisk(const std::filesystem::path& folder, int kibibytes) : folder_(folder) {
    const std::string size = "size=" + std::to_string(kibibytes) + "k";
    mounted_ = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted_) {
      skip("the tests on a full disk: mounting a small file system needs root (" +
           std::string(std::strerror(errno)) + ")");
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::filesystem::path folder_;
  bool mounted_ = false;
};

}  // namespace vitrine
