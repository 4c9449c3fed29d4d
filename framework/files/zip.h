#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// The files in a zip archive, by their numbers. Throws Error(kData), which begins with the
// archive's name, where it is missing or no zip archive.
class ZipFile {
 public:
  explicit ZipFile(const std::string& path);
  // Of bytes, which must live as long.
  ZipFile(std::string_view bytes, std::string_view name);
  ZipFile(ZipFile&&) noexcept;
  ~ZipFile();

  const std::vector<std::string>& names() const { return names_; }
  // Unpacked bytes of a file, as the archive tells. Throws Error(kData) where they cannot be so
  // many, or are not packed by deflate, whose growth has a bound.
  uint64_t size(size_t index) const;
  // The first `count` unpacked bytes of a file; fewer where it is shorter. Memory is taken only for
  // bytes that there are. Throws Error(kData) where they are damaged or encrypted.
  std::string read_start(size_t index, uint64_t count) const;
  // All of a file. Throws Error(kData) where it has more than `limit` bytes, or others than the
  // archive tells.
  std::string read(size_t index, uint64_t limit) const;

 private:
  struct Archive;

  void list();
  [[noreturn]] void fail(const std::string& problem) const;

  std::string name_;
  std::unique_ptr<Archive> archive_;
  std::vector<std::string> names_;
};

}  // namespace vitrine
