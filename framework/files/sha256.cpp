#include "framework/files/sha256.h"

#include <openssl/evp.h>

#include <fstream>

#include "framework/error.h"

namespace vitrine {
namespace {

using ContextPointer = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

void require(bool success) {
  if (!success) throw Error(ExitCode::kInternal, "SHA-256 is not available in this OpenSSL");
}

}  // namespace

struct Sha256::Context {
  ContextPointer pointer{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(context_->pointer != nullptr);
  require(EVP_DigestInit_ex(context_->pointer.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_->pointer.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() const {
  const ContextPointer copy(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  require(copy && EVP_MD_CTX_copy_ex(copy.get(), context_->pointer.get()) == 1);
  require(EVP_DigestFinal_ex(copy.get(), digest, &length) == 1);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 15];
  }
  return out;
}

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
