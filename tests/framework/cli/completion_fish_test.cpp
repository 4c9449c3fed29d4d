#include "tests/framework/cli/prompt.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

TEST_CASE("fish completes") {
  if (std::system("command -v fish > /dev/null") != 0)
    return skip("completion in fish, which is not installed");
  const Prompt prompt;
  const auto reply = [&](const std::string& line) {
    return prompt.in({"fish", "-c", "runner completion fish | source; complete -C \"$argv\"", line})
        .out;
  };
  CHECK(reply("runner sta") == "status\twhat is running, done, interrupted, failed\n");
  CHECK(reply("runner conf") == "configs/\n");
  CHECK(reply("runner configs/own\\ p") == "configs/own part.yaml\n");
  CHECK(reply("runner configs/small.yaml model.mlp=sw") ==
        "model.mlp=swiglu\ta linear layer gated by the SiLU of another, then a third\n");
  CHECK(reply("bin/runner configs/small.yaml model.mlp=swiglu model.mlp.r") ==
        "model.mlp.ratio=\t2/3 of it times hidden_d, rounded up to a multiple of 8, is the hidden "
        "width\n");
}

}  // namespace
}  // namespace vitrine
