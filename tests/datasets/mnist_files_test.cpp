#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <set>

#include "framework/data/dataset.h"
#include "tests/component.h"
#include "tests/datasets/mnist_support.h"

// The data set mnist on its real files.
namespace vitrine {
namespace {

void check_is_mnist(Dataset& mnist) {
  const Split train = mnist.load_train(), test = mnist.load_test();
  CHECK(train.images.sizes() == at::IntArrayRef({60000, 1, 28, 28}));
  CHECK(test.images.sizes() == at::IntArrayRef({10000, 1, 28, 28}));
  CHECK(at::equal(train.labels[0].narrow(0, 0, 5), at::tensor({5, 0, 4, 1, 9}, at::kLong)));
  CHECK(at::equal(test.labels[0].bincount(),
                  at::tensor({980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, at::kLong)));
  CHECK(train.images[0].sum().item<int64_t>() == 27525);
}

// A folder with the files as .gz alone, made once: packing those that are raw takes seconds.
const fs::path& packed_files(const fs::path& real) {
  static const TemporaryFolder folder;
  for (const std::string name : kMnistFiles) {
    const fs::path from = real / (name + ".gz"), to = folder / (name + ".gz");
    if (fs::exists(to)) continue;
    const bool there = fs::exists(from);
    write_plain(to, there ? read_file(from, 1 << 26) : gzip(read_mnist_file(real, name)));
  }
  return folder.path();
}

TEST_CASE("mnist is read from .gz or raw files, in P/mnist or P") {
  const fs::path real = mnist_folder();
  if (real.empty()) return;
  Nowhere nowhere;
  fs::create_directory(nowhere.folder / "place");
  fs::create_directory_symlink(real, nowhere.folder / "place/mnist");
  Setting data("VITRINE_DATA", nowhere.folder / "place");
  const auto mnist = make<Dataset>("{type: mnist, download: false}", {});
  check_is_mnist(*mnist);
  CHECK(mnist->fingerprint() == make<Dataset>(with_root(real), {})->fingerprint());
  const fs::path raw = nowhere.folder / "raw";
  fs::create_directory(raw);
  for (const std::string name : kMnistFiles) write_plain(raw / name, read_mnist_file(real, name));
  check_is_mnist(*make<Dataset>(with_root(raw), {}));
  check_is_mnist(*make<Dataset>(with_root(packed_files(real)), {}));
}

TEST_CASE("mnist is downloaded once, verified, from the first mirror that has it") {
  const fs::path real = mnist_folder();
  if (real.empty()) return;
  Nowhere nowhere;
  const fs::path files = packed_files(real);
  const Server server(files, nowhere.folder.path());
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
  CHECK(received == fs::file_size(files / "train-images-idx3-ubyte.gz"));
  std::set<std::string> cached;
  for (const auto& entry : fs::directory_iterator(cache)) cached.insert(entry.path().filename());
  CHECK(cached == std::set<std::string>(std::begin(kMnistFiles), std::end(kMnistFiles)));
  told.clear();
  check_is_mnist(*make<Dataset>(yaml, context));
  CHECK(told.empty());
}

}  // namespace
}  // namespace vitrine
