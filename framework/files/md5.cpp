#include "framework/files/md5.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "framework/error.h"

namespace vitrine {

std::string md5_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_md5(), nullptr) != 1)
    throw Error(ExitCode::kInternal, "MD5 is not available in this OpenSSL");
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

}  // namespace vitrine
