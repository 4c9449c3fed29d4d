#include "framework/files/safetensors.h"

#include "framework/files/file.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string length_bytes(uint64_t length) {
  return {reinterpret_cast<const char*>(&length), sizeof length};
}

std::string file(const std::string& header, const std::string& data) {
  return length_bytes(header.size()) + header + data;
}

std::string failure(const std::string& bytes) {
  return message_of(ExitCode::kData, [&] { Safetensors::parse(bytes, "w"); });
}

std::string failure(const std::string& header, const std::string& data) {
  return failure(file(header, data));
}

// One tensor "a" with these three fields as they are.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

TEST_CASE("safetensors: a file of another writer is read") {
  const auto read = Safetensors::parse(
      file(R"({"b":{"dtype":"I16","shape":[2,1],"data_offsets":[5,9]},"__metadata__":{"k":"v"},)"
           R"("a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}   )",
           "abcde1234"),
      "w");
  REQUIRE(read.tensors().size() == 2);
  CHECK(read.tensors()[0].name == "a");
  CHECK(read.tensors()[0].bytes == "abcde");
  CHECK(read.tensors()[1].dtype == DType::kI16);
  CHECK(read.tensors()[1].shape == std::vector<int64_t>{2, 1});
  CHECK(read.find("b")->bytes == "1234");
  CHECK(read.find("c") == nullptr);
  CHECK(read.metadata() == std::map<std::string, std::string>{{"k", "v"}});
}

TEST_CASE("safetensors: views live as long as a copy or the moved object") {
  std::string_view bytes;
  Safetensors kept = [&] {
    Safetensors first = Safetensors::parse(file(one("\"U8\"", "[1]", "[0,1]"), "x"), "w");
    bytes = first.find("a")->bytes;
    return Safetensors(first);
  }();
  const Safetensors moved = std::move(kept);
  CHECK(bytes == "x");
  CHECK(moved.find("a")->bytes.data() == bytes.data());
}

TEST_CASE("safetensors: empty tensors, rank 0 and no tensors are allowed") {
  const auto read =
      Safetensors::parse(file(R"({"n":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                              R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                              R"("z":{"dtype":"F64","shape":[0],"data_offsets":[4,4]}})",
                              std::string("\0\0\xc0\x7f", 4)),
                         "w");
  CHECK(read.find("n")->bytes.empty());
  CHECK(read.find("s")->shape.empty());
  CHECK(read.find("s")->bytes.size() == 4);
  CHECK(read.find("z")->shape == std::vector<int64_t>{0});
  CHECK(Safetensors::parse(file("{}", ""), "w").tensors().empty());
}

TEST_CASE("safetensors rule 1: the header's length") {
  CHECK(failure("") == "w: truncated: 0 bytes, a safetensors file begins with 8");
  CHECK(failure("1234567") == "w: truncated: 7 bytes, a safetensors file begins with 8");
  CHECK(failure(length_bytes(3) + "{}") == "w: truncated: header of 3 bytes in a file of 10");
  CHECK(failure(length_bytes((16 << 20) + 1) + "{}") ==
        "w: header of 16777217 bytes, at most 16777216 are allowed");
  CHECK(failure(length_bytes(UINT64_MAX) + "{}") ==
        "w: no safetensors file: it does not begin with the length of a header");
  CHECK(failure("PK\x03\x04 and so on") ==
        "w: no safetensors file but a zip archive, as torch.save writes; "
        "safetensors.torch.save_file writes what can be read here");
}

TEST_CASE("safetensors rule 2: the header's JSON") {
  CHECK(failure(file("", "")) == "w: the safetensors header does not begin with {");
  CHECK(failure(" {}", "") == "w: the safetensors header does not begin with {");
  CHECK(failure("[]", "") == "w: the safetensors header does not begin with {");
  CHECK(failure("{", "") == "w: header: invalid JSON at byte 2: unexpected end");
  CHECK(failure("{}x", "") == "w: header: invalid JSON at byte 3: unexpected \"x\"");
  CHECK(failure("{\"\xff\":1}", "") == "w: header: invalid JSON at byte 3: text that is not UTF-8");
  CHECK(failure(R"({"a":1,"a":1})", "") ==
        "w: header: invalid JSON at byte 10: duplicate key \"a\"");
  CHECK(failure(R"({"__metadata__":[]})", "") == "w: __metadata__: expected an object of strings");
  CHECK(failure(R"({"__metadata__":{"k":1}})", "") ==
        "w: __metadata__.k: expected a string, got 1");
  CHECK(failure("{\"a\":" + std::string(64, '['), "") ==
        "w: header: invalid JSON at byte 69: nested deeper than 64 levels");
}

