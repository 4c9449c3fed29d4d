#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace vitrine {

struct DownloadOptions {
  uint64_t max_bytes = 0;  // a longer answer is refused
  std::string ca_file;     // certificates to trust (PEM); empty: the system's
  // Called as bytes arrive; `total` is 0 while the server has not told it.
  std::function<void(uint64_t received, uint64_t total)> progress = {};
  std::function<bool()> cancelled = {};  // asked often; true ends the download
  // Called with all that came before it gets its name: what is thrown ends the download.
  std::function<void(const std::filesystem::path& file)> check = {};
};

// Fetches an https address into `destination`, by way of `destination`.part. Redirects are followed
// up to five times and stay https; a server that does not connect in 10 s or sends less than 1 KB/s
// for 20 s is given up. Throws Error(kData) with the url and the reason in words; then
// `destination` is as it was and no .part remains. The caller checks a hash before it uses the
// file.
void download(const std::string& url, const std::filesystem::path& destination,
              const DownloadOptions& options);

}  // namespace vitrine
