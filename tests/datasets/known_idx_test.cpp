#include "datasets/known_idx.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "tests/component.h"
#include "tests/datasets/mnist_support.h"

// Published sets in IDX files, on a small one that is made here.
namespace vitrine {
namespace {

std::string idx(const std::vector<int64_t>& shape, const std::string& data, char type = 8) {
  std::string out = {0, 0, type, static_cast<char>(shape.size())};
  for (const int64_t size : shape) out += std::string(3, '\0') + static_cast<char>(size);
  return out + data;
}

const std::string kTrainPixels = "\1\2\3\4\5\6\7\10";
const std::vector<std::string> kNames = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
const std::vector<std::string> kContents = {idx({2, 2, 2}, kTrainPixels), idx({2}, "\1\2"),
                                            idx({1, 2, 2}, "\11\12\13\14"), idx({1}, "\2")};

KnownIdxSet tiny() {
  KnownIdxSet out;
  out.title = "Tiny";
  out.folder = "tiny";
  out.inner = {"raw", "Tiny/raw"};
  out.classes = {"a", "b", "c"};
  out.train = 2;
  out.test = 1;
  out.side = 2;
  out.files = {idx_file(kNames[0], {2, 2, 2}), idx_file(kNames[1], {2}),
               idx_file(kNames[2], {1, 2, 2}), idx_file(kNames[3], {1})};
  return out;
}

struct TinyOptions : KnownOptions {
  explicit TinyOptions(const KnownIdxSet& set, const fs::path& folder = {}) : KnownOptions(set) {
    root.value = folder;
    download = false;
  }
};

// Each file under the name that `spell` makes of its own.
void write_set(const fs::path& folder, const std::function<std::string(std::string)>& spell,
               bool packs = false) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    const fs::path path = folder / spell(kNames[i]);
    fs::create_directories(path.parent_path());
    write_plain(path, packs ? gzip(kContents[i]) : kContents[i]);
  }
}
std::string as_it_is(std::string name) { return name; }

void check_is_tiny(KnownIdx& dataset) {
  const Split train = dataset.load_train(), test = dataset.load_test();
  CHECK(
      at::equal(train.images, at::tensor({1, 2, 3, 4, 5, 6, 7, 8}, at::kByte).view({2, 1, 2, 2})));
  CHECK(at::equal(train.labels[0], at::tensor({1, 2}, at::kLong)));
  CHECK(at::equal(test.images, at::tensor({9, 10, 11, 12}, at::kByte).view({1, 1, 2, 2})));
  CHECK(at::equal(test.labels[0], at::tensor({2}, at::kLong)));
}

std::string failure(const KnownIdxSet& set, const fs::path& root) {
  KnownIdx dataset(set, TinyOptions(set, root), {});
  return message_of(ExitCode::kData, [&] {
    dataset.load_train();
    dataset.load_test();
  });
}

TEST_CASE("files are found in the folders and under the names that others leave behind") {
  TemporaryFolder folder;
  const fs::path root = folder.path();
  const auto dotted = [](std::string name) { return name.replace(name.find("-idx"), 1, "."); };
  SECTION("a folder of its own") { write_set(root / "tiny", as_it_is); }
  SECTION("the folder itself") { write_set(root, as_it_is); }
  SECTION("torchvision's") { write_set(root / "Tiny/raw", as_it_is); }
  SECTION("torchvision's folder of the set") { write_set(root / "raw", as_it_is); }
  SECTION("dots") { write_set(root, dotted); }
  SECTION("a folder for each file") {
    write_set(root, [](const std::string& name) { return name + "/" + name; });
  }
  SECTION("dots in a folder for each file") {
    write_set(root, [&](const std::string& name) { return dotted(name) + "/" + dotted(name); });
  }
  SECTION("packed") {
    write_set(
        root, [](const std::string& name) { return name + ".gz"; }, true);
  }
  SECTION("packed, and dots") {
    write_set(
        root, [&](const std::string& name) { return dotted(name) + ".gz"; }, true);
  }
  const KnownIdxSet set = tiny();
  KnownIdx dataset(set, TinyOptions(set, root), {});
  check_is_tiny(dataset);
  CHECK(dataset.fingerprint().empty());  // what was loaded is hashed
}