TEST_CASE("safetensors rule 2: the fields of a tensor") {
  CHECK(failure(R"({"a":1})", "") == "w: tensor \"a\": expected an object, got 1");
  CHECK(failure(R"({"a":{"shape":[],"data_offsets":[0,1]}})", "x") ==
        "w: tensor \"a\": \"dtype\" is missing");
  CHECK(failure(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", "x") ==
        "w: tensor \"a\": \"shape\" is missing");
  CHECK(failure(R"({"a":{"dtype":"U8","shape":[]}})", "x") ==
        "w: tensor \"a\": \"data_offsets\" is missing");
  CHECK(failure(one("\"F8\"", "[]", "[0,1]"), "x") ==
        "w: tensor \"a\": unknown dtype \"F8\"; known are BOOL, U8, I8, I16, U16, I32, U32, I64, "
        "U64, F16, BF16, F32, F64");
  CHECK(failure(one("1", "[]", "[0,1]"), "x") == "w: tensor \"a\".dtype: expected a string, got 1");
  CHECK(failure(one("\"U8\"", "1", "[0,1]"), "x") ==
        "w: tensor \"a\".shape: expected a list of integers");
  CHECK(failure(one("\"U8\"", "[-1]", "[0,1]"), "x") ==
        "w: tensor \"a\".shape: expected an integer of at least 0, got -1");
  CHECK(failure(one("\"U8\"", "[1.5]", "[0,1]"), "x") ==
        "w: tensor \"a\".shape: expected an integer of at least 0, got 1.5");
  CHECK(failure(one("\"U8\"", "[18446744073709551615]", "[0,1]"), "x") ==
        "w: tensor \"a\".shape: expected an integer of at least 0, got 18446744073709551615");
  CHECK(failure(one("\"U8\"", "[1]", "[0]"), "x") ==
        "w: tensor \"a\": data_offsets must have 2 entries");
  CHECK(failure(one("\"U8\"", "[1]", "[-1,0]"), "x") ==
        "w: tensor \"a\".data_offsets: expected an integer of at least 0, got -1");
}

TEST_CASE("safetensors rule 3: no hole, no overlap, no way back") {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  CHECK(failure(two("[1,3]", "[3,5]"), "12345") ==
        "w: tensor \"a\" begins at 1, but the tensors before it end at 0");
  CHECK(failure(two("[0,2]", "[3,5]"), "12345") ==
        "w: tensor \"b\" begins at 3, but the tensors before it end at 2");
  CHECK(failure(two("[0,2]", "[1,3]"), "123") ==
        "w: tensor \"b\" begins at 1, but the tensors before it end at 2");
  CHECK(failure(two("[0,2]", "[0,2]"), "12") ==
        "w: tensor \"b\" begins at 0, but the tensors before it end at 2");
  CHECK(failure(two("[0,2]", "[2,1]"), "12") == "w: tensor \"b\" ends at 1, before its begin at 2");
}

TEST_CASE("safetensors rule 4: bytes that fit the shape") {
  CHECK(failure(one("\"F32\"", "[2]", "[0,4]"), "1234") ==
        "w: tensor \"a\" needs 8 bytes for its shape and has 4");
  CHECK(failure(one("\"U8\"", "[2]", "[0,4]"), "1234") ==
        "w: tensor \"a\" needs 2 bytes for its shape and has 4");
  const std::string large = "w: tensor \"a\" has a shape that is too large";
  CHECK(failure(one("\"U8\"", "[4294967296,4294967296]", "[0,0]"), "") == large);
  CHECK(failure(one("\"F64\"", "[4611686018427387904]", "[0,0]"), "") == large);
  CHECK(failure(one("\"F32\"", "[9223372036854775807,3,0]", "[0,0]"), "") == large);
}

TEST_CASE("safetensors rule 5: exactly the file's length") {
  CHECK(failure(one("\"U8\"", "[4]", "[0,4]"), "123") ==
        "w: truncated: the tensors need 4 bytes, the file has 3");
  CHECK(failure(one("\"U8\"", "[4]", "[0,4]"), "12345") ==
        "w: too long: the tensors need 4 bytes, the file has 5");
  CHECK(failure(one("\"U8\"", "[9223372036854775807]", "[0,9223372036854775807]"), "1") ==
        "w: truncated: the tensors need 9223372036854775807 bytes, the file has 1");
  CHECK(failure("{}", "x") == "w: too long: the tensors need 0 bytes, the file has 1");
}

TEST_CASE("safetensors: every truncation of a file is refused") {
  const std::string bytes = write_safetensors({{"a", DType::kU8, {3}, "123"}}, {{"k", "v"}});
  for (size_t length = 0; length < bytes.size(); ++length) {
    CHECK(failure(bytes.substr(0, length)) != "(no error)");
  }
}

TEST_CASE("write_safetensors sorts by alignment, then name, and pads the header") {
  const std::string eight(8, 'd');
  const std::string bytes = write_safetensors({{"a", DType::kU8, {1}, "x"},
                                               {"z", DType::kF32, {}, "ffff"},
                                               {"b", DType::kI32, {1, 1}, "iiii"},
                                               {"y", DType::kF64, {1}, eight}},
                                              {{"note", "\"é\"\n"}});
  const std::string header = R"({"__metadata__":{"note":"\"é\"\n"},)"
                             R"("y":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"I32","shape":[1,1],"data_offsets":[8,12]},)"
                             R"("z":{"dtype":"F32","shape":[],"data_offsets":[12,16]},)"
                             R"("a":{"dtype":"U8","shape":[1],"data_offsets":[16,17]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  CHECK(bytes == file(padded, eight + "iiiiffffx"));
  const Safetensors read = Safetensors::parse(bytes, "w");
  CHECK(read.find("b")->bytes == "iiii");
  CHECK(read.metadata().at("note") == "\"é\"\n");
}

