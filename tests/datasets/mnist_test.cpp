#include "framework/data/dataset.h"
#include "tests/component.h"
#include "tests/datasets/mnist_support.h"

namespace vitrine {
namespace {

std::string load_message(const std::string& yaml) {
  const auto mnist = make<Dataset>(yaml, {});
  return message_of(ExitCode::kData, [&] { mnist->load_train(); });
}

TEST_CASE("mnist describes itself without its files") {
  const DatasetInfo info = make<Dataset>("{type: mnist, root: /nowhere}", {})->info();
  CHECK(std::vector<int64_t>{info.channels, info.height, info.width, info.classes(), info.train,
                             info.test} == std::vector<int64_t>{1, 28, 28, 10, 60000, 10000});
  CHECK(info.columns[0].names.back() == "9");
}

TEST_CASE("mnist says where it looked and how to go on") {
  Nowhere nowhere;
  const std::string here = nowhere.folder.path();
  Setting data("VITRINE_DATA", here + "/one::" + here + "/two");
  fs::create_directories(here + "/two/mnist");
  write_plain(here + "/two/mnist/t10k-labels-idx1-ubyte", "");
  CHECK(load_message("{type: mnist, download: false}") ==
        "MNIST was not found. Tried (relative paths count from the current folder):\n"
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
            "  " +
            here +
            "/a/b/data/mnist: no such folder\n"
            "  " +
            here +
            "/a/b/data: no such folder\n"
            "  " +
            here +
            "/a/data/mnist: no such folder\n"
            "  " +
            here +
            "/a/data: no such folder\n"
            "  " +
            here +
            "/a/shared/data/mnist: no such folder\n"
            "  " +
            here +
            "/a/shared/data: no such folder\n"
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
        "MNIST was not found. Tried (relative paths count from the current folder):\n"
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

TEST_CASE("download without a word is on, but for root, and may be written out") {
  CHECK(problems_of<Dataset>("{type: mnist, download: true}", {}) == "");
  CHECK(problems_of<Dataset>("{type: mnist, root: here, download: false}", {}) == "");
  Choice<Dataset> choice;
  Problems problems;
  choice.read(parse_yaml("it: {type: mnist, root: here}", "test.yaml").children[0], "dataset",
              problems);
  const std::string resolved = to_flow_yaml(choice.write());
  CHECK(resolved.find("download: null") != std::string::npos);
  CHECK(problems_of<Dataset>(resolved, {}) == "");
}

TEST_CASE("mirrors are https") {
  CHECK(problems_of<Dataset>("{type: mnist, mirrors: 'http://a.org'}", {}) ==
        "test.yaml:1:28: dataset: mirrors are https addresses, got \"http://a.org\"\n"
        "    1 | it: {type: mnist, mirrors: 'http://a.org'}\n"
        "      |                            ^");
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