TEST_CASE("images may be transposed and labels begin at 1") {
  TemporaryFolder folder;
  write_set(folder.path(), as_it_is);
  KnownIdxSet set = tiny();
  set.is_transposed = true;
  set.first_label = 1;
  KnownIdx dataset(set, TinyOptions(set, folder.path()), {});
  const Split train = dataset.load_train();
  CHECK(
      at::equal(train.images, at::tensor({1, 3, 2, 4, 5, 7, 6, 8}, at::kByte).view({2, 1, 2, 2})));
  CHECK(train.images.is_contiguous());
  CHECK(at::equal(train.labels[0], at::tensor({0, 1}, at::kLong)));
}

TEST_CASE("of labels with columns the first is the class") {
  TemporaryFolder folder;
  write_set(folder.path(), as_it_is);
  const auto number = [](char value) { return std::string(3, '\0') + value; };
  write_plain(
      folder / "labels-idx2-int",
      idx({2, 3}, number(2) + number(9) + number(9) + number(1) + number(9) + number(9), 0x0c));
  KnownIdxSet set = tiny();
  set.files[1] = idx_file("labels-idx2-int", {2, 3}, IdxType::kInt);
  KnownIdx dataset(set, TinyOptions(set, folder.path()), {});
  CHECK(at::equal(dataset.load_train().labels[0], at::tensor({2, 1}, at::kLong)));
}

TEST_CASE("a packed file is held against the published digest, a raw one against its shape") {
  TemporaryFolder folder;
  KnownIdxSet set = tiny();
  const std::string packed = gzip(kContents[0]);
  const std::string digest = md5_hex(packed);
  set.files[0].published = digest;
  write_set(folder.path(), as_it_is);
  const auto load = [&] {
    KnownIdx dataset(set, TinyOptions(set, folder.path()), {});
    check_is_tiny(dataset);
  };
  load();
  write_plain(folder / (kNames[0] + ".gz"), packed);
  load();
  const std::string other = gzip(idx({2, 2, 2}, "********"));
  write_plain(folder / (kNames[0] + ".gz"), other);  // goes before the raw one, which is not known
  CHECK(failure(set, folder.path()) ==
        (folder / kNames[0]).string() + ".gz: wrong checksum: its MD5 is " + md5_hex(other) +
            ", that of Tiny's train-images-idx3-ubyte.gz is " + digest);
  fs::remove(folder / (kNames[0] + ".gz"));
  write_plain(folder / kNames[0], idx({1, 2, 2}, "****"));
  CHECK(failure(set, folder.path()) ==
        (folder / kNames[0]).string() + ": its shape is [1, 2, 2], it must be [2, 2, 2]");
}

TEST_CASE("another set's file of the same name is known") {
  TemporaryFolder folder;
  write_set(folder.path(), as_it_is);
  KnownIdxSet set = tiny();
  set.files[2].others = {{sha256_hex(kContents[2]), "Huge"}};
  CHECK(failure(set, folder.path()) == (folder / kNames[2]).string() +
                                           ": this is Huge's t10k-images-idx3-ubyte, not that of "
                                           "Tiny");
}

TEST_CASE("where names are those of other sets, only a folder of its own is taken unasked") {
  Nowhere nowhere;
  const fs::path place = nowhere.folder / "place";
  Setting data("VITRINE_DATA", place);
  KnownIdxSet set = tiny();
  set.own_names = false;
  write_set(place, as_it_is);
  write_set(place / "raw", as_it_is);
  CHECK(failure(set, {}).find("\n  " + place.string() +
                              ": has files of these names, as other data sets do; if they are "
                              "Tiny's, dataset.root names the folder\n") != std::string::npos);
  write_set(place / "Tiny/raw", as_it_is);
  KnownIdx dataset(set, TinyOptions(set), {});
  check_is_tiny(dataset);
}

