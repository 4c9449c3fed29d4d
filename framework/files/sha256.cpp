#include "framework/files/sha256.h"

#include <openssl/sha.h>

#include <fstream>

#include "framework/error.h"

// OpenSSL would rather have its newer functions called, which choose among providers: of these its
// configuration is read and all its algorithms are listed first, a millisecond for what these do at
// once, and a program that links OpenSSL's archive would have all of it inside.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace vitrine {

struct Sha256::Context {
  SHA256_CTX state;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { SHA256_Init(&context_->state); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  SHA256_Update(&context_->state, bytes.data(), bytes.size());
}

std::string Sha256::hex() const {
  SHA256_CTX copy = context_->state;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_Final(digest, &copy);
  std::string out;
  for (const unsigned char byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

#pragma GCC diagnostic pop

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string piece(size_t{1} << 20, '\0');
  Sha256 hash;
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    hash.update(std::string_view(piece).substr(0, static_cast<size_t>(in.gcount())));
  }
  if (!in.eof()) throw Error(ExitCode::kData, escape(file.string()) + ": cannot be read");
  return hash.hex();
}

}  // namespace vitrine