TEST_CASE("write_safetensors keeps every dtype") {
  std::vector<TensorView> tensors;
  const std::string data(8, '\1');
  for (int i = 0; i <= static_cast<int>(DType::kF64); ++i) {
    const DType dtype = static_cast<DType>(i);
    const auto size = static_cast<size_t>(dtype_size(dtype));
    tensors.push_back({std::string(dtype_name(dtype)), dtype, {1}, {data.data(), size}});
  }
  const Safetensors read = Safetensors::parse(write_safetensors(tensors, {}), "w");
  CHECK(read.tensors().size() == 13);
  for (const TensorView& tensor : tensors) {
    CHECK(read.find(tensor.name)->dtype == tensor.dtype);
    CHECK(read.find(tensor.name)->bytes == tensor.bytes);
  }
}

TEST_CASE("write_safetensors refuses what no reader would take") {
  const auto message = [](const std::vector<TensorView>& tensors) {
    return message_of(ExitCode::kFailed, [&] { write_safetensors(tensors, {}); });
  };
  CHECK(message({{"a", DType::kU8, {1}, "x"}, {"a", DType::kF32, {0}, ""}}) ==
        "cannot write tensor \"a\": its name is taken");
  CHECK(message({{"__metadata__", DType::kU8, {1}, "x"}}) ==
        "cannot write tensor \"__metadata__\": its name is taken");
  CHECK(message({{"a", DType::kF32, {1}, "x"}}) ==
        "cannot write tensor \"a\": its shape does not fit its 1 bytes");
  CHECK(message({{"a", DType::kU8, {-1, -1}, "x"}}) ==
        "cannot write tensor \"a\": its shape does not fit its 1 bytes");
  CHECK(message({{"\xff", DType::kU8, {1}, "x"}}) == "cannot write \"\\xff\": it is not UTF-8");
  CHECK(message_of(ExitCode::kFailed, [] {
          write_safetensors({}, {{"k", std::string(16 << 20, 'x')}});
        }) == "cannot write a safetensors header of 16777248 bytes, at most 16777216 are allowed");
}

TEST_CASE("safetensors files: load and header_only") {
  TemporaryFolder folder;
  const std::string bytes = write_safetensors({{"a", DType::kU8, {3}, "123"}}, {{"k", "v"}});
  write_file_atomically(folder / "w", bytes);
  CHECK(Safetensors::load(folder / "w", 1000).find("a")->bytes == "123");
  const Safetensors header = Safetensors::header_only(folder / "w");
  CHECK(header.find("a")->shape == std::vector<int64_t>{3});
  CHECK(header.find("a")->bytes.empty());
  CHECK(header.metadata().at("k") == "v");
  const std::string path = (folder / "w").string();
  CHECK(message_of(ExitCode::kData, [&] { Safetensors::load(folder / "w", 10); }) ==
        "cannot read " + path + ": it has " + std::to_string(bytes.size()) +
            " bytes, at most 10 are allowed");
  write_plain(folder / "w", bytes.substr(0, bytes.size() - 1));
  CHECK(message_of(ExitCode::kData, [&] { Safetensors::header_only(folder / "w"); }) ==
        path + ": truncated: the tensors need 3 bytes, the file has 2");
  write_plain(folder / "w", "1234");
  CHECK(message_of(ExitCode::kData, [&] { Safetensors::header_only(folder / "w"); }) ==
        path + ": truncated: 4 bytes, a safetensors file begins with 8");
}

}  // namespace
}  // namespace vitrine
