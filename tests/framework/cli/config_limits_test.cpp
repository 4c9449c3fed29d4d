#include "tests/framework/cli/support.h"

// Numbers that are far too large or small, and what the program says of them.
namespace vitrine {
namespace {

// Without the line that shows the assignment.
std::string refused(const std::string& assignment) {
  const std::string text = Desk().refused(assignment);
  const size_t first = text.find("\n"), last = text.rfind("^");
  return text.substr(0, first) + " |" + text.substr(last + 1);
}

TEST_CASE("Whole numbers have limits, which are told") {
  CHECK(refused("training.batch_size=9223372036854775807") ==
        "error: command line:1:21: training.batch_size: expected a whole number from 1 to "
        "1000000000, got 9223372036854775807 |\n");
  CHECK(refused("training.batch_size=1e18") ==
        "error: command line:1:21: training.batch_size: expected a whole number from 1 to "
        "1000000000, got 1e18 |\n");
  CHECK(refused("training.epochs=1_000_000_001") ==
        "error: command line:1:17: training.epochs: expected a whole number from 1 to 1000000000, "
        "got 1_000_000_001 |\n");
  CHECK(refused("threads=1000000") ==
        "error: command line:1:9: threads: expected a whole number from 1 to 1024 or null, got "
        "1000000 |\n");
  CHECK(refused("seed=1e18") ==
        "error: command line:1:6: seed: expected a whole number at least 0, got 1e18 | a number as "
        "large as this is written with all its digits\n");
  CHECK(refused("seed=9223372036854775808") ==
        "error: command line:1:6: seed: expected a whole number at least 0, got "
        "9223372036854775808 | at most 9223372036854775807, which is what 64 bits hold\n");
  CHECK(refused("model.hidden_d=1000001") ==
        "error: command line:1:16: model.hidden_d: expected a whole number from 1 to 1000000, got "
        "1000001 |\n");
  CHECK(refused("model.n_blocks=1e9") ==
        "error: command line:1:16: model.n_blocks: expected a whole number from 1 to 10000, got "
        "1e9 |\n");
  CHECK(refused("model.mlp.ratio=9223372036854775807") ==
        "error: command line:1:17: model.mlp.ratio: expected a whole number from 1 to 10000, got "
        "9223372036854775807 |\n");
  const Desk desk;
  const std::string text = desk.error(
      ExitCode::kUsage, {"a.yaml", "training.batch_size=100000", "training.accumulate=10001"});
  CHECK(text.substr(0, text.find('\n')) ==
        "error: command line:1:21: training: a step of 100000 x 10001 images: at most 1000000000 "
        "are allowed");
}

TEST_CASE("Numbers that 32 bits cannot hold are refused, whoever computes with them") {
  const std::string bits =
      " | from 1.2e-38 to 3.4e+38 in size, or 0: what is computed with has 32 bits\n";
  for (const std::string type : {"adam", "adamw", "lamb", "lion", "rmsprop", "sgd"}) {
    CHECK(refused("optimizer={type: " + type + ", lr: 1e300}") ==
          "error: command line:1:" + std::to_string(24 + type.size()) +
              ": optimizer.lr: expected a number at least 0, got 1e300" + bits);
  }
  CHECK(refused("optimizer.lr=.inf") ==
        "error: command line:1:14: optimizer.lr: expected a number at least 0, got .inf |\n");
  CHECK(refused("optimizer.eps=1e-300") ==
        "error: command line:1:15: optimizer.eps: expected a number above 0, got 1e-300" + bits);
  CHECK(refused("training.clip_norm=1e300") ==
        "error: command line:1:20: training.clip_norm: expected a number above 0 or null, got "
        "1e300" +
            bits);
}

}  // namespace
}  // namespace vitrine
