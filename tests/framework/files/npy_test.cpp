#include "framework/files/npy.h"

#include "tests/framework/files/numpy_files.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string elements(const std::string& file) {
  const NpyArray array = parse_npy(file, "a.npy");
  return {array.data(), array.bytes.size() - array.header.offset};
}
std::string type_of(const std::string& file) { return parse_npy(file, "a.npy").header.type(); }

std::string failure(const std::string& file) {
  return message_of(ExitCode::kData, [&] { parse_npy(file, "a.npy"); });
}
std::string failure_of(const std::string& dictionary) { return failure(npy_of(dictionary, "")); }

TEST_CASE("a NumPy file is read in each version of the format and with each type") {
  // numpy.save(file, numpy.array([[1, 2, 3]], dtype='uint8'))
  const std::string saved = npy("|u1", "(1, 3)", "\1\2\3");
  CHECK(saved.size() == 128 + 3);
  CHECK(parse_npy(saved, "a.npy").header.shape == std::vector<int64_t>{1, 3});
  CHECK(elements(saved) == "\1\2\3");
  for (const char version : {1, 2, 3}) {
    CHECK(elements(npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "ab",
                          version)) == "ab");
  }
  CHECK(type_of(npy("|b1", "()", "\1")) == "bool");
  CHECK(type_of(npy("|i1", "(1,)", "a")) == "int8");
  CHECK(type_of(npy("<i2", "(1,)", "ab")) == "int16");
  CHECK(type_of(npy("<u4", "(1,)", "abcd")) == "uint32");
  CHECK(type_of(npy("<i8", "(1,)", "abcdefgh")) == "int64");
  CHECK(type_of(npy("<f2", "(1,)", "ab")) == "float16");
  CHECK(type_of(npy("<f4", "(0, 7)", "")) == "float32");
  CHECK(type_of(npy("=f8", "(1,)", "abcdefgh")) == "float64");
  // Python 2
  CHECK(elements(npy_of("{'descr':'|u1','fortran_order':False,'shape':(1L,2L)}", "ab")) == "ab");
}

TEST_CASE("elements become row-major and of this machine's byte order") {
  CHECK(elements(npy(">i2", "(2,)", std::string("\1\2\0\3", 4))) == bytes_of<int16_t>({0x0102, 3}));
  CHECK(elements(npy(">f4", "(1,)", std::string("\x3f\x80\0\0", 4))) == bytes_of<float>({1}));
  // numpy.asfortranarray(numpy.arange(6).reshape(2, 3))
  CHECK(elements(npy("|u1", "(2, 3)", std::string("\0\3\1\4\2\5", 6), true)) ==
        std::string("\0\1\2\3\4\5", 6));
  CHECK(elements(npy("<i4", "(2, 2)", bytes_of<int32_t>({1, 3, 2, 4}), true)) ==
        bytes_of<int32_t>({1, 2, 3, 4}));
  CHECK(elements(npy(">i2", "(2, 1, 2)", std::string("\0\1\0\3\0\2\0\4", 8), true)) ==
        bytes_of<int16_t>({1, 2, 3, 4}));
  CHECK(elements(npy("|u1", "(3,)", "abc", true)) == "abc");
  CHECK(elements(npy("|u1", "(0, 3)", "", true)) == "");
}

TEST_CASE("what is not read is said in words") {
  CHECK(failure("PK\3\4") == "a.npy: not a NumPy file: it does not begin with \\x93NUMPY");
  CHECK(failure("\x93NUMPY\1") == "a.npy: truncated: it ends within its header");
  CHECK(failure("\x93NUMPY\4" + std::string(9, ' ')) ==
        "a.npy: NumPy's format 4 is not known, only 1 to 3");
  CHECK(failure(npy("|u1", "(3,)", "ab").substr(0, 60)) ==
        "a.npy: truncated: it ends within its header");
  CHECK(failure(npy("|O", "(1,)", "")) ==
        "a.npy: its elements are of the type \"|O\": Python objects, which are not read, since "
        "that would run code of the file");
  for (const std::string type :
       {"<c8", "<U5", "|S3", "<M8[ns]", "<f1", "<i3", "<g6", "u1", "<b4"}) {
    CHECK(failure(npy(type, "(1,)", "")) ==
          "a.npy: its elements are of the type \"" + type +
              "\"; bool, integers and floating-point numbers are read");
  }
  CHECK(failure_of("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}") ==
        "a.npy: its elements are records (a structured type): one array a file is read");
  CHECK(failure(npy("<i2", "(2, 2)", "abcdefg")) ==
        "a.npy: truncated: int16 [2, 2] needs 8 bytes, the file has 7");
  CHECK(failure(npy("|u1", "(2,)", "abc")) ==
        "a.npy: too long: uint8 [2] needs 2 bytes, the file has 3");
  CHECK(failure(npy("<f8", "(4294967296, 4294967296)", "")) ==
        "a.npy: its shape [4294967296, 4294967296] is too large");
  CHECK(failure(npy("<f8", "(2305843009213693952,)", "")) ==
        "a.npy: its shape [2305843009213693952] is too large");
}

TEST_CASE("a header that is none is refused") {
  const std::string expected = "a.npy: its header is not that of a NumPy file";
  CHECK(failure_of("") == expected);
  CHECK(failure_of("{}") == expected);
  CHECK(failure_of("{'descr': '|u1', 'fortran_order': False}") == expected);
  CHECK(failure_of("{'descr': '|u1', 'fortran_order': maybe, 'shape': (1,)}") == expected);
  CHECK(failure_of("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}") == expected);
  CHECK(failure_of("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}") ==
        expected);
  CHECK(failure_of("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x") == expected);
  CHECK(failure_of("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}") ==
        expected);
  CHECK(failure_of("{'descr: 1") == expected);
  CHECK(failure_of("{'a\x1b': 1}") == "a.npy: its header has the key a\\x1b");
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1,";
  CHECK(failure(npy("|u1", many + ")", "a")) == "a.npy: it has more than 32 dimensions");
}

}  // namespace
}  // namespace vitrine
