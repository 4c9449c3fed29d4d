#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "datasets/svhn_split.h"
#include "framework/data/dataset.h"
#include "tests/component.h"
#include "tests/datasets/mnist_support.h"

// CIFAR, USPS, SVHN and EMNIST, on files of their size in which nearly all is 0.
namespace vitrine {
namespace {

struct Fixture {
  std::string root() const { return folder.path(); }
  // A file of `size` bytes that begins with these; the rest takes no disk.
  void write(const std::string& name, const std::string& begin, uint64_t size) const {
    fs::create_directories((folder / name).parent_path());
    write_plain(folder / name, begin);
    if (size > begin.size()) fs::resize_file(folder / name, size);
  }
  std::shared_ptr<Dataset> dataset(const std::string& type, const std::string& more = "") const {
    return make<Dataset>("{type: " + type + ", root: " + root() + more + "}", {});
  }
  std::string failure(const std::string& type) const {
    const auto it = dataset(type);
    return message_of(ExitCode::kData, [&] { it->load_train(); });
  }
  TemporaryFolder folder;
};

// A record of CIFAR: labels, then red, green and blue planes of one value each.
std::string record(const std::string& labels, const std::string& colours) {
  std::string out = labels;
  for (const char colour : colours) out += std::string(1024, colour);
  return out;
}

std::vector<int64_t> colours(const Tensor& image) {
  CHECK(image.amin({1, 2}).equal(image.amax({1, 2})));
  const Tensor corner = image.select(2, 31).select(1, 0).to(at::kLong).contiguous();
  return {corner.const_data_ptr<int64_t>(), corner.const_data_ptr<int64_t>() + corner.numel()};
}

TEST_CASE_METHOD(Fixture, "cifar10 reads the binary version's six files in order") {
  const std::string bin = "cifar-10-batches-bin/";
  for (int batch = 1; batch <= 5; ++batch) {
    const char b = static_cast<char>(batch);
    write(bin + "data_batch_" + std::to_string(batch) + ".bin",
          record({b}, {b, char(b + 10), char(b + 20)}), 30'730'000);
  }
  write(bin + "test_batch.bin", record("\0", "abc") + record("\11", "xyz"), 30'730'000);
  const auto it = dataset("cifar10");
  const DatasetInfo info = it->info();
  CHECK(std::vector<int64_t>{info.channels, info.height, info.width, info.train, info.test} ==
        std::vector<int64_t>{3, 32, 32, 50'000, 10'000});
  CHECK(info.columns[0].names[6] == "frog");
  const Split train = it->load_train(), test = it->load_test();
  CHECK(train.images.sizes() == at::IntArrayRef({50'000, 3, 32, 32}));
  for (int64_t batch = 1; batch <= 5; ++batch) {
    const int64_t first = 10'000 * (batch - 1);
    CHECK(train.labels[0][first].item<int64_t>() == batch);
    CHECK(colours(train.images[first]) == std::vector<int64_t>{batch, batch + 10, batch + 20});
  }
  CHECK(train.labels[0].sum().item<int64_t>() == 15);
  CHECK(test.labels[0][0].item<int64_t>() == 'a');
}

TEST_CASE_METHOD(Fixture, "cifar100 has fine labels and, in a column of their own, coarse ones") {
  write("cifar-100-binary/train.bin", record("\23\143", "abc"), 153'700'000);
  write("cifar-100-binary/test.bin", record("\1\2", "xyz"), 30'740'000);
  const auto it = dataset("cifar100");
  const DatasetInfo info = it->info();
  REQUIRE(info.columns.size() == 2);
  CHECK(info.columns[0].name == "label");
  CHECK(info.columns[0].size() == 100);
  CHECK(info.columns[0].names[99] == "worm");
  CHECK(info.columns[1].name == "coarse");
  CHECK(info.columns[1].names[19] == "vehicles_2");
  const Split train = it->load_train(), test = it->load_test();
  CHECK(train.labels[0][0].item<int64_t>() == 99);
  CHECK(train.labels[1][0].item<int64_t>() == 19);
  CHECK(colours(train.images[0]) == std::vector<int64_t>{'a', 'b', 'c'});
  CHECK(test.labels[0][0].item<int64_t>() == 2);
  CHECK(test.labels[1][0].item<int64_t>() == 1);
  CHECK(test.size() == 10'000);
}

TEST_CASE_METHOD(Fixture, "a file of records that is cut short is refused") {
  write("train.bin", "", 153'700'000 - 3074);
  write("test.bin", "", 30'740'000);
  CHECK(failure("cifar100") ==
        root() + "/train.bin: has 153696926 bytes: 50000 images of 3074 bytes each need 153700000");
}

TEST_CASE_METHOD(Fixture, "the pickled version is refused in words") {
  fs::create_directory(folder / "cifar-10-batches-py");
  CHECK(failure("cifar10").find(
            root() +
            ": has none of the files; found cifar-10-batches-py: the version for Python is not "
            "read, since that would run code of the file; the binary version is "
            "cifar-10-binary.tar.gz\n") != std::string::npos);
  write("cifar-100-binary.tar.gz", "", 1);
  CHECK(failure("cifar100").find("; found cifar-100-binary.tar.gz: unpack it\n") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "usps counts labels and pixels from 1, and pixels from -1 to 1") {
  std::string train = "10 1:-1 2:1 256:0.5 \n+1 17:-0.2\r\n", test = "3 1:0\n";
  for (int i = 2; i < 7291; ++i) train += "5 1:-1\n";
  for (int i = 1; i < 2007; ++i) test += "6\n";
  write("usps", train, 0);
  write("usps.t", test, 0);
  const auto it = dataset("usps");
  CHECK(it->info().height == 16);
  const Split split = it->load_train();
  CHECK(split.images.sizes() == at::IntArrayRef({7291, 1, 16, 16}));
  CHECK(at::equal(split.labels[0].narrow(0, 0, 3), at::tensor({9, 0, 4}, at::kLong)));
  const Tensor first = split.images[0][0];
  CHECK(first[0][0].item<int>() == 0);
  CHECK(first[0][1].item<int>() == 255);
  CHECK(first[0][2].item<int>() == 128);  // no pixel stands there: 0
  CHECK(first[15][15].item<int>() == 191);
  CHECK(split.images[1][0][1][0].item<int>() == 102);
  CHECK(it->load_test().labels[0][0].item<int64_t>() == 2);
  const auto damaged = [&](const std::string& text) {
    write("usps", text, 0);
    return failure("usps").substr((root() + "/usps").size());
  };
  CHECK(damaged("11 1:0\n") == ": line 1: the label is not 1 to 10");
  CHECK(damaged("1 1:0\n\n2 257:0\n") ==
        ": line 2: a pixel is not NUMBER:VALUE with a number from 1 to 256");
  CHECK(damaged("1 1=0\n") == ": line 1: a pixel is not NUMBER:VALUE with a number from 1 to 256");
  CHECK(damaged("1 1:1.5\n") == ": line 1: a pixel is not in -1..1");
  CHECK(damaged("1 1:nan\n") == ": line 1: a pixel is not in -1..1");
  CHECK(damaged("one 1:0\n") == ": line 1: there is no number where one must be");
  CHECK(damaged("1 1:0\n") == ": truncated: it has 1 images of 7291");
  CHECK(damaged(train + "1 1:0\n") == ": line 7292: there are more than 7291 images");
}

TEST_CASE_METHOD(Fixture, "a packed file of usps is held against its digest") {
  // printf hello | bzip2
  write("usps.bz2",
        std::string("BZh91AY&SY\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\x00\x21\x9a\x68\x33"
                    "\x4d\x07\x33\x8b\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80",
                    41),
        0);
  write("usps.t.bz2", "", 0);
  CHECK(failure("usps") ==
        root() +
            "/usps.bz2: wrong checksum: its MD5 is 22e1e3f9062628dcc1d8a7d56798a6a1, that of "
            "USPS's usps.bz2 is ec16c51db3855ca6c91edd34d0e9b197");
}

TEST_CASE_METHOD(Fixture, "emnist is turned upright, and its letters count from 0") {
  const auto header = [](const std::string& shape) {
    return std::string{0, 0, 8, static_cast<char>(shape.size() / 4)} + shape;
  };
  const std::string side("\0\0\0\34\0\0\0\34", 8), train("\0\1\xe7\x80", 4),
      test("\0\0\x51\x40", 4);  // 124,800 and 20,800
  const std::string name = "EMNIST/raw/emnist-letters-";
  // The pixel of row 0, column 1 in the file.
  write(name + "train-images-idx3-ubyte", header(train + side) + std::string("\0\7", 2),
        16 + 784 * 124'800);
  write(name + "test-images-idx3-ubyte", header(test + side), 16 + 784 * 20'800);
  write(name + "train-labels-idx1-ubyte", header(train) + std::string(124'800, '\32'), 0);
  write(name + "test-labels-idx1-ubyte", header(test) + std::string(20'800, '\1'), 0);
  const auto it = dataset("emnist", ", split: letters");
  const Split split = it->load_train();
  CHECK(split.images[0][0][1][0].item<int>() == 7);
  CHECK(split.images[0][0][0][1].item<int>() == 0);
  CHECK(at::equal(split.labels[0].narrow(0, 0, 2), at::tensor({25, 25}, at::kLong)));
  CHECK(it->load_test().labels[0][0].item<int64_t>() == 0);
}

// As MATLAB writes it: a small array X [2, 1, 1, ...] would not be SVHN's, so of 32 x 32.
std::string element(uint32_t type, const std::string& data) {
  std::string out(8, '\0');
  const auto size = static_cast<uint32_t>(data.size());
  std::memcpy(out.data(), &type, 4);
  std::memcpy(out.data() + 4, &size, 4);
  return out + data + std::string((8 - data.size() % 8) % 8, '\0');
}
std::string matrix(const std::string& name, uint32_t kind, const std::vector<int32_t>& shape,
                   uint32_t type, const std::string& data) {
  std::string flags(8, '\0');
  std::memcpy(flags.data(), &kind, 4);
  const std::string sizes(reinterpret_cast<const char*>(shape.data()), 4 * shape.size());
  return element(14,
                 element(6, flags) + element(5, sizes) + element(1, name) + element(type, data));
}

TEST_CASE("svhn's arrays are column-major, and 10 is the digit 0") {
  std::string x(32 * 32 * 3 * 2, '\0');
  const auto at = [&](int64_t row, int64_t column, int64_t channel, int64_t image) -> char& {
    return x[static_cast<size_t>(((image * 3 + channel) * 32 + column) * 32 + row)];
  };
  at(1, 2, 0, 0) = 5;
  at(3, 4, 2, 1) = 6;
  const std::string header = std::string(124, ' ') + std::string("\0\1IM", 4);
  const std::string images = matrix("X", 9, {32, 32, 3, 2}, 2, x);
  const Split split = svhn_split(header + images + matrix("y", 6, {2, 1}, 2, "\12\1"), 2, "a.mat");
  CHECK(split.images.sizes() == at::IntArrayRef({2, 3, 32, 32}));
  CHECK(split.images[0][0][1][2].item<int>() == 5);
  CHECK(split.images[1][2][3][4].item<int>() == 6);
  CHECK(split.images.sum().item<int64_t>() == 11);
  CHECK(at::equal(split.labels[0], at::tensor({0, 1}, at::kLong)));
  const auto failure = [&](const std::string& rest, int64_t count) {
    return message_of(ExitCode::kData, [&] { svhn_split(header + rest, count, "a.mat"); });
  };
  CHECK(failure(images, 2) == "a.mat: has no array y");
  const std::string labels = matrix("y", 6, {3, 1}, 2, "\12\1\2");
  CHECK(failure(images + labels, 2) == "a.mat: 3 labels, 2 images");
  CHECK(failure(images + labels, 3) == "a.mat: X must be bytes [32, 32, 3, 3]");
}

TEST_CASE_METHOD(Fixture, "svhn's files are held against their digests") {
  write("train_32x32.mat", "MATLAB 5.0", 0);
  write("test_32x32.mat", "", 0);
  CHECK(failure("svhn").starts_with(root() + "/train_32x32.mat: wrong checksum: its SHA-256 is "));
}

}  // namespace
}  // namespace vitrine
