#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/engine/engine.h"

// Image files as a model takes them. Without torch.
namespace vitrine {

// The images that a model takes, and how others became such in its training, as far as its file
// tells.
struct WantedImages {
  int64_t channels = 0, height = 0, width = 0;
  std::optional<ResizeMode> resize;
  double crop_ratio = 1;             // of what is cropped
  std::optional<Colour> background;  // of what is transparent or padded
};

// Reads how images were prepared from what a file's metadata tell of its model. Throws
// Error(kCheckpoint), which begins with `file`, and nlohmann::json::exception.
void read_preparation(const nlohmann::json& description, const std::string& file,
                      WantedImages& out);

// What was done to an image that may not be meant.
struct ImageNote {
  const char* kind;  // the same of all images to which this was done
  std::string text;  // with the image's name
};

struct ImageInput {
  std::vector<uint8_t> planes;  // [channels, height, width]
  std::vector<ImageNote> notes;
};

// An image file, or that on standard input ("-"), as it is wanted: colour is added or taken away,
// other sizes are scaled. Throws Error(kData).
ImageInput image_input(const std::string& path, const WantedImages& wanted,
                       const ImageOptions& options);

}  // namespace vitrine
