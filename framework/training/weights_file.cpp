#include "framework/training/weights_file.h"

#include <fmt/format.h>

#include <cstdlib>

#include "framework/files/download.h"
#include "framework/files/paths.h"
#include "framework/files/place.h"
#include "framework/files/safetensors.h"
#include "framework/files/sha256.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxBytes = uint64_t{16} << 30;

// The last part of an address's path, as far as every file system takes it.
std::string name_in(const std::string& address) {
  const std::string path = address.substr(0, address.find_first_of("?#"));
  std::string out;
  for (const char c : path.substr(path.rfind('/') + 1)) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    out += is_plain || (c == '.' && !out.empty()) ? c : '_';
  }
  return out.substr(0, 100);
}

fs::path cached(const std::string& address) {
  const fs::path folder = cache_folder("weights");
  if (folder.empty()) return {};
  return folder / (sha256_hex(address).substr(0, 16) + "-" + name_in(address));
}

// Throws Error(kData) for what is no safetensors file, and for another one than is meant.
void check_fetched(const fs::path& file, const WeightsOptions& weights) {
  const std::string& address = weights.file.value;
  const std::string digest = sha256_of_file(file);
  if (weights.sha256 && digest != *weights.sha256) {
    throw Error(ExitCode::kData,
                fmt::format("{}: wrong checksum: its SHA-256 is {}, model.weights.sha256 is {}",
                            escape(address), digest, *weights.sha256));
  }
  try {
    Safetensors::header_only(file);
  } catch (const Error& error) {
    std::string reason = error.what();
    const std::string name = escape(file.string());
    if (reason.starts_with(name)) reason.replace(0, name.size(), escape(address));
    throw Error(ExitCode::kData, reason);
  }
}

}  // namespace

std::optional<fs::path> local_weights(const std::string& place) {
  const bool is_address = WeightsFile{place}.is_address();
  const fs::path path = is_address ? cached(place) : fs::path(place);
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return path;
  if (!is_address && fs::is_regular_file(path / "model.safetensors", ignored))
    return path / "model.safetensors";
  return std::nullopt;
}

void fetch_weights(const WeightsOptions& weights, Observer& observer) {
  const std::string& address = weights.file.value;
  if (!weights.file.is_address()) return;
  const fs::path file = cached(address);
  if (file.empty()) {
    throw Error(ExitCode::kData, "there is no cache to fetch " + escape(address) +
                                     " into: neither HOME nor XDG_CACHE_HOME is set");
  }
  const auto known = local_weights(address);
  if (known && (!weights.sha256 || sha256_of_file(*known) == *weights.sha256)) return;
  Folder::make(file.parent_path());
  observer.message(
      fmt::format("downloading {} into {}", escape(address), escape(file.parent_path().string())));
  DownloadOptions options;
  options.max_bytes = kMaxBytes;
  if (const char* certificates = std::getenv("VITRINE_CA_FILE")) options.ca_file = certificates;
  options.progress = [&](uint64_t received, uint64_t total) { observer.download(received, total); };
  options.cancelled = [&] { return observer.stop_requested() != ExitCode::kDone; };
  options.check = [&](const fs::path& part) { check_fetched(part, weights); };
  download(address, file, options);
}

}  // namespace vitrine
