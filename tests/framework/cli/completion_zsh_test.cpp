#include "tests/framework/cli/prompt.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

TEST_CASE("zsh completes what is typed") {
  if (std::system("command -v zsh > /dev/null") != 0)
    return skip("completion in zsh, which is not installed");
  const Prompt prompt;
  const Result result = prompt.typed(
      "send autoload -U compinit; compinit -u -D; source <(runner completion zsh); "
      "PS1=rea''dy%%\\n\n"
      "expect ready%\n"
      "send runner configs/sm\\tmodel.mlp=sw\\tmodel.mlp.ra\\t4\\x01printf '<%s>' \\n\n"
      "expect <runner><configs/small.yaml><model.mlp=swiglu><model.mlp.ratio=4>\n"
      "send exit\\n\n",
      "zsh -f -i");
  INFO(result.out);
  CHECK(result.code == 0);
}

}  // namespace
}  // namespace vitrine
