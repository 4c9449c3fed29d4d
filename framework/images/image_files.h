#pragma once

#include <string>
#include <vector>

namespace vitrine {

// The files that a path means: of a folder the images in it and below (by the ends of their names,
// .jpg, .jpeg, .png and .webp; hidden ones are left out), of a pattern such as "a/*.png" what it
// fits, where there is no file of that name; each in the order of their paths. Any other path is
// itself. Throws Error(kData) where a folder or pattern has none.
std::vector<std::string> image_files(const std::string& path);

}  // namespace vitrine
