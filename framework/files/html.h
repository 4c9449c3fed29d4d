#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vitrine {

// `text` for an element or an attribute between double quotes; control characters are escaped as in
// messages.
std::string html(std::string_view text);

// `value` as JSON that nothing can end inside a <script>: ASCII, without <, > and &.
std::string script_json(const nlohmann::ordered_json& value);

// "sha256-...", as a Content-Security-Policy names a script or a style.
std::string content_hash(std::string_view text);

// "data:image/png;base64,..."
std::string data_uri(std::string_view type, std::string_view bytes);

}  // namespace vitrine
