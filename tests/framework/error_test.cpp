#include "framework/error.h"

#include "tests/catch.h"

using namespace vitrine;

TEST_CASE("an error carries its exit code", "[error]") {
  const Error error(ExitCode::kData, "images.gz: corrupt");
  CHECK(error.code() == ExitCode::kData);
  CHECK(std::string(error.what()) == "images.gz: corrupt");
}

TEST_CASE("what could steer a terminal is escaped", "[error]") {
  CHECK(escape("plain text, näïve, 日本, 😀") == "plain text, näïve, 日本, 😀");
  CHECK(escape("a\tb\nc\rd") == "a\\tb\\nc\\rd");
  CHECK(escape("\x1b[31mred") == "\\x1b[31mred");
  CHECK(escape(std::string("a\0b\x7f", 4)) == "a\\x00b\\x7f");
  CHECK(escape("\xc2\x9b"
               "31m") == "\\x9b31m");  // CSI, a C1 control
  CHECK(escape("abc\xe2\x80\xae"
               "def") == "abc\\u202edef");  // right-to-left override
  CHECK(escape("\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf") == "\\u2066\\u200b\\ufeff");
}

TEST_CASE("lines stay lines while what is in them is escaped", "[error]") {
  CHECK(escape_lines("") == "");
  CHECK(escape_lines("one\n two\x1b[31m\n\nend\n") == "one\n two\\x1b[31m\n\nend\n");
}

TEST_CASE("bytes that are not UTF-8 are escaped one by one", "[error]") {
  CHECK(escape("caf\xe9") == "caf\\xe9");
  CHECK(escape("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(escape("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(escape("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(escape("ab\xe2\x82") == "ab\\xe2\\x82");                // cut short
}

TEST_CASE("is_utf8 knows overlong forms, surrogates and the last code point", "[error]") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("h\xc3\xa9 \xf4\x8f\xbf\xbf"));
  CHECK_FALSE(is_utf8("\xc0\x80"));
  CHECK_FALSE(is_utf8("\xe0\x80\x80"));
  CHECK_FALSE(is_utf8("\xed\xbf\xbf"));
  CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("\xf8\x88\x80\x80\x80"));
  CHECK_FALSE(is_utf8("a\x80"));
}

TEST_CASE("nearest names come nearest first, at most three, and only where they are near",
          "[error]") {
  const std::vector<std::string> names = {"hidden_d",  "n_heads", "n_blocks",
                                          "n_patches", "lr",      "learning_rate"};
  CHECK(nearest_names("hiden_d", names) == "hidden_d");
  CHECK(nearest_names("n_haeds", names) == "n_heads");  // neighbours swapped
  CHECK(nearest_names("HIDDEN_D", names) == "hidden_d");
  CHECK(nearest_names("lrr", names) == "lr");
  CHECK(nearest_names("learn", names) == "learning_rate");
  CHECK(nearest_names("zebra", names).empty());
  CHECK(nearest_names("", {"abcdef"}).empty());
  CHECK(nearest_names("layer", {"layers", "layer_a", "layer_b", "layer_c"}) ==
        "layers, layer_a, layer_b");
  CHECK(nearest_names(std::string(1'000'000, 'x'), names).empty());
}
