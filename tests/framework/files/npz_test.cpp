#include "framework/files/npz.h"

#include <zlib.h>

#include "tests/framework/files/numpy_files.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string number(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  return out;
}

struct Entry {
  std::string name, bytes;
  bool is_packed = false;
  uint64_t told = 0;  // bytes, where the archive lies
};

std::string deflated(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// As numpy.savez (stored) and savez_compressed (deflated) write it.
std::string zip_of(const std::vector<Entry>& entries) {
  std::string out, directory;
  for (const Entry& entry : entries) {
    const std::string data = entry.is_packed ? deflated(entry.bytes) : entry.bytes;
    const auto* bytes = reinterpret_cast<const Bytef*>(entry.bytes.data());
    const std::string common = number(entry.is_packed ? 8 : 0, 2) + number(0, 4) +
                               number(crc32(0, bytes, static_cast<uInt>(entry.bytes.size())), 4) +
                               number(data.size(), 4) +
                               number(entry.told ? entry.told : entry.bytes.size(), 4) +
                               number(entry.name.size(), 2) + number(0, 2);
    directory += "PK\1\2" + number(20, 2) + number(20, 2) + number(0, 2) + common + number(0, 10) +
                 number(out.size(), 4) + entry.name;
    out += "PK\3\4" + number(20, 2) + number(0, 2) + common + entry.name + data;
  }
  const size_t start = out.size();
  return out + directory + "PK\5\6" + number(0, 4) + number(entries.size(), 2) +
         number(entries.size(), 2) + number(directory.size(), 4) + number(start, 4) + number(0, 2);
}

struct Fixture {
  std::string path() const { return folder / "a.npz"; }
  NpzFile open(const std::string& bytes) const {
    write_plain(path(), bytes);
    return NpzFile(path());
  }
  std::string failure(const std::string& bytes) const {
    const std::string out = message_of(ExitCode::kData, [&] {
      const NpzFile file = open(bytes);
      for (size_t i = 0; i < file.names().size(); ++i) {
        file.header(i);
        file.read(i);
      }
    });
    return out.starts_with(path() + ": ") ? out.substr(path().size() + 2) : out;
  }
  TemporaryFolder folder;
};

TEST_CASE_METHOD(Fixture, "arrays are read, stored or deflated") {
  const std::string large(300'000, 'x');
  const NpzFile file = open(zip_of({{"a.npy", npy("|u1", "(3,)", "abc")},
                                    {"notes.txt", "no array"},
                                    {"dir/b.npy", npy("|u1", "(3, 100000)", large), true}}));
  CHECK(file.names() == std::vector<std::string>{"a", "dir/b"});
  CHECK(file.header(1).shape == std::vector<int64_t>{3, 100'000});
  CHECK(file.read(0).data() == std::string("abc"));
  const NpyArray array = file.read(1);
  CHECK(std::string(array.data(), array.bytes.size() - array.header.offset) == large);
  CHECK(file.place(1) == path() + ": dir/b");
}

TEST_CASE_METHOD(Fixture, "what is damaged is named") {
  const Entry array = {"a.npy", npy("|u1", "(3,)", "abc"), true};
  CHECK(failure("not a zip") == "Not a zip archive");
  CHECK(failure(zip_of({{"a.npy", "text"}})) ==
        "a: not a NumPy file: it does not begin with \\x93NUMPY");
  CHECK(failure(zip_of({{"a.npy", npy("|u1", "(4,)", "abc")}})) ==
        "a: truncated: uint8 [4] needs 4 bytes, the file has 3");
  std::string wrong_sum = zip_of({array});
  for (const size_t at : {wrong_sum.find("PK\3\4") + 14, wrong_sum.find("PK\1\2") + 16})
    wrong_sum[at] ^= 1;
  CHECK(failure(wrong_sum) == "a.npy: CRC error");
  CHECK(message_of(ExitCode::kData, [] { NpzFile("/nowhere/a.npz"); }) ==
        "/nowhere/a.npz: no such file");
}

TEST_CASE_METHOD(Fixture, "an archive that tells a size that it has not takes no memory for it") {
  Entry entry = {"a.npy", npy("|u1", "(4000000000,)", std::string(100, 'x')), true};
  entry.told = 128 + 4'000'000'000;
  CHECK(failure(zip_of({entry})) == "a.npy: the archive tells a size that it cannot have");
  // Less, so that it might be: reading ends where the bytes do.
  entry = {"a.npy", npy("|u1", "(40000,)", std::string(100, 'x')), true, 128 + 40'000};
  CHECK(failure(zip_of({entry})) == "a.npy: has 228 bytes, the archive tells 40128");
  std::string other = zip_of({{"a.npy", npy("|u1", "(3,)", "abc")}});
  for (const size_t at : {other.find("PK\3\4") + 8, other.find("PK\1\2") + 10}) other[at] = 14;
  CHECK(failure(other) == "a.npy: it is packed in another way than by deflate");
}

}  // namespace
}  // namespace vitrine
