#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace vitrine {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// The digest of a whole file. Throws Error(kData) where it cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

// A digest of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  std::string hex() const;  // of all bytes so far; more may follow

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace vitrine
