#pragma once

#include <string>
#include <string_view>

namespace vitrine {

// `text` for an element of a page, as html() gives it, which a browser breaks between words and
// after / . = , alone, not within a name, as far as the names fit at all.
std::string breakable(std::string_view text);

}  // namespace vitrine