TEST_CASE("what was perhaps meant is named in a place too that is not taken") {
  Nowhere nowhere;
  const fs::path place = nowhere.folder / "place";
  fs::create_directory(place);
  write_plain(place / "tiny-python", "");
  Setting data("VITRINE_DATA", place);
  KnownIdxSet set = tiny();
  set.own_names = false;
  set.near_misses = {{"tiny-python", "not this one"}};
  CHECK(failure(set, {}).find("\n  " + place.string() + ": found tiny-python: not this one\n") !=
        std::string::npos);
}

TEST_CASE("what was perhaps meant is named") {
  TemporaryFolder folder;
  KnownIdxSet set = tiny();
  set.near_misses = {{"tiny.npz", "read it as dataset: {type: npz, path: .../tiny.npz}"}};
  const auto said_of = [&](const std::string& name) {
    const fs::path path = folder / name;
    if (name.ends_with('/')) {
      fs::create_directory(path);
    } else {
      write_plain(path, "");
    }
    const std::string said = failure(set, folder.path());
    fs::remove_all(path);
    const size_t begin = said.find("; ");
    return begin == said.npos ? "" : said.substr(begin + 2, said.find('\n', begin) - begin - 2);
  };
  CHECK(said_of("train-images-idx3-ubyte.zip") == "found train-images-idx3-ubyte.zip: unpack it");
  CHECK(said_of("train-images.idx3-ubyte.tar.gz") ==
        "found train-images.idx3-ubyte.tar.gz: unpack it");
  CHECK(said_of("t10k-labels-idx1-ubyte.gz.part") ==
        "found t10k-labels-idx1-ubyte.gz.part: its download has not ended");
  CHECK(said_of("Train_Images.idx3-ubyte") ==
        "found Train_Images.idx3-ubyte: if it is the file, call it train-images-idx3-ubyte");
  CHECK(said_of("train-labels-idx1-ubyte (1).gz") ==
        "found train-labels-idx1-ubyte (1).gz: if it is the file, call it "
        "train-labels-idx1-ubyte.gz");
  CHECK(said_of("train-images-idx3-ubyte/") ==
        "found train-images-idx3-ubyte: this folder has no file of its name");
  CHECK(said_of("tiny.npz") ==
        "found tiny.npz: read it as dataset: {type: npz, path: .../tiny.npz}");
  CHECK(said_of("notes.txt") == "");
}

// The published files of a set on a server.
struct Published {
  explicit Published(const KnownIdxSet& of) : set(of) { fs::create_directory(files); }
  // Downloads and loads the set; what was told.
  std::vector<std::string> load() {
    const Server server(files, nowhere.folder.path());
    REQUIRE(server.runs());
    Setting certificates("VITRINE_CA_FILE", server.certificate());
    set.mirrors = {server.address()};
    address = server.address();
    TinyOptions options(set);
    options.download = true;
    std::vector<std::string> told;
    DataContext context;
    context.tell = [&](const std::string& message) { told.push_back(message); };
    KnownIdx dataset(set, options, context);
    check_is_tiny(dataset);
    return told;
  }
  fs::path cache() const { return nowhere.folder / "cache/vitrine/tiny"; }
  std::vector<std::string> cached() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(cache()))
      out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }

  Nowhere nowhere;
  KnownIdxSet set;
  fs::path files = nowhere.folder / "files";
  std::string address;
};

TEST_CASE("published files are downloaded once and kept as they can be verified") {
  Published published(tiny());
  for (size_t i = 0; i < kNames.size(); ++i) {
    const std::string packed = gzip(kContents[i]);
    write_plain(published.files / (kNames[i] + ".gz"), packed);
    KnownFile& file = published.set.files[i];
    (i == 0 ? file.digest : file.published) = i == 0   ? sha256_hex(kContents[i])
                                              : i == 1 ? md5_hex(packed)
                                                       : sha256_hex(packed);
  }
  const auto told = published.load();
  CHECK(told == std::vector<std::string>{"downloading Tiny from " + published.address + " into " +
                                         published.cache().string()});
  CHECK(published.cached() ==
        std::vector<std::string>{"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
                                 "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"});
  CHECK(published.load().empty());
}

