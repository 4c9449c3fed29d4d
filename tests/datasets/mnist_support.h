#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/framework/files/support.h"
#include "tests/mnist.h"

namespace vitrine {

namespace fs = std::filesystem;

// Sets an environment variable while it lives.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  Setting(const Setting&) = delete;
  ~Setting() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// A working folder, a cache and a data path in which there is nothing.
struct Nowhere {
  Nowhere() : before(fs::current_path()) {
    fs::create_directories(folder / "a" / "b");
    fs::current_path(folder.path() / "a" / "b");
  }
  ~Nowhere() { fs::current_path(before); }

  TemporaryFolder folder;
  fs::path before;
  Setting cache{"XDG_CACHE_HOME", folder / "cache"};
  Setting data{"VITRINE_DATA", ""};
};

inline std::string with_root(const fs::path& root) {
  return "{type: mnist, root: " + root.string() + "}";
}

// Four files, the content of which is not MNIST's.
inline void write_files(const fs::path& folder, const std::string& content,
                        const std::string& suffix = "") {
  fs::create_directories(folder);
  for (const char* name : kMnistFiles) write_plain(folder / (name + suffix), content);
}

// An https server over a folder, with a certificate of its own for localhost.
class Server {
 public:
  Server(const fs::path& root, const fs::path& scratch)
      : certificate_(scratch / "certificate.pem") {
    const std::string key = scratch / "key.pem";
    const std::string make_certificate =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost -keyout '" +
        key + "' -out '" + certificate_ + "' 2> /dev/null";
    if (std::system(make_certificate.c_str()) != 0) return;
    const std::string script = scratch / "server.py";
    write_plain(
        script,
        "import functools, http.server, os, ssl, sys\n"
        "handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])\n"
        "server = http.server.HTTPServer(('localhost', 0), handler)\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        "context.load_cert_chain(sys.argv[2], sys.argv[3])\n"
        "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
        "print(os.getpid(), server.server_port, flush=True)\n"
        "server.serve_forever()\n");
    pipe_ = popen(("exec python3 '" + script + "' '" + root.string() + "' '" + certificate_ +
                   "' '" + key + "' 2> '" + (scratch / "server.log").string() + "'")
                      .c_str(),
                  "r");
    if (std::fscanf(pipe_, "%d %d", &process_, &port_) != 2) port_ = 0;
  }
  Server(const Server&) = delete;
  ~Server() {
    if (process_ > 0) kill(process_, SIGTERM);
    if (pipe_) pclose(pipe_);
  }

  bool runs() const { return port_ != 0; }
  const std::string& certificate() const { return certificate_; }
  std::string address() const { return "https://localhost:" + std::to_string(port_) + "/"; }

 private:
  std::string certificate_;
  FILE* pipe_ = nullptr;
  int process_ = 0, port_ = 0;
};

}  // namespace vitrine
