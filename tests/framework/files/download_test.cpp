#include "framework/files/download.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

constexpr uint64_t kBodyBytes = 256 * 300;

// https_server.py on a free port, with a certificate for localhost that it signed itself.
class Server {
 public:
  Server() {
    setenv("no_proxy", "localhost,127.0.0.1", 1);
    const std::string make_certificate =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost -keyout '" +
        key() + "' -out '" + certificate() + "' >/dev/null 2>&1";
    if (std::system(make_certificate.c_str()) == 0) start();
  }
  ~Server() {
    if (input_ >= 0) close(input_);
    if (process_ > 0) waitpid(process_, nullptr, 0);
  }

  bool running() const { return port_ > 0; }
  std::string url(const std::string& path) const {
    return "https://localhost:" + std::to_string(port_) + "/" + path;
  }
  std::string certificate() const { return (folder_ / "certificate.pem").string(); }

 private:
  std::string key() const { return (folder_ / "key.pem").string(); }

  void start() {
    const std::string script = VITRINE_SOURCE_DIR "/tests/framework/files/https_server.py";
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      execlp("python3", "python3", script.c_str(), certificate().c_str(), key().c_str(), nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    input_ = to[1];
    char text[16] = "";
    if (read(from[0], text, sizeof text - 1) > 0) port_ = std::atoi(text);
    close(from[0]);
  }

  TemporaryFolder folder_;
  pid_t process_ = 0;
  int input_ = -1;
  int port_ = 0;
};

// One server for all tests here; it needs python3 and openssl, which scripts/setup.sh installs.
const Server* server() {
  static const Server instance;
  REQUIRE(instance.running());
  return &instance;
}

DownloadOptions options(uint64_t max_bytes = kBodyBytes) {
  DownloadOptions options;
  options.max_bytes = max_bytes;
  options.ca_file = server()->certificate();
  return options;
}

// Why the download of `url` failed; checks that it left what was there, and nothing else.
std::string reason(const std::string& url, const DownloadOptions& options) {
  TemporaryFolder folder;
  write_plain(folder / "file", "old");
  const std::string message =
      message_of(ExitCode::kData, [&] { download(url, folder / "file", options); });
  CHECK(read_file(folder / "file", 100) == "old");
  CHECK(folder.count() == 1);
  const std::string start = "cannot download " + url + ": ";
  REQUIRE(message.substr(0, start.size()) == start);
  return message.substr(start.size());
}

void check_arrives(const std::string& path) {
  TemporaryFolder folder;
  download(server()->url(path), folder / "file", options());
  const std::string bytes = read_file(folder / "file", kBodyBytes);
  CHECK(sha256_hex(bytes) == "f8b0585eb91f58c007a5634362c9f90d8543822c113f702523bc7b73408a9392");
  CHECK(folder.count() == 1);
}

TEST_CASE("download fetches a file, with or without a length, over up to five redirects") {
  for (const std::string path : {"file", "unmeasured", "hop/1", "hop/5"}) check_arrives(path);
}

TEST_CASE("download tells its progress") {
  TemporaryFolder folder;
  uint64_t last_received = 0, last_total = 0;
  DownloadOptions watched = options();
  watched.progress = [&](uint64_t received, uint64_t total) {
    CHECK(received >= last_received);
    last_received = received;
    last_total = total;
  };
  download(server()->url("file"), folder / "file", watched);
  CHECK(last_received == kBodyBytes);
  CHECK(last_total == kBodyBytes);
}

TEST_CASE("download allows https only, redirects too") {
  CHECK(reason("http://localhost/file", {}) == "only https addresses are allowed");
  CHECK(reason("file:///etc/hostname", {}) == "only https addresses are allowed");
  CHECK(reason("", {}) == "only https addresses are allowed");
  const std::string not_https = "it is redirected to an address that is not https";
  CHECK(reason(server()->url("http"), options()) == not_https);
  CHECK(reason(server()->url("local"), options()) == not_https);
}

TEST_CASE("download says what the server did wrong") {
  CHECK(reason(server()->url("missing"), options()) == "the server answered with status 404");
  CHECK(reason(server()->url("loop"), options()) == "more than 5 redirects");
  CHECK(reason(server()->url("hop/6"), options()) == "more than 5 redirects");
  CHECK(reason(server()->url("short"), options()) == "the connection ended early");
  CHECK(reason("https://localhost:1/file", options()) == "the host cannot be reached");
}

TEST_CASE("download stops at the limit") {
  for (const std::string path : {"file", "unmeasured", "hop/2"}) {
    CHECK(reason(server()->url(path), options(kBodyBytes - 1)) ==
          "it is longer than the 76799 bytes allowed");
  }
  CHECK(reason(server()->url("endless"), options(1'000'000)) ==
        "it is longer than the 1000000 bytes allowed");
}

TEST_CASE("download checks certificates") {
  DownloadOptions system_only = options();
  system_only.ca_file.clear();
  const std::string untrusted = "the server's certificate is not trusted";
  CHECK(reason(server()->url("file"), system_only) == untrusted);
  std::string other_name = server()->url("file");  // the certificate is for localhost alone
  other_name.replace(other_name.find("localhost"), 9, "127.0.0.1");
  CHECK(reason(other_name, options()) == untrusted);
  DownloadOptions missing = options();
  missing.ca_file = "/nowhere/ca.pem";
  CHECK(reason(server()->url("file"), missing) == "cannot read certificates from /nowhere/ca.pem");
}

TEST_CASE("download can be cancelled") {
  DownloadOptions cancelled = options(UINT64_MAX);
  uint64_t received = 0;
  cancelled.progress = [&](uint64_t bytes, uint64_t) { received = bytes; };
  cancelled.cancelled = [&] { return received > 100'000; };
  CHECK(reason(server()->url("endless"), cancelled) == "cancelled");
}

TEST_CASE("download says when it cannot write") {
  TemporaryFolder folder;
  const auto path = folder / "no/file";
  CHECK(message_of(ExitCode::kData, [&] { download(server()->url("file"), path, options()); }) ==
        "cannot download " + server()->url("file") + ": cannot write " + path.string() +
            ": No such file or directory");
}

TEST_CASE("download lets an exception of its callbacks through") {
  TemporaryFolder folder;
  DownloadOptions throwing = options();
  throwing.progress = [](uint64_t, uint64_t) { throw std::runtime_error("stop"); };
  CHECK_THROWS_WITH(download(server()->url("file"), folder / "file", throwing), "stop");
  CHECK(folder.count() == 0);
}

}  // namespace
}  // namespace vitrine