TEST_CASE("a published archive is unpacked") {
  Published published(tiny());
  const fs::path inside = published.nowhere.folder / "inside";
  write_set(
      inside / "deep", [](const std::string& name) { return name + ".gz"; }, true);
  write_plain(inside / "deep/t10k-more", "also");
  write_plain(inside / "deep/readme", "no");
  std::string name, command;
  SECTION("zip") {
    name = "all.zip";
    command = "python3 -m zipfile -c '" + (published.files / name).string() + "' deep";
  }
  SECTION("tar") {
    name = "all.tar.gz";
    command = "tar -czf '" + (published.files / name).string() + "' deep";
  }
  REQUIRE(std::system(("cd '" + inside.string() + "' && " + command).c_str()) == 0);
  KnownArchive archive;
  archive.name = name;
  archive.sha256 = sha256_of_file(published.files / name);
  archive.most = 1 << 20;
  archive.keeps = {"train-", "t10k-"};
  published.set.archive = archive;
  CHECK(published.load().size() == 1);
  CHECK(published.cached() == std::vector<std::string>{"t10k-images-idx3-ubyte.gz",
                                                       "t10k-labels-idx1-ubyte.gz", "t10k-more",
                                                       "train-images-idx3-ubyte.gz",
                                                       "train-labels-idx1-ubyte.gz"});
  CHECK(published.load().empty());
}

std::vector<int64_t> counts(const std::string& yaml) {
  const DatasetInfo info = make<Dataset>(yaml, {})->info();
  return {info.channels, info.height, info.width, info.classes(), info.train, info.test};
}

TEST_CASE("the published sets describe themselves without their files") {
  using Counts = std::vector<int64_t>;
  CHECK(counts("fashion_mnist") == Counts{1, 28, 28, 10, 60'000, 10'000});
  CHECK(counts("kmnist") == Counts{1, 28, 28, 10, 60'000, 10'000});
  CHECK(counts("qmnist") == Counts{1, 28, 28, 10, 60'000, 60'000});
  CHECK(counts("emnist") == Counts{1, 28, 28, 47, 112'800, 18'800});
  CHECK(counts("{type: emnist, split: byclass}") == Counts{1, 28, 28, 62, 697'932, 116'323});
  CHECK(counts("{type: emnist, split: bymerge}") == Counts{1, 28, 28, 47, 697'932, 116'323});
  CHECK(counts("{type: emnist, split: digits}") == Counts{1, 28, 28, 10, 240'000, 40'000});
  CHECK(counts("{type: emnist, split: letters}") == Counts{1, 28, 28, 26, 124'800, 20'800});
  CHECK(counts("{type: emnist, split: mnist}") == Counts{1, 28, 28, 10, 60'000, 10'000});
  CHECK(make<Dataset>("fashion_mnist", {})->info().columns[0].names[9] == "Ankle boot");
  CHECK(make<Dataset>("emnist", {})->info().columns[0].names[38] == "d");
}

TEST_CASE("a published set that is not there is told as mnist is") {
  TemporaryFolder folder;
  const auto dataset =
      make<Dataset>("{type: emnist, split: letters, root: " + folder.path().string() + "}", {});
  CHECK(message_of(ExitCode::kData, [&] { dataset->load_train(); }) ==
        "EMNIST was not found. Tried (relative paths count from the current folder):\n  " +
            (folder / "emnist").string() + ": no such folder\n  " + folder.path().string() +
            ": has none of the files\nSet VITRINE_DATA or dataset.root to a folder with its four "
            "files (emnist-letters-train-images-idx3-ubyte, "
            "emnist-letters-train-labels-idx1-ubyte, emnist-letters-test-images-idx3-ubyte, "
            "emnist-letters-test-labels-idx1-ubyte, raw or .gz), or use dataset=digits, which "
            "needs no file.");
}

}  // namespace
}  // namespace vitrine
