#pragma once

#include <string>
#include <string_view>

namespace vitrine {

// MD5 as 32 lower-case hexadecimal digits: of files whose publishers tell no better digest. It
// finds damage, not forgery.
std::string md5_hex(std::string_view bytes);

}  // namespace vitrine
