#include "framework/comparing/text_table.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

const std::vector<TableColumn> kColumns = {
    {{"group", "vit_digits hidden_d=8 optimizer=adamw", "plain"}},
    {{"model.hidden_d", "8", "16"}, 10, "hidden_d"},
    {{"seeds", "3", "12 of 13"}},
    {{"test/accuracy", "51.50 ± 1.29 %", "-"}},
    {{"95 %", "[49.45, 53.55]", "-"}, 51},
    {{"model.parameters", "1600", "1,000,000"}, 101, "parameters"}};

TEST_CASE("a table that fits is as it is", "[reports]") {
  const FittedTable whole = fitted(kColumns, 120);
  CHECK(whole.text ==
        "group                                  model.hidden_d  seeds     test/accuracy           "
        "  95 %  model.parameters\n"
        "vit_digits hidden_d=8 optimizer=adamw               8         3  51.50 ± 1.29 %  [49.45, "
        "53.55]              1600\n"
        "plain                                              16  12 of 13               -           "
        "    -         1,000,000");
  CHECK(whole.gone.empty());
  CHECK_FALSE(whole.is_tight);
}

TEST_CASE("first headings are shortened and extra columns go", "[reports]") {
  CHECK_THAT(fitted(kColumns, 110).text, StartsWith("group                                  "
                                                    "hidden_d  seeds     test/accuracy        "));
  const FittedTable without = fitted(kColumns, 95);
  CHECK(without.gone == std::vector<std::string>{"model.parameters"});
  CHECK(width_of_lines(without.text) <= 95);
}

TEST_CASE("then texts are wrapped, and columns go by their rank", "[reports]") {
  CHECK(fitted(kColumns, 80).text ==
        "group                  hidden_d  seeds     test/accuracy             95 %\n"
        "vit_digits hidden_d=8         8         3  51.50 ± 1.29 %  [49.45, 53.55]\n"
        "  optimizer=adamw\n"
        "plain                        16  12 of 13               -               -");
  const FittedTable narrow = fitted(kColumns, 50);
  CHECK(narrow.gone == std::vector<std::string>{"model.hidden_d", "95 %", "model.parameters"});
  CHECK(narrow.text ==
        "group                  seeds     test/accuracy\n"
        "vit_digits hidden_d=8         3  51.50 ± 1.29 %\n"
        "  optimizer=adamw\n"
        "plain                  12 of 13               -");
  const FittedTable narrower = fitted(kColumns, 40);
  CHECK(narrower.is_tight);
  CHECK(narrower.text ==
        "group         seeds     test/accuracy\n"
        "vit_digits           3  51.50 ± 1.29 %\n"
        "  hidden_d=8\n"
        "  optimizer=\n"
        "  adamw\n"
        "plain         12 of 13               -");
}

TEST_CASE("what was asked for goes last of all", "[reports]") {
  const std::vector<TableColumn> columns = {{{"group", "vit_digits"}},
                                            {{"test/accuracy", "51.50 ± 1.29 %"}, 1},
                                            {{"test/loss", "0.4850 ± 0.0129"}, kLastToGo},
                                            {{"seconds", "1.27 ± 0.12 s"}, kLastToGo}};
  CHECK(fitted(columns, 50).gone == std::vector<std::string>{"test/accuracy"});
  const FittedTable wrapped = fitted(columns, 36);
  CHECK(wrapped.gone == std::vector<std::string>{"test/accuracy"});
  CHECK(wrapped.text ==
        "group       test/loss  seconds\n"
        "vit_digits   0.4850 ±  1.27 ±\n"
        "               0.0129    0.12 s");
  CHECK(fitted(columns, 22).gone == std::vector<std::string>{"test/accuracy", "seconds"});
}

TEST_CASE("names are never cut, numbers neither", "[reports]") {
  CHECK(wrapped("with care: hidden_d=16 lr=0.005, a_long_name (1 of 2 diverged)", 24) ==
        "with care: hidden_d=16\n"
        "  lr=0.005, a_long_name\n"
        "  (1 of 2 diverged)");
  CHECK(wrapped("runs/vit_digits/20261122-101500-3fa2c1: diverged", 26) ==
        "runs/vit_digits/\n"
        "  20261122-101500-3fa2c1:\n"
        "  diverged");
  CHECK(wrapped("model.embedding=linear_patches", 16) ==
        "model.embedding=\n"
        "  linear_patches");
  CHECK(wrapped("0.000123456 a_name_that_is_longer 2/5", 8) ==
        "0.000123456\n"
        "  a_name_that_is_longer\n"
        "  2/5");
  CHECK(wrapped("a\n\nb c", 80) == "a\n\nb c");
}

}  // namespace
}  // namespace vitrine
