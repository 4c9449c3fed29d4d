#include "framework/files/download.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>

#include "framework/error.h"
#include "framework/files/temporary_file.h"

namespace vitrine {
namespace {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

// What the callbacks of one download share.
struct Transfer {
  const DownloadOptions& options;
  TemporaryFile& file;
  uint64_t received = 0;
  bool too_long = false;
  bool cancelled = false;
  std::exception_ptr problem = nullptr;  // must not fly through C code
};

constexpr size_t kStop = 0;  // fewer bytes than were given end a transfer

size_t on_data(char* data, size_t, size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.received += count;
  transfer.too_long = transfer.received > transfer.options.max_bytes;
  if (transfer.too_long) return kStop;
  try {
    transfer.file.write({data, count});
  } catch (...) {
    transfer.problem = std::current_exception();
    return kStop;
  }
  return count;
}

// Not zero ends the transfer.
int on_progress(void* user, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const DownloadOptions& options = transfer.options;
  try {
    if (options.progress) options.progress(transfer.received, static_cast<uint64_t>(total));
    transfer.cancelled = options.cancelled && options.cancelled();
  } catch (...) {
    transfer.problem = std::current_exception();
  }
  return transfer.cancelled || transfer.problem ? 1 : 0;
}

void allow_https_only(CURL* curl) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTPS);
#endif
}

void configure(CURL* curl, const std::string& url, const std::string& ca_file, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  allow_https_only(curl);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 20L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // signals are the program's own business
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "vitrine");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

std::string reason_for(CURLcode code, CURL* curl, const std::string& ca_file) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the host's name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
      return "the host cannot be reached";
    case CURLE_HTTP_RETURNED_ERROR:
      return "the server answered with status " + std::to_string(status);
    case CURLE_TOO_MANY_REDIRECTS:
      return "more than 5 redirects";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "it is redirected to an address that is not https";
    case CURLE_OPERATION_TIMEDOUT:
      return "no connection in 10 s, or less than 1 KB/s for 20 s";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "the server's certificate is not trusted";
    case CURLE_SSL_CACERT_BADFILE:
      return "cannot read certificates from " + escape(ca_file);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
      return "the connection ended early";
    default:
      return curl_easy_strerror(code);
  }
}

bool is_https(std::string url) {
  url = url.substr(0, 8);
  std::transform(url.begin(), url.end(), url.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return url == "https://";
}

// Empty when everything arrived.
std::string fetch(const std::string& url, const DownloadOptions& options, TemporaryFile& file) {
  const std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
  if (!curl) return "libcurl cannot be started";
  Transfer transfer{options, file};
  configure(curl.get(), url, options.ca_file, transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (transfer.problem) std::rethrow_exception(transfer.problem);
  if (transfer.too_long) {
    return "it is longer than the " + std::to_string(options.max_bytes) + " bytes allowed";
  }
  if (transfer.cancelled) return "cancelled";
  return code == CURLE_OK ? "" : reason_for(code, curl.get(), options.ca_file);
}

}  // namespace

void download(const std::string& url, const std::filesystem::path& destination,
              const DownloadOptions& options) {
  const auto fail = [&](const std::string& reason) {
    throw Error(ExitCode::kData, "cannot download " + escape(url) + ": " + reason);
  };
  if (!is_https(url)) fail("only https addresses are allowed");
  remove_forgotten(destination);
  try {
    TemporaryFile file(destination);
    const std::string reason = fetch(url, options, file);
    if (!reason.empty()) fail(reason);
    if (options.check) options.check(file.path());
    file.commit();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kFailed) throw;
    fail(error.what());
  }
}

}  // namespace vitrine
