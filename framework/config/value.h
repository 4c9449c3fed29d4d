#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "framework/config/node.h"

namespace vitrine {

// A value of the command line, which is one word of a shell: a number, true, false, null (or
// nothing at all), else a text. It stands as it is, so that no "#" begins a comment; one that
// begins with a bracket or a quote is YAML. `text` begins at byte `column` of the first line of
// `source`; messages begin with `key`. Throws Error(kUsage) with the place for what is no single
// value: several documents, anchors, tags, a bracket or quote that is not closed or ends too soon.
Node parse_value(std::string_view text, const std::shared_ptr<const Source>& source, size_t column,
                 const std::string& key);

}  // namespace vitrine
