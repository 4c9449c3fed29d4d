#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/data/image_source.h"
#include "framework/images/image.h"

namespace vitrine {

// Images in files of a folder: JPEG, PNG, WebP.
class ImageFiles : public ImageSource {
 public:
  using Names = std::shared_ptr<const std::vector<std::string>>;

  // `files` are paths below the folder, which others may hold too: there may be millions. Each
  // image is made grey (1) or coloured (3); what is transparent shows the background.
  ImageFiles(std::filesystem::path folder, Names files, int64_t channels, Colour background);

  int64_t size() const override { return std::ssize(*files_); }
  Image read(int64_t number) const override;
  std::string path(int64_t number) const override;
  uint64_t stored_bytes(int64_t number) const override;
  std::string contents(int64_t number) const override;
  // Their paths and sizes: what is in them is not read.
  void add_to(Sha256& digest, const std::vector<int64_t>& numbers) const override;

 private:
  static constexpr uint64_t kMaxBytes = uint64_t{256} << 20;

  std::filesystem::path folder_;
  Names files_;
  int64_t channels_;
  Colour background_;
};

}  // namespace vitrine
