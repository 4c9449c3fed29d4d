#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "framework/data/dataset.h"
#include "framework/files/file.h"
#include "framework/files/gzip.h"
#include "tests/component.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                  "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
const fs::path kReal = fs::path(VITRINE_SOURCE_DIR).parent_path() / "shared" / "data" / "mnist";

bool real_files_are_there() {
  if (fs::exists(kReal / "train-images-idx3-ubyte.gz")) return true;
  WARN("skipped: MNIST is not in " << kReal.string());
  return false;
}

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

std::string with_root(const fs::path& root) { return "{type: mnist, root: " + root.string() + "}"; }

// Four files, the content of which is not MNIST's.
void write_files(const fs::path& folder, const std::string& content,
                 const std::string& suffix = "") {
  fs::create_directories(folder);
  for (const char* name : kNames) write_plain(folder / (name + suffix), content);
}

std::string load_message(const std::string& yaml) {
  const auto mnist = make<Dataset>(yaml, {});
  return message_of(ExitCode::kData, [&] { mnist->load_train(); });
}

void check_is_mnist(Dataset& mnist) {
  const Split train = mnist.load_train(), test = mnist.load_test();
  CHECK(train.images.sizes() == at::IntArrayRef({60000, 1, 28, 28}));
  CHECK(test.images.sizes() == at::IntArrayRef({10000, 1, 28, 28}));
  CHECK(at::equal(train.labels.narrow(0, 0, 5), at::tensor({5, 0, 4, 1, 9}, at::kLong)));
  CHECK(at::equal(test.labels.bincount(),
                  at::tensor({980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, at::kLong)));
  CHECK(train.images[0].sum().item<int64_t>() == 27525);
}

TEST_CASE("mnist describes itself without its files") {
  const DatasetInfo info = make<Dataset>("{type: mnist, root: /nowhere}", {})->info();
  CHECK(std::vector<int64_t>{info.channels, info.height, info.width, info.classes(), info.train,
                             info.test} == std::vector<int64_t>{1, 28, 28, 10, 60000, 10000});
  CHECK(info.class_names.back() == "9");
}

TEST_CASE("mnist says where it looked and how to go on") {
  Nowhere nowhere;
  const std::string here = nowhere.folder.path();
  Setting data("VITRINE_DATA", here + "/one::" + here + "/two");
  fs::create_directories(here + "/two/mnist");
  write_plain(here + "/two/mnist/t10k-labels-idx1-ubyte", "");
  CHECK(load_message("{type: mnist, download: false}") ==
        "MNIST was not found. Tried:\n"
        "  " +
            here +
            "/one/mnist: no such folder\n"
            "  " +
            here +
            "/one: no such folder\n"
            "  " +
            here +
            "/two/mnist: has no train-images-idx3-ubyte, no train-labels-idx1-ubyte, no "
            "t10k-images-idx3-ubyte\n"
            "  " +
            here +
            "/two: has none of the files\n"
            "  data/mnist: no such folder\n"
            "  data: no such folder\n"
            "  ../data/mnist: no such folder\n"
            "  ../data: no such folder\n"
            "  ../shared/data/mnist: no such folder\n"
            "  ../shared/data: no such folder\n"
            "  " +
            here +
            "/cache/vitrine/mnist: no such folder\n"
            "  " +
            here +
            "/cache/vitrine: no such folder\n"
            "Set VITRINE_DATA or dataset.root to a folder with its four files "
            "(train-images-idx3-ubyte, "
            "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, raw or .gz), "
            "or use "
            "dataset=digits, which needs no file.");
}

TEST_CASE("where root is given nothing else is tried") {
  Nowhere nowhere;
  const std::string here = nowhere.folder.path();
  CHECK(load_message(with_root(here + "/x")) ==
        "MNIST was not found. Tried:\n"
        "  " +
            here +
            "/x/mnist: no such folder\n"
            "  " +
            here +
            "/x: no such folder\n"
            "Set VITRINE_DATA or dataset.root to a folder with its four files "
            "(train-images-idx3-ubyte, "
            "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, raw or .gz), "
            "or use "
            "dataset=digits, which needs no file.");
}

TEST_CASE("files that are damaged are named") {
  TemporaryFolder folder;
  const std::string first = folder / "train-images-idx3-ubyte";
  const std::string header("\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c\0\0\0\x1c", 16);
  SECTION("wrong content") {
    write_files(folder.path(), std::string("\0\0\x08\x01\0\0\0\x02xy", 10));
    CHECK(load_message(with_root(folder.path())) ==
          first +
              ": wrong checksum: its SHA-256 is "
              "1fe858b1b08ca8cabf70142807a7f37398c77adda6051c5eb0b614b5b3a889d3, that of MNIST's "
              "train-images-idx3-ubyte is "
              "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
  }
  SECTION("truncated") {
    write_files(folder.path(), header + "pixels");
    CHECK(load_message(with_root(folder.path())) ==
          first + ": truncated: shape [60000, 28, 28] needs 47040000 bytes, the file has 6");
  }
  SECTION("no IDX file") {
    write_files(folder.path(), "<!DOCTYPE html>");
    CHECK(load_message(with_root(folder.path())) ==
          first + ": not an IDX file: it begins with 3c 21, not with 00 00");
  }
  SECTION("corrupt gzip") {
    std::string bytes = gzip(header + std::string(10'000, 'x'));
    bytes[20] ^= 0x55;
    write_files(folder.path(), bytes, ".gz");
    CHECK(load_message(with_root(folder.path())).starts_with(first + ".gz: gzip data is "));
  }
  SECTION("truncated gzip") {
    write_files(folder.path(), gzip(header).substr(0, 20), ".gz");
    CHECK(load_message(with_root(folder.path())) == first + ".gz: gzip data is truncated");
  }
}

TEST_CASE("mirrors are https") {
  CHECK(problems_of<Dataset>("{type: mnist, mirrors: 'http://a.org'}", {}) ==
        "test.yaml:1:28: dataset: mirrors are https addresses, got \"http://a.org\"\n"
        "    1 | it: {type: mnist, mirrors: 'http://a.org'}\n"
        "      |                            ^");
}

TEST_CASE("mnist is read from .gz or raw files, in P/mnist or P") {
  if (!real_files_are_there()) return;
  check_is_mnist(*make<Dataset>(with_root(kReal), {}));
  Nowhere nowhere;
  Setting data("VITRINE_DATA", kReal.parent_path());
  const auto mnist = make<Dataset>("{type: mnist, download: false}", {});
  check_is_mnist(*mnist);
  CHECK(mnist->fingerprint() == make<Dataset>(with_root(kReal), {})->fingerprint());
  const fs::path raw = nowhere.folder / "raw";
  fs::create_directories(raw);
  for (const std::string name : kNames) {
    write_plain(raw / name, gunzip(read_file(kReal / (name + ".gz"), 1 << 24), 1 << 26, name));
  }
  check_is_mnist(*make<Dataset>(with_root(raw), {}));
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

TEST_CASE("mnist is downloaded once, verified, from the first mirror that has it") {
  if (!real_files_are_there()) return;
  Nowhere nowhere;
  const Server server(kReal, nowhere.folder.path());
  REQUIRE(server.runs());
  Setting certificates("VITRINE_CA_FILE", server.certificate());
  DataContext context;
  std::vector<std::string> told;
  uint64_t received = 0;
  context.tell = [&](const std::string& message) { told.push_back(message); };
  context.download_progress = [&](uint64_t now, uint64_t) { received = std::max(received, now); };
  const std::string cache = nowhere.folder / "cache/vitrine/mnist";
  const std::string missing = server.address() + "missing",
                    yaml =
                        "{type: mnist, mirrors: ['" + missing + "', '" + server.address() + "']}";
  check_is_mnist(*make<Dataset>(yaml, context));
  CHECK(told ==
        std::vector<std::string>{"downloading MNIST from " + missing + " into " + cache,
                                 "downloading MNIST from " + server.address() + " into " + cache});
  CHECK(received == fs::file_size(kReal / "train-images-idx3-ubyte.gz"));
  std::set<std::string> cached;
  for (const auto& entry : fs::directory_iterator(cache)) cached.insert(entry.path().filename());
  CHECK(cached == std::set<std::string>(std::begin(kNames), std::end(kNames)));
  told.clear();
  check_is_mnist(*make<Dataset>(yaml, context));
  CHECK(told.empty());
}

TEST_CASE("a mirror that is not trusted, or that has other files, is told and leaves nothing") {
  Nowhere nowhere;
  const fs::path files = nowhere.folder / "files";
  write_files(files, gzip("not MNIST"), ".gz");
  const Server server(files, nowhere.folder.path());
  REQUIRE(server.runs());
  const std::string yaml = "{type: mnist, mirrors: '" + server.address() + "'}";
  const std::string url = server.address() + "train-images-idx3-ubyte.gz";
  {
    Setting certificates("VITRINE_CA_FILE", "");
    const std::string message = load_message(yaml);
    CHECK(message.find("\n  cannot download " + url +
                       ": the server's certificate is not trusted\n") != std::string::npos);
  }
  Setting certificates("VITRINE_CA_FILE", server.certificate());
  const std::string message = load_message(yaml);
  CHECK(message.find("\n  " + url + ": not an IDX file: it begins with 6e 6f, not with 00 00\n") !=
        std::string::npos);
  CHECK(fs::is_empty(nowhere.folder / "cache/vitrine/mnist"));
}

TEST_CASE("a download that is cancelled asks no other mirror") {
  Nowhere nowhere;
  const Server server(nowhere.folder.path(), nowhere.folder.path());
  REQUIRE(server.runs());
  Setting certificates("VITRINE_CA_FILE", server.certificate());
  DataContext context;
  context.cancelled = [] { return true; };
  const auto mnist = make<Dataset>(
      "{type: mnist, mirrors: ['" + server.address() + "', '" + server.address() + "']}", context);
  CHECK(message_of(ExitCode::kData, [&] { mnist->load_train(); }) ==
        "cannot download " + server.address() + "train-images-idx3-ubyte.gz: cancelled");
}

}  // namespace
}  // namespace vitrine
